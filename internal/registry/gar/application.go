package gar

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/externalaccount"
	"cloud.google.com/go/auth/credentials/impersonate"

	"transship/internal/registry"
	"transship/internal/registry/secret"
)

// AWSSession is one set of AWS credentials, which sign the request that Google's workload identity federation reads.
type AWSSession struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Region                                     string
}

// Format keeps the credentials out of texts.
func (s AWSSession) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte("AWS session " + secret.Redacted))
}

// EnvApplicationCredentials is the variable that names the file of the Application Default Credentials.
const EnvApplicationCredentials = "GOOGLE_APPLICATION_CREDENTIALS"

// applicationFile returns the bytes of the Application Default Credentials, or nothing where they are in no file. An
// unreadable one is left to the library, which knows how to say so. It looks where the library looks.
func applicationFile() []byte {
	path := os.Getenv(EnvApplicationCredentials)
	if path == "" {
		folder := filepath.Join(os.Getenv("HOME"), ".config")
		if runtime.GOOS == "windows" {
			folder = os.Getenv("APPDATA")
		}
		path = filepath.Join(folder, "gcloud", "application_default_credentials.json")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return b
}

// externalFile is a file of workload identity federation, as "gcloud iam workload-identity-pools create-cred-config"
// writes it, as far as it matters for AWS.
type externalFile struct {
	Type             string `json:"type"`
	Audience         string `json:"audience"`
	SubjectTokenType string `json:"subject_token_type"`
	TokenURL         string `json:"token_url"`
	TokenInfoURL     string `json:"token_info_url"`
	ImpersonationURL string `json:"service_account_impersonation_url"`
	Impersonation    struct {
		Lifetime int `json:"token_lifetime_seconds"`
	} `json:"service_account_impersonation"`
	ClientID         string `json:"client_id"`
	ClientSecret     string `json:"client_secret"`
	QuotaProject     string `json:"quota_project_id"`
	UserProject      string `json:"workforce_pool_user_project"`
	UniverseDomain   string `json:"universe_domain"`
	CredentialSource struct {
		EnvironmentID   string `json:"environment_id"`
		VerificationURL string `json:"regional_cred_verification_url"`
	} `json:"credential_source"`
}

// defaultVerificationURL is the request that is signed, unless the file says otherwise. FACTS D.
const defaultVerificationURL = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"

// isAWS reports whether the file stands for an identity of AWS that o.AWS may prove. The library's own proof knows but
// AWS_ACCESS_KEY_ID and the instance metadata (FACTS D); it is left to it where the request is a special one.
func (f externalFile) isAWS() bool {
	return f.Type == string(credentials.ExternalAccount) && f.CredentialSource.EnvironmentID == "aws1" &&
		cmp.Or(f.CredentialSource.VerificationURL, defaultVerificationURL) == defaultVerificationURL
}

// detector returns how the Application Default Credentials are found.
func (o CredentialOptions) detector() func() (*auth.Credentials, error) {
	detect := o.detect
	if detect == nil {
		detect = credentials.DetectDefault
	}
	return func() (*auth.Credentials, error) {
		var file externalFile
		if b := applicationFile(); o.detect == nil && o.AWS != nil && json.Unmarshal(b, &file) == nil && file.isAWS() {
			return o.federated(file, b)
		}
		return detect(&credentials.DetectOptions{Scopes: []string{scope}, Client: o.client()})
	}
}

// federated returns the credentials that Google gives for those of AWS, as the file b says, which f was read from.
func (o CredentialOptions) federated(f externalFile, b []byte) (*auth.Credentials, error) {
	made, err := externalaccount.NewCredentials(&externalaccount.Options{
		Audience: f.Audience, SubjectTokenType: f.SubjectTokenType, TokenURL: f.TokenURL, TokenInfoURL: f.TokenInfoURL,
		ServiceAccountImpersonationURL: f.ImpersonationURL, ServiceAccountImpersonationLifetimeSeconds: f.Impersonation.Lifetime,
		ClientID: f.ClientID, ClientSecret: f.ClientSecret, QuotaProjectID: f.QuotaProject, WorkforcePoolUserProject: f.UserProject,
		UniverseDomain: f.UniverseDomain, Scopes: []string{scope}, AwsSecurityCredentialsProvider: awsProvider{o.AWS}, Client: o.client(),
	})
	if err != nil {
		return nil, err
	}
	return auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider: made, JSON: b,
		QuotaProjectIDProvider: auth.CredentialsPropertyFunc(func(context.Context) (string, error) {
			return cmp.Or(os.Getenv("GOOGLE_CLOUD_QUOTA_PROJECT"), f.QuotaProject), nil
		}),
	}), nil
}

