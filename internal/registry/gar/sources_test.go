package gar

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/iamsim"
)

const (
	dataHost = "us-docker.pkg.dev"
	robot    = "robot@my-project.iam.gserviceaccount.com"
	awsPool  = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws"
	oidcPool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/oidc"
	issuer   = "https://token.example.com"
	jwtType  = "urn:ietf:params:oauth:token-type:jwt"
	awsType  = "urn:ietf:params:aws:token-type:aws4_request"
	taskRole = "arn:aws:iam::123456789012:role/task"
	taskARN  = "arn:aws:sts::123456789012:assumed-role/task/t1"
)

// place is a machine with embedded clouds around it.
type place struct {
	t      *testing.T
	sim    *cloudsim.Sim
	aws    *iamsim.AWS
	google *iamsim.Google
	home   string
	env    map[string]string
	o      CredentialOptions
}

// machine returns a place without any credentials.
func machine(t *testing.T) *place {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "GOOGLE_CLOUD_QUOTA_PROJECT"} {
		t.Setenv(name, "")
	}
	sim, _, _ := world(t, arsim.Options{})
	p := &place{t: t, sim: sim, aws: sim.AWS(), google: sim.Google(), home: t.TempDir(), env: map[string]string{}}
	p.aws.AddRole(iamsim.Role{ARN: taskRole})
	p.google.AddPool(iamsim.Pool{Audience: awsPool, Account: "123456789012"})
	p.google.AddPool(iamsim.Pool{Audience: oidcPool, Issuer: issuer})
	p.google.AddServiceAccount(iamsim.ServiceAccount{Email: robot})
	p.env["HOME"] = p.home
	t.Setenv("HOME", p.home)
	p.o = CredentialOptions{HTTPClient: sim.HTTPClient(), Getenv: func(name string) string { return p.env[name] }}
	p.adc(filepath.Join(p.home, "no-such-file"), nil)
	return p
}

// adc writes the Application Default Credentials, or removes them.
func (p *place) adc(path string, v any) {
	p.t.Helper()
	p.t.Setenv(EnvApplicationCredentials, path)
	if v != nil {
		p.file(path, v)
	}
}

func (p *place) file(path string, v any) string {
	p.t.Helper()
	b, ok := v.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(v); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

func (p *place) application(v any) { p.t.Helper(); p.adc(filepath.Join(p.home, "adc.json"), v) }

// bare makes sure that there are no Application Default Credentials, without a search for a metadata server.
func (p *place) bare() {
	p.t.Setenv(EnvApplicationCredentials, "")
	p.o.detect = func(*credentials.DetectOptions) (*auth.Credentials, error) {
		return nil, errors.New("credentials: could not find default credentials. See https://… for more information")
	}
}

// docker writes docker's configuration.
func (p *place) docker(v any) {
	p.t.Helper()
	p.bare()
	p.file(filepath.Join(p.home, ".docker", "config.json"), v)
}

func login(user, password string) map[string]any {
	return map[string]any{"auths": map[string]any{dataHost: map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(user + ":" + password))}}}
}

// helper puts a credential helper on the PATH that says what the file says.
func (p *place) helper(name, user, password string) string {
	p.t.Helper()
	if runtime.GOOS == "windows" {
		p.t.Skip("the helper is a shell script")
	}
	bin := filepath.Join(p.home, "bin")
	out := p.file(filepath.Join(bin, "out.json"), map[string]string{"ServerURL": dataHost, "Username": user, "Secret": password})
	script := p.file(filepath.Join(bin, "docker-credential-"+name), []byte("#!/bin/sh\ncat "+out+"\n"))
	if err := os.Chmod(script, 0o700); err != nil { //nolint:gosec // it is a program
		p.t.Fatal(err)
	}
	p.t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return out
}

var authorizedUser = map[string]string{"type": "authorized_user", "client_id": "id", "client_secret": "cs", "refresh_token": "1//secret"}

