package ecr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"golang.org/x/sync/singleflight"

	"transship/internal/registry/secret"
)

const (
	// defaultSession names a role's session where nothing else does.
	defaultSession = "transship"
	// expiryWindow is how long before their end a role's credentials are renewed, so that a request that is signed now is
	// still good when it is read.
	expiryWindow = 5 * time.Minute
	// fallbackRegion is whose STS is asked where nothing says a region: it answers for all accounts.
	fallbackRegion = "us-east-1"
)

// configure loads the SDK's configuration for region, which may be empty, and assumes the role where there is one.
func configure(ctx context.Context, region string, o Options) (aws.Config, error) {
	log := logger(o.Logger)
	own := awshttp.NewBuildableClient().WithTimeout(attemptTimeout)
	load := []func(*config.LoadOptions) error{
		config.WithLogger(logging.LoggerFunc(func(level logging.Classification, format string, _ ...any) {
			log.Debug("AWS SDK", "level", string(level), "format", format)
		})),
		config.WithHTTPClient(own),
		config.WithDefaultRegion(fallbackRegion),
		config.WithCredentialsCacheOptions(func(c *aws.CredentialsCacheOptions) { c.ExpiryWindow = expiryWindow }),
	}
	// The SDK cannot give a bundle of certificates to a client that is not its own, which has certificates of its own anyway.
	if o.HTTPClient != nil && os.Getenv("AWS_CA_BUNDLE") == "" {
		load = append(load, config.WithHTTPClient(router{cloud: o.HTTPClient, machine: own}))
	}
	if region != "" {
		load = append(load, config.WithRegion(region))
	}
	if o.AccessKey != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, "")))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err == nil && o.RoleARN != "" {
		if o.HTTPClient != nil {
			cfg.HTTPClient = o.HTTPClient
		}
		cfg.Credentials = newCache(newRole(cfg, o))
	}
	return cfg, err
}

// router sends what is not encrypted the SDK's own way: only the metadata services of the machine and its container are
// asked so, and neither a proxy nor a stand-in for the cloud knows them.
type router struct{ cloud, machine aws.HTTPClient }

// Do sends one request.
func (r router) Do(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" {
		return r.machine.Do(req)
	}
	return r.cloud.Do(req)
}

// role is the credentials of an assumed role. It is asked for new ones by the cache around it, before the old ones end.
type role struct {
	options Options
	base    *aws.CredentialsCache // who assumes it
	client  *sts.Client
}

func newRole(cfg aws.Config, o Options) *role {
	base := newCache(cfg.Credentials)
	cfg.Credentials = base
	return &role{options: o, base: base, client: sts.NewFromConfig(cfg)}
}

// newCache returns a cache over p, or p where it is one. Invalidate passes through it to those below.
func newCache(p aws.CredentialsProvider) *aws.CredentialsCache {
	if cache, ok := p.(*aws.CredentialsCache); ok {
		return cache
	}
	return aws.NewCredentialsCache(p, func(c *aws.CredentialsCacheOptions) { c.ExpiryWindow = expiryWindow })
}

// Retrieve assumes the role: with the AWS credentials that there are, else with the ID token that Options.WebIdentity
// gives. Its errors are *roleError, where it was the role that could not be assumed.
func (r *role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if !r.options.WebIdentityOnly {
		_, err := r.base.Retrieve(ctx)
		if err == nil {
			return r.assume(ctx)
		}
		if r.options.WebIdentity == nil || ctx.Err() != nil || isEndedSSO(err) { // who signed in once wants to hear of it
			return aws.Credentials{}, err
		}
		c, webErr := r.exchange(ctx)
		if failed, ok := errors.AsType[*roleError](webErr); webErr != nil && (!ok || failed.token) {
			return aws.Credentials{}, fmt.Errorf("%w; and no ID token to assume %s with: %w", err, r.options.RoleARN, webErr)
		}
		return c, webErr
	}
	if r.options.WebIdentity == nil {
		return aws.Credentials{}, errors.New("there is no source of ID tokens")
	}
	return r.exchange(ctx)
}

