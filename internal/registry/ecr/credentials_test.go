package ecr

import (
	"context"
	"crypto/sha1" //nolint:gosec // it is how the SDK names the files of SSO tokens
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/iamsim"
	"transship/internal/registry"
)

const (
	away       = "210987654321" // the account of the machine, where it is not that of the registry
	readerRole = "arn:aws:iam::123456789012:role/migration/reader"
	readerARN  = "arn:aws:sts::123456789012:assumed-role/reader/"
)

// iam returns the embedded IAM with a role of the registry's account that everybody in away may assume.
func iam(t *testing.T) (*cloudsim.Sim, *iamsim.AWS, *iamsim.Google) {
	t.Helper()
	sim, reg, _ := world(t, cloudsim.Options{})
	reg.SetAccessKeys("AKIAOTHER") // no key is good that nobody gave out
	reg.CreateRepository("app", ecrsim.RepositorySettings{})
	a := sim.AWS()
	a.AddRole(iamsim.Role{ARN: readerRole, Trust: []string{away}})
	return sim, a, sim.Google()
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// profile writes the shared configuration. Without a machine's metadata, that and the variables are all there is.
func profile(t *testing.T, text string) {
	t.Helper()
	write(t, os.Getenv("AWS_CONFIG_FILE"), text)
}

func setKeys(t *testing.T, k iamsim.Keys) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", k.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", k.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", k.SessionToken)
}

func staticProfile(name string, k iamsim.Keys) string {
	return fmt.Sprintf("[profile %s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, k.AccessKeyID, k.SecretAccessKey)
}

// ssoToken puts the token of "aws sso login" where the SDK looks for it.
func ssoToken(t *testing.T, token string, expires time.Time) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	sum := sha1.Sum([]byte("https://corp.awsapps.com/start")) //nolint:gosec // as above
	b, err := json.Marshal(map[string]string{"accessToken": token, "expiresAt": expires.UTC().Format(time.RFC3339)})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json"), string(b))
	profile(t, "[profile corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = reader\n")
}

// form is one way to come by AWS credentials.
type form struct {
	setup func(t *testing.T, a *iamsim.AWS, g *iamsim.Google, o *Options)
	arn   string // of whom they turn out to be, from its beginning
}

func forms() map[string]form {
	serve := func(t *testing.T, h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	return map[string]form{
		"variables": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			setKeys(t, a.AddUser(home.Account, "env"))
		}, "arn:aws:iam::123456789012:user/env"},
		"temporary keys in variables": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			k, err := a.Assume(readerRole, "ci", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			setKeys(t, k)
		}, readerARN + "ci"},
		"profile": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			profile(t, staticProfile("p", a.AddUser(home.Account, "profile")))
			o.Profile = "p"
		}, "arn:aws:iam::123456789012:user/profile"},
		"AWS_PROFILE with a role": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			profile(t, staticProfile("base", a.AddUser(away, "base"))+"[profile r]\nsource_profile = base\nrole_session_name = s1\nrole_arn = "+readerRole+"\n")
			t.Setenv("AWS_PROFILE", "r")
		}, readerARN + "s1"},
		"profile beats variables": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser(home.Account, "env"))
			profile(t, staticProfile("p", a.AddUser(home.Account, "profile")))
			o.Profile = "p"
		}, "arn:aws:iam::123456789012:user/profile"},
		"process": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			k := a.AddUser(home.Account, "process")
			file := write(t, filepath.Join(t.TempDir(), "out.json"), fmt.Sprintf(`{"Version":1,"AccessKeyId":%q,"SecretAccessKey":%q}`, k.AccessKeyID, k.SecretAccessKey))
			profile(t, "[profile p]\ncredential_process = cat "+file+"\n")
			o.Profile = "p"
		}, "arn:aws:iam::123456789012:user/process"},
		"SSO": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			a.AddSSO("sso-token", readerRole, time.Hour)
			ssoToken(t, "sso-token", time.Now().Add(time.Hour))
			o.Profile = "corp"
		}, readerARN + "sso"},
		"web identity (IRSA)": {func(t *testing.T, a *iamsim.AWS, g *iamsim.Google, _ *Options) {
			const issuer = "oidc.eks.us-east-1.amazonaws.com/id/ABC"
			a.AddRole(iamsim.Role{ARN: readerRole, Federated: issuer, Audience: "sts.amazonaws.com"})
			token := g.Sign(iamsim.Claims{Issuer: "https://" + issuer, Audience: "sts.amazonaws.com", Subject: "system:serviceaccount:x:y", Expires: time.Now().Add(time.Hour).Unix()})
			t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write(t, filepath.Join(t.TempDir(), "token"), token))
			t.Setenv("AWS_ROLE_ARN", readerRole)
			t.Setenv("AWS_ROLE_SESSION_NAME", "pod")
		}, readerARN + "pod"},
		"ECS": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", serve(t, iamsim.Container{AWS: a, RoleARN: readerRole})+"/creds")
		}, readerARN + "container"},
		"EKS Pod Identity": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", serve(t, iamsim.Container{AWS: a, RoleARN: readerRole, Token: "pod-token"})+"/v1/credentials")
			t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write(t, filepath.Join(t.TempDir(), "token"), "pod-token"))
		}, readerARN + "container"},
		"EC2": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", serve(t, iamsim.Instance{AWS: a, RoleARN: readerRole, Region: "us-east-1"}))
		}, readerARN + "i-0embedded"},
		"role with an external id": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser(away, "ci"))
			a.AddRole(iamsim.Role{ARN: readerRole, Trust: []string{"arn:aws:iam::" + away + ":user/ci"}, ExternalID: "x-1"})
			o.RoleARN, o.ExternalID = readerRole, "x-1"
		}, readerARN + "transship"},
		"role by a role": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			task := "arn:aws:iam::" + away + ":role/task"
			a.AddRole(iamsim.Role{ARN: task})
			a.AddRole(iamsim.Role{ARN: readerRole, Trust: []string{task}})
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", serve(t, iamsim.Container{AWS: a, RoleARN: task})+"/creds")
			o.RoleARN, o.SessionName = readerRole, "wave-1"
		}, readerARN + "wave-1"},
		"role by Google, AWS having nothing": {func(_ *testing.T, a *iamsim.AWS, g *iamsim.Google, o *Options) {
			googleRole(a, g, o)
		}, readerARN + "transship"},
		"role by AWS, Google standing by": {func(t *testing.T, a *iamsim.AWS, g *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser(away, "ci"))
			googleRole(a, g, o)
			a.AddRole(iamsim.Role{ARN: readerRole, Trust: []string{away}})
		}, readerARN + "transship"},
		"role by Google, AWS standing by": {func(t *testing.T, a *iamsim.AWS, g *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser(away, "ci"))
			googleRole(a, g, o)
			o.WebIdentityOnly = true
		}, readerARN + "transship"},
		"role by Google with an audience": {func(_ *testing.T, a *iamsim.AWS, g *iamsim.Google, o *Options) {
			googleRole(a, g, o)
			a.AddRole(iamsim.Role{ARN: readerRole, Federated: "accounts.google.com", Audience: "sts.amazonaws.com"})
			o.WebIdentityAudience = "sts.amazonaws.com"
		}, readerARN + "transship"},
	}
}