// awsProvider gives the library the AWS credentials of the SDK's whole chain.
type awsProvider struct {
	session func(context.Context) (AWSSession, error)
}

// AwsRegion returns the region whose STS the signed request is for.
func (p awsProvider) AwsRegion(ctx context.Context, _ *externalaccount.RequestOptions) (string, error) {
	s, err := p.session(ctx)
	return s.Region, err
}

// AwsSecurityCredentials returns what signs it.
func (p awsProvider) AwsSecurityCredentials(ctx context.Context, _ *externalaccount.RequestOptions) (*externalaccount.AwsSecurityCredentials, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS credentials for Google's workload identity federation: %w", err)
	}
	return &externalaccount.AwsSecurityCredentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken}, nil
}

// iamHost is where tokens of service accounts are made.
const iamHost = "iamcredentials.googleapis.com"

// actAs returns a source that uses base to act as the service account o.Impersonate.
func actAs(base *TokenSource, o CredentialOptions) *TokenSource {
	s := &TokenSource{log: logger(o.Logger), origin: base.Origin() + ", acting as " + o.Impersonate, hint: impersonationHint(o.Impersonate)}
	s.fetch = func(ctx context.Context) (token, error) {
		made, err := impersonate.NewCredentials(&impersonate.CredentialsOptions{
			TargetPrincipal: o.Impersonate, Scopes: []string{scope}, Client: o.iamClient(base),
		})
		if err != nil {
			return token{}, credentialsError(ctx, "act as "+o.Impersonate, err)
		}
		t, err := fetchToken(ctx, made, s.log)
		return t, impersonationError(o.Impersonate, err)
	}
	return s
}

// iamClient returns a client that sends base's token to iamHost, and to no other.
func (o CredentialOptions) iamClient(base *TokenSource) *http.Client {
	next := NewTransport()
	if o.HTTPClient != nil && o.HTTPClient.Transport != nil {
		next = o.HTTPClient.Transport
	}
	return &http.Client{Transport: &authTransport{next: next, keys: NewKeyring(base), host: iamHost}}
}

func impersonationHint(account string) string {
	return fmt.Sprintf("allow the caller to act as it: gcloud iam service-accounts add-iam-policy-binding %s --member=MEMBER --role=roles/iam.serviceAccountTokenCreator (MEMBER like user:NAME@DOMAIN or serviceAccount:E-MAIL); also check that the account exists and that iamcredentials.googleapis.com is enabled in its project", account)
}

var statusPattern = regexp.MustCompile(`status code (\d{3}): (?s:(.*))`)

// impersonationError says what it means that a service account may not be used.
func impersonationError(account string, err error) error {
	e, ok := errors.AsType[*registry.Error](err)
	if !ok {
		return err
	}
	status, message, found := impersonationStatus(err)
	if !found {
		return err
	}
	out := &registry.Error{Side: registry.Target, Op: "act as the service account", Object: account, Class: e.Class, Status: status, Err: &cause{message, err}}
	switch status {
	case http.StatusForbidden:
		out.Class, out.Hint = registry.Denied, impersonationHint(account)
	case http.StatusNotFound:
		out.Class, out.Hint = registry.Denied, "check that the service account exists, and its spelling"
	default:
		out.Hint = e.Hint
	}
	return out
}

// impersonationStatus reads the HTTP status and Google's message from the library's text, where alone they are.
func impersonationStatus(err error) (status int, message string, ok bool) {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if _, ours := inner.(*registry.Error); ours { //nolint:errorlint // its text has our words around it
			continue
		}
		m := statusPattern.FindStringSubmatch(inner.Error())
		if m == nil {
			continue
		}
		status, _ = strconv.Atoi(m[1])
		var body struct {
			Error struct{ Message, Status string }
		}
		message = m[2]
		if json.Unmarshal([]byte(m[2]), &body) == nil && body.Error.Message != "" {
			message = strings.TrimPrefix(body.Error.Status+": "+body.Error.Message, ": ")
		}
		return status, oneLine(fmt.Errorf("HTTP %d: %s", status, message)), true
	}
	return 0, "", false
}