func (r *role) assume(ctx context.Context) (aws.Credentials, error) {
	provider := stscreds.NewAssumeRoleProvider(r.client, r.options.RoleARN, func(a *stscreds.AssumeRoleOptions) {
		a.RoleSessionName = cmp.Or(r.options.SessionName, defaultSession)
		a.Duration = time.Hour // the most that a role assumed by a role may have
		if r.options.ExternalID != "" {
			a.ExternalID = aws.String(r.options.ExternalID)
		}
	})
	c, err := provider.Retrieve(ctx)
	if isExpired(err) { // those below did not know
		r.base.Invalidate()
		c, err = provider.Retrieve(ctx)
	}
	if err != nil {
		return aws.Credentials{}, &roleError{arn: r.options.RoleARN, externalID: r.options.ExternalID != "", err: err}
	}
	return c, nil
}

// idToken is a token that was fetched already: stscreds would ask for it without a context.
type idToken string

func (t idToken) GetIdentityToken() ([]byte, error) { return []byte(t), nil }

func (r *role) exchange(ctx context.Context) (aws.Credentials, error) {
	failed := &roleError{arn: r.options.RoleARN, web: true, audience: cmp.Or(r.options.WebIdentityAudience, r.options.RoleARN)}
	token, err := r.options.WebIdentity(ctx, failed.audience)
	if err != nil {
		failed.token, failed.err = true, err
		return aws.Credentials{}, failed
	}
	provider := stscreds.NewWebIdentityRoleProvider(r.client, r.options.RoleARN, idToken(token), func(w *stscreds.WebIdentityRoleOptions) {
		w.RoleSessionName = cmp.Or(r.options.SessionName, defaultSession)
	})
	c, err := provider.Retrieve(ctx)
	if err != nil {
		failed.err = err
		return aws.Credentials{}, failed
	}
	return c, nil
}

// isExpired reports whether AWS refused a request because its credentials have ended.
func isExpired(err error) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && expiredCode(e.ErrorCode())
}

func expiredCode(code string) bool {
	return code == "ExpiredToken" || code == "ExpiredTokenException"
}

// Identity is who the credentials belong to.
type Identity struct {
	Account string // 12 digits
	ARN     string // such as arn:aws:sts::123456789012:assumed-role/migration-reader/transship
}

// Identity asks STS who the caller is: 1 request, which needs no permission. The error is a *registry.Error.
func (r *Registry) Identity(ctx context.Context) (Identity, error) {
	out, err := r.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, r.fail(ctx, call{op: "ask STS who the caller is, for", object: r.name.Host(), operation: "GetCallerIdentity"}, err)
	}
	return Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// Session is one set of AWS credentials. Formatting it shows none of it.
type Session struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Region                                     string // where the caller is
}

// Format keeps the credentials out of texts.
func (s Session) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte("AWS session " + secret.Redacted))
}

// Sessions returns a function that gives the present credentials of the SDK's default chain, with o's profile and role,
// for those who have to sign a request to AWS themselves: Google's workload identity federation. They come from
// anywhere (variables, profiles, SSO, web identity, ECS, EKS Pod Identity, instance metadata), are renewed before they
// end, and cost no request while they are good. The function is safe for concurrent use.
func Sessions(o Options) func(context.Context) (Session, error) {
	var flight singleflight.Group
	var loaded atomicConfig
	return func(ctx context.Context) (Session, error) {
		if loaded.Load() == nil {
			_, err, _ := flight.Do("", func() (any, error) {
				cfg, err := configure(ctx, o.Region, o)
				if err == nil {
					loaded.Store(&cfg)
				}
				return nil, err
			})
			if err != nil {
				return Session{}, fmt.Errorf("load the AWS configuration: %w", err)
			}
		}
		cfg := loaded.Load()
		if cfg.Credentials == nil {
			return Session{}, errors.New("there are no AWS credentials")
		}
		c, err := cfg.Credentials.Retrieve(ctx)
		if err != nil {
			e := explainCredentials(err, o.profile())
			return Session{}, &cause{e.text + " (" + e.hint + ")", err}
		}
		return Session{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, cfg.Region}, nil
	}
}