const robot = "robot@my-gcp-project.iam.gserviceaccount.com"

// googleRole makes the role one that Google's robot may assume, and o one of the robot's.
func googleRole(a *iamsim.AWS, g *iamsim.Google, o *Options) {
	a.AddRole(iamsim.Role{ARN: readerRole, Federated: "accounts.google.com", Audience: readerRole, Subject: iamsim.Subject(robot)})
	o.RoleARN = readerRole
	o.WebIdentity = func(_ context.Context, audience string) (string, error) { return g.IDToken(robot, audience), nil }
}

func TestForms(t *testing.T) {
	for name, f := range forms() {
		t.Run(name, func(t *testing.T) {
			sim, a, g := iam(t)
			isolate(t, nil)
			o := Options{HTTPClient: sim.HTTPClient()}
			f.setup(t, a, g, &o)
			reg, err := Load(t.Context(), home, o)
			if err != nil {
				t.Fatal(err)
			}
			who, err := reg.Identity(t.Context())
			if err != nil || who.ARN != f.arn || who.Account != home.Account {
				t.Fatalf("%+v, want %s: %v", who, f.arn, err)
			}
			n := 0
			for _, err := range reg.Repositories(t.Context()) {
				if n++; err != nil {
					t.Fatal(err)
				}
			}
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+home.Host()+"/v2/", nil)
			if err := reg.Authorizer().Authorize(t.Context(), req); err != nil || n != 1 {
				t.Errorf("%d repositories; token: %v", n, err)
			}
			// The same feed Google's federation.
			session, err := Sessions(o)(t.Context())
			if p, status := a.Lookup(session.AccessKeyID, session.SessionToken); err != nil || status != iamsim.Good || p.ARN != f.arn || session.Region != "us-east-1" {
				t.Errorf("session of %s in %s: %v", p.ARN, session.Region, err)
			}
			if text := fmt.Sprintf("%v %+v %#v", session, session, session); session.SecretAccessKey == "" || strings.Contains(text, session.SecretAccessKey) {
				t.Errorf("the session is shown: %s", text)
			}
		})
	}
}