// serviceAccount is a key file.
func serviceAccount(t *testing.T) map[string]string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"type": "service_account", "client_email": robot, "private_key_id": "k1", "token_uri": "https://oauth2.googleapis.com/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
}

func impersonationURL(email string) string {
	return "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + email + ":generateAccessToken"
}

func external(audience, tokenType string, source map[string]any) map[string]any {
	return map[string]any{"type": "external_account", "audience": audience, "subject_token_type": tokenType, "token_url": "https://sts.googleapis.com/v1/token", "credential_source": source}
}

func awsSource() map[string]any {
	return map[string]any{
		"environment_id": "aws1", "region_url": "http://169.254.169.254/latest/meta-data/placement/availability-zone",
		"url":                            "http://169.254.169.254/latest/meta-data/iam/security-credentials",
		"regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
	}
}

func (p *place) oidc() string {
	return p.google.Sign(iamsim.Claims{Issuer: issuer, Audience: "x", Subject: "runner", Expires: time.Now().Add(time.Hour).Unix()})
}

// task makes o.AWS give the credentials of an ECS task.
func (p *place) task() {
	p.o.AWS = func(context.Context) (AWSSession, error) {
		k, err := p.aws.Assume(taskRole, "t1", time.Hour)
		return AWSSession{k.AccessKeyID, k.SecretAccessKey, k.SessionToken, "eu-west-1"}, err
	}
}

// way is one way to come by Google credentials, and whose they turn out to be, as far as that is known.
type way struct {
	setup  func(p *place)
	owner  string
	origin string
}