// TestRefusedCredentials says for each way in which credentials fail what the reader is told.
func TestRefusedCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		setup func(t *testing.T, a *iamsim.AWS, g *iamsim.Google, o *Options)
		class registry.Class
		says  []string
	}{
		"role that does not trust": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser("333333333333", "mallory"))
			o.RoleARN = readerRole
		}, registry.Denied, []string{readerRole, "arn:aws:iam::333333333333:user/mallory cannot assume", "trust policy", "sts:AssumeRole", `{"AWS":"arn:aws:iam::333333333333:user/mallory"}`, "external_id"}},
		"role by a role that it does not trust": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			a.AddRole(iamsim.Role{ARN: "arn:aws:iam::333333333333:role/task"})
			k, err := a.Assume("arn:aws:iam::333333333333:role/task", "t1", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			setKeys(t, k)
			o.RoleARN = readerRole
		}, registry.Denied, []string{`{"AWS":"arn:aws:iam::333333333333:role/task"}`}},
		"wrong external id": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser(away, "ci"))
			a.AddRole(iamsim.Role{ARN: readerRole, Trust: []string{away}, ExternalID: "right"})
			o.RoleARN, o.ExternalID = readerRole, "wrong"
		}, registry.Denied, []string{"external ID must be the one"}},
		"role that is no role": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser(away, "ci"))
			o.RoleARN = "reader"
		}, registry.Invalid, []string{"arn:aws:iam::123456789012:role/NAME"}},
		"role that does not trust Google": {func(_ *testing.T, a *iamsim.AWS, g *iamsim.Google, o *Options) {
			googleRole(a, g, o)
			a.AddRole(iamsim.Role{ARN: readerRole, Trust: []string{away}})
		}, registry.Denied, []string{readerRole, "accounts.google.com", "AssumeRoleWithWebIdentity", "oaud"}},
		"neither AWS nor Google": {func(_ *testing.T, _ *iamsim.AWS, _ *iamsim.Google, o *Options) {
			o.RoleARN = readerRole
			o.WebIdentity = func(context.Context, string) (string, error) { return "", errors.New("Google gives no ID token") } //nolint:staticcheck // a name
		}, registry.Unauthorized, []string{"no AWS credentials", "Google gives no ID token", "aws sts get-caller-identity"}},
		"SSO session that has expired": {func(t *testing.T, _ *iamsim.AWS, _ *iamsim.Google, o *Options) {
			ssoToken(t, "old", time.Now().Add(-time.Hour))
			o.Profile = "corp"
		}, registry.Unauthorized, []string{`SSO session of profile "corp"`, "aws sso login --profile corp"}},
		"SSO session that the portal refuses": {func(t *testing.T, _ *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			ssoToken(t, "revoked", time.Now().Add(time.Hour))
			t.Setenv("AWS_PROFILE", "corp")
		}, registry.Unauthorized, []string{"aws sso login --profile corp"}},
		"profile that is missing": {func(_ *testing.T, _ *iamsim.AWS, _ *iamsim.Google, o *Options) {
			o.Profile = "nope"
		}, registry.Unauthorized, []string{`no profile "nope"`, "aws configure list-profiles", "~/.aws/config"}},
		"keys of another account": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			setKeys(t, a.AddUser(away, "ci"))
		}, registry.Denied, []string{"arn:aws:iam::" + away + ":user/ci", "the registry belongs to account " + home.Account + ", the credentials to " + away}},
		"keys that are unknown": {func(t *testing.T, _ *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			setKeys(t, iamsim.Keys{AccessKeyID: "AKIANOBODY", SecretAccessKey: "x"})
		}, registry.Unauthorized, []string{"UnrecognizedClientException"}},
		"temporary keys that have ended": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, _ *Options) {
			k, err := a.Assume(readerRole, "ci", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			a.End(k.AccessKeyID)
			setKeys(t, k)
		}, registry.Unauthorized, []string{"ExpiredToken", "aws sts get-caller-identity"}},
		"region without ECR": {func(t *testing.T, a *iamsim.AWS, _ *iamsim.Google, o *Options) {
			setKeys(t, a.AddUser(home.Account, "ci"))
			o.Region = "us-east-7" // the test's, see below
		}, registry.Unavailable, []string{"the region us-east-7 has no ECR, or the name is mistyped"}},
	} {
		t.Run(name, func(t *testing.T) {
			sim, a, g := iam(t)
			isolate(t, nil)
			o := Options{HTTPClient: sim.HTTPClient()}
			c.setup(t, a, g, &o)
			r := home
			if o.Region != "" {
				r.Region = o.Region
			}
			reg, err := Load(t.Context(), r, o)
			if err == nil {
				err = lastError(reg.Repositories(t.Context()))
			}
			if !registry.IsClass(err, c.class) {
				t.Fatalf("class %s, want %s: %v", registry.ClassOf(err), c.class, err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %v", part, err)
				}
			}
			for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
				if secret := os.Getenv(name); len(secret) > 1 && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
					t.Errorf("%s is in %v", name, err)
				}
			}
		})
	}
}

// TestReadingAnotherAccount: a key of one account reads the registry of another where that allows it.
func TestReadingAnotherAccount(t *testing.T) {
	sim, a, _ := iam(t)
	isolate(t, nil)
	setKeys(t, a.AddUser(away, "shared", home.Account))
	reg, err := Load(t.Context(), home, Options{HTTPClient: sim.HTTPClient()})
	if err != nil {
		t.Fatal(err)
	}
	if err := lastError(reg.Repositories(t.Context())); err != nil {
		t.Error(err)
	}
}