func sources() map[string]way {
	const pool = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/"
	const adc = "Application Default Credentials"
	return map[string]way{
		"access token": {setup: func(p *place) { p.env[EnvToken] = accessToken }, origin: EnvToken},
		"access token before all else": {setup: func(p *place) {
			p.application(authorizedUser)
			p.env[EnvToken] = accessToken
		}, origin: EnvToken},
		"authorized_user": {setup: func(p *place) { p.application(authorizedUser) }, origin: adc + " (authorized_user)"},
		"file of gcloud": {setup: func(p *place) {
			p.adc("", nil)
			p.file(filepath.Join(p.home, ".config", "gcloud", "application_default_credentials.json"), authorizedUser)
		}, origin: adc + " (authorized_user)"},
		"service_account": {setup: func(p *place) { p.application(serviceAccount(p.t)) }, origin: adc + " (service_account)"},
		"impersonated_service_account": {setup: func(p *place) {
			p.application(map[string]any{"type": "impersonated_service_account", "service_account_impersonation_url": impersonationURL(robot), "source_credentials": authorizedUser})
		}, owner: robot, origin: adc + " (impersonated_service_account)"},
		"external_account_authorized_user": {setup: func(p *place) {
			p.application(map[string]any{"type": "external_account_authorized_user", "audience": "x", "refresh_token": "r", "client_id": "i", "client_secret": "s", "token_url": "https://sts.googleapis.com/v1/oauthtoken"})
		}, owner: "workforce user", origin: adc + " (external_account_authorized_user)"},
		"federation, a file": {setup: func(p *place) {
			token := p.file(filepath.Join(p.home, "token"), []byte(p.oidc()))
			p.application(external(oidcPool, jwtType, map[string]any{"file": token}))
		}, owner: pool + "runner", origin: adc + " (external_account)"},
		"federation, a URL": {setup: func(p *place) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"value":%q}`, p.oidc()) }))
			p.t.Cleanup(s.Close)
			p.application(external(oidcPool, jwtType, map[string]any{"url": s.URL, "format": map[string]string{"type": "json", "subject_token_field_name": "value"}}))
		}, owner: pool + "runner", origin: adc + " (external_account)"},
		"federation, a program": {setup: func(p *place) {
			p.t.Setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
			out := p.file(filepath.Join(p.home, "out.json"), map[string]any{"version": 1, "success": true, "token_type": jwtType, "id_token": p.oidc(), "expiration_time": time.Now().Add(time.Hour).Unix()})
			p.application(external(oidcPool, jwtType, map[string]any{"executable": map[string]any{"command": "/bin/cat " + out}}))
		}, owner: pool + "runner", origin: adc + " (external_account)"},
		"federation of AWS, variables": {setup: func(p *place) {
			k := p.aws.AddUser("123456789012", "ci")
			p.t.Setenv("AWS_ACCESS_KEY_ID", k.AccessKeyID)
			p.t.Setenv("AWS_SECRET_ACCESS_KEY", k.SecretAccessKey)
			p.t.Setenv("AWS_REGION", "us-east-1")
			p.application(external(awsPool, awsType, awsSource()))
		}, owner: pool + "arn:aws:iam::123456789012:user/ci", origin: adc + " (external_account)"},
		"federation of AWS, whatever AWS has": {setup: func(p *place) {
			p.task()
			p.application(external(awsPool, awsType, awsSource()))
		}, owner: pool + taskARN, origin: adc + " (external_account)"},
		"federation of AWS, acting as a service account": {setup: func(p *place) {
			p.task()
			p.google.AddServiceAccount(iamsim.ServiceAccount{Email: robot, Actors: []string{pool + taskARN}})
			file := external(awsPool, awsType, awsSource())
			file["service_account_impersonation_url"] = impersonationURL(robot)
			p.application(file)
		}, owner: robot, origin: adc + " (external_account)"},
		"token acting as a service account": {setup: func(p *place) {
			p.env[EnvToken] = accessToken
			p.o.Impersonate = robot
		}, owner: robot, origin: EnvToken + ", acting as " + robot},
		"user acting as a service account": {setup: func(p *place) {
			p.application(authorizedUser)
			p.o.Impersonate = robot
		}, owner: robot, origin: adc + " (authorized_user), acting as " + robot},
		"federation and impersonation": {setup: func(p *place) {
			p.task()
			p.google.AddServiceAccount(iamsim.ServiceAccount{Email: robot, Actors: []string{pool + taskARN}})
			p.application(external(awsPool, awsType, awsSource()))
			p.o.Impersonate = robot
		}, owner: robot, origin: adc + " (external_account), acting as " + robot},
		"docker, oauth2accesstoken":   {setup: func(p *place) { p.docker(login("oauth2accesstoken", accessToken)) }},
		"docker, _token":              {setup: func(p *place) { p.docker(login("_token", accessToken)) }},
		"docker, DOCKER_CONFIG":       {setup: func(p *place) { p.dockerConfig(login("_token", accessToken)) }},
		"docker, Application Default": {setup: func(p *place) { p.docker(login("_token", "wrong")); p.o.detect = nil; p.application(authorizedUser) }, origin: adc + " (authorized_user)"},
		"docker, _json_key": {setup: func(p *place) {
			key, _ := json.Marshal(serviceAccount(p.t))
			p.docker(login("_json_key", string(key)))
		}},
		"docker, _json_key_base64": {setup: func(p *place) {
			key, _ := json.Marshal(serviceAccount(p.t))
			p.docker(login("_json_key_base64", base64.StdEncoding.EncodeToString(key)))
		}},
		"docker, credential helper": {setup: func(p *place) {
			p.helper("gcloud", "_dcgcloud_token", accessToken)
			p.docker(map[string]any{"credHelpers": map[string]string{dataHost: "gcloud"}})
		}},
		"docker, credentials store": {setup: func(p *place) {
			p.helper("store", "oauth2accesstoken", accessToken)
			p.docker(map[string]any{"credsStore": "store"})
		}},
		"docker, acting as a service account": {setup: func(p *place) {
			p.docker(login("oauth2accesstoken", accessToken))
			p.o.Impersonate = robot
		}, owner: robot},
	}
}

func (p *place) dockerConfig(v any) {
	p.t.Helper()
	p.bare()
	p.env["DOCKER_CONFIG"] = filepath.Join(p.home, "elsewhere")
	p.file(filepath.Join(p.home, "elsewhere", "config.json"), v)
}
