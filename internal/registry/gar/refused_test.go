package gar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"transship/internal/cloudsim/iamsim"
	"transship/internal/registry"
)

// ask asks the data plane for something that is not there, and returns the status.
func (p *place) ask(a *HostAuthorizer) (int, error) {
	for try := 0; ; try++ {
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "https://"+dataHost+"/v2/my-project/app-images/app/manifests/v1", nil)
		if err != nil {
			return 0, err
		}
		if err := a.Authorize(p.t.Context(), req); err != nil {
			return 0, err
		}
		res, err := p.sim.HTTPClient().Do(req)
		if err != nil {
			return 0, err
		}
		_ = res.Body.Close()
		if try == 3 || !a.Refused(p.t.Context(), res, nil) {
			return res.StatusCode, nil
		}
	}
}

func TestSources(t *testing.T) {
	for name, c := range sources() {
		t.Run(name, func(t *testing.T) {
			p := machine(t)
			var log bytes.Buffer
			p.o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c.setup(p)
			p.o.Hosts = []string{dataHost}
			keys, err := FindCredentials(t.Context(), p.o)
			if err != nil {
				t.Fatal(err)
			}
			cloud, err := New(Options{Credentials: keys, Transport: p.sim.Transport(), Logger: p.o.Logger})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cloud.Repository(t.Context(), apps); err != nil {
				t.Errorf("the API: %v", err)
			}
			if status, err := p.ask(keys.Authorizer(dataHost, p.sim.Transport())); status != http.StatusNotFound {
				t.Errorf("the registry: %d, %v", status, err)
			}
			s, err := keys.Host(t.Context(), dataHost)
			if err != nil {
				t.Fatal(err)
			}
			value, err := s.token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if owner := p.google.Owner(value.secret.Reveal()); owner != c.owner {
				t.Errorf("they belong to %q, want %q", owner, c.owner)
			}
			if origin := keys.String(); c.origin != "" && origin != c.origin || c.origin == "" && !strings.Contains(origin, "config.json") {
				t.Errorf("they come from %q", origin)
			}
			for _, text := range []string{log.String(), fmt.Sprintf("%v %+v %#v", keys, keys, s), fmt.Sprintf("%+v %#v", keys.Authorizer(dataHost, nil), value)} {
				if strings.Contains(text, value.secret.Reveal()) || strings.Contains(text, "1//secret") {
					t.Errorf("a secret is in %s", text)
				}
			}
		})
	}
}

func TestRefusedSources(t *testing.T) {
	for name, c := range map[string]struct {
		setup func(p *place)
		class registry.Class
		says  []string
	}{
		"nothing": {func(p *place) { p.bare() }, registry.Unauthorized, []string{"gcloud auth application-default login", EnvToken}},
		"docker knows other hosts": {func(p *place) {
			p.docker(map[string]any{"auths": map[string]any{"docker.io": map[string]string{"auth": "dTpw"}}})
		}, registry.Unauthorized, []string{dataHost, "config.json has none for it", "gcloud auth configure-docker " + dataHost}},
		"docker's helper is missing": {func(p *place) {
			p.t.Setenv("PATH", p.home)
			p.docker(map[string]any{"credHelpers": map[string]string{dataHost: "gcloud"}})
		}, registry.Unauthorized, []string{"docker-credential-gcloud", "not on the PATH", "install it", dataHost}},
		"docker's helper fails": {func(p *place) {
			p.helper("gcloud", "", "")
			p.file(filepath.Join(p.home, "bin", "docker-credential-gcloud"), []byte("#!/bin/sh\necho you are not signed in\nexit 1\n"))
			p.docker(map[string]any{"credHelpers": map[string]string{dataHost: "gcloud"}})
		}, registry.Unauthorized, []string{"you are not signed in", "gcloud auth configure-docker"}},
		"docker's configuration is broken": {func(p *place) { p.docker([]byte("{")) }, registry.Unauthorized, []string{"config.json", "mend or remove"}},
		"docker has a key that is none":    {func(p *place) { p.docker(login("_json_key", `{"private_key":"hidden-key"}`)) }, registry.Unauthorized, []string{"not a service-account key"}},
		"docker has an identity token": {func(p *place) {
			p.docker(map[string]any{"auths": map[string]any{dataHost: map[string]string{"auth": "PHRva2VuPjo=", "identitytoken": "hidden-key"}}})
		}, registry.Unauthorized, []string{"identity token"}},
		"docker has a password": {func(p *place) { p.docker(login("someone", "hidden-key")) }, registry.Unauthorized, []string{"only the registry itself takes", "gcloud auth application-default login"}},
		"service account that may not be used": {func(p *place) {
			p.google.AddServiceAccount(iamsim.ServiceAccount{Email: robot, Actors: []string{}})
			p.env[EnvToken] = accessToken
			p.o.Impersonate = robot
		}, registry.Denied, []string{robot, "PERMISSION_DENIED", "roles/iam.serviceAccountTokenCreator"}},
		"service account that is not there": {func(p *place) {
			p.env[EnvToken] = accessToken
			p.o.Impersonate = "nobody@my-project.iam.gserviceaccount.com"
		}, registry.Denied, []string{"nobody@my-project", "check that the service account exists"}},
		"impersonation with an old token": {func(p *place) {
			p.env[EnvToken] = "ya29.hidden-key"
			p.o.Impersonate = robot
		}, registry.Unauthorized, []string{"401"}},
		"pool that does not take the account": {func(p *place) {
			p.task()
			p.google.AddPool(iamsim.Pool{Audience: awsPool, Account: "333333333333"})
			p.application(external(awsPool, awsType, awsSource()))
		}, registry.Unauthorized, []string{"attribute condition"}},
		"AWS has nothing for the federation": {func(p *place) {
			p.o.AWS = func(context.Context) (AWSSession, error) { return AWSSession{}, errors.New("no AWS credentials") }
			p.application(external(awsPool, awsType, awsSource()))
		}, registry.Unauthorized, []string{"no AWS credentials", "workload identity federation"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := machine(t)
			c.setup(p)
			keys, err := FindCredentials(t.Context(), p.o)
			if err == nil {
				var cloud *Cloud
				if cloud, err = New(Options{Credentials: keys, Transport: p.sim.Transport()}); err != nil {
					t.Fatal(err)
				}
				_, err = cloud.Repository(t.Context(), apps)
			}
			if !registry.IsClass(err, c.class) {
				t.Fatalf("class %s, want %s: %v", registry.ClassOf(err), c.class, err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %v", part, err)
				}
			}
			if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "hidden-key") {
				t.Errorf("a secret is in %s", text)
			}
		})
	}
}

// TestDockerPassword: a user and a password that are nothing else are sent to the registry, as they are.
func TestDockerPassword(t *testing.T) {
	p := machine(t)
	p.docker(login("someone", "password"))
	keys, err := FindCredentials(t.Context(), p.o)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+dataHost+"/v2/", nil)
	if err := keys.Authorizer(dataHost, nil).Authorize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if user, password, ok := req.BasicAuth(); !ok || user != "someone" || password != "password" {
		t.Errorf("the header is %q", req.Header.Get("Authorization"))
	}
}

// TestDockerLoginIsReadAgain: somebody signs docker in again while the run goes on.
func TestDockerLoginIsReadAgain(t *testing.T) {
	p := machine(t)
	out := p.helper("gcloud", "_dcgcloud_token", "old")
	p.docker(map[string]any{"credHelpers": map[string]string{dataHost: "gcloud"}})
	keys, err := FindCredentials(t.Context(), p.o)
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := New(Options{Credentials: keys, Transport: p.sim.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cloud.Repository(t.Context(), apps); !registry.IsClass(err, registry.Unauthorized) || !strings.Contains(err.Error(), "sign docker in again") {
		t.Fatalf("got %v", err)
	}
	p.file(out, map[string]string{"Username": "_dcgcloud_token", "Secret": accessToken})
	s, err := keys.Host(t.Context(), dataHost)
	if err != nil {
		t.Fatal(err)
	}
	s.current.obtained = s.current.obtained.Add(-leastUse) // a minute later
	if _, err := cloud.Repository(t.Context(), apps); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestIDTokens(t *testing.T) {
	const audience = "arn:aws:iam::123456789012:role/reader"
	role := iamsim.Role{ARN: audience, Federated: "accounts.google.com", Audience: audience, Subject: iamsim.Subject(robot)}
	for name, c := range map[string]struct {
		setup func(p *place)
		fails string
	}{
		"service_account": {setup: func(p *place) { p.application(serviceAccount(p.t)) }},
		"impersonated_service_account": {setup: func(p *place) {
			p.application(map[string]any{"type": "impersonated_service_account", "service_account_impersonation_url": impersonationURL(robot), "source_credentials": authorizedUser})
		}},
		"external_account": {setup: func(p *place) {
			file := external(oidcPool, jwtType, map[string]any{"file": p.file(filepath.Join(p.home, "token"), []byte(p.oidc()))})
			file["service_account_impersonation_url"] = impersonationURL(robot)
			p.application(file)
		}},
		"user acting as a service account": {setup: func(p *place) {
			p.application(authorizedUser)
			p.o.Impersonate = robot
		}},
		"user":   {setup: func(p *place) { p.application(authorizedUser) }, fails: "impersonate"},
		"broken": {setup: func(p *place) { p.application([]byte("{")) }, fails: "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			p := machine(t)
			p.sim.ECR("123456789012", "us-east-1")
			p.aws.AddRole(role)
			c.setup(p)
			token, err := IDTokens(p.o)(t.Context(), audience)
			if c.fails != "" {
				if !errors.Is(err, ErrNoIDToken) || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			form := "https://sts.amazonaws.com/?Action=AssumeRoleWithWebIdentity&RoleSessionName=transship&RoleArn=" + audience + "&WebIdentityToken=" + token
			res, err := p.sim.HTTPClient().Get(form)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("AWS does not take the token: %s", res.Status)
			}
		})
	}
}

// TestMetadataServer runs this test's binary once more: the library looks for a metadata server once in a process.
func TestMetadataServer(t *testing.T) {
	if os.Getenv("TRANSSHIP_TEST_METADATA") == "" {
		p := machine(t)
		s := httptest.NewServer(iamsim.Metadata{Google: p.google, Email: robot})
		defer s.Close()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMetadataServer$") //nolint:gosec // it is this program
		cmd.Env = append(os.Environ(), "TRANSSHIP_TEST_METADATA=1", "GCE_METADATA_HOST="+strings.TrimPrefix(s.URL, "http://"), EnvApplicationCredentials+"=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	keys, err := FindCredentials(t.Context(), CredentialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := keys.Host(t.Context(), dataHost)
	if err != nil {
		t.Fatal(err)
	}
	if value, err := s.token(t.Context()); err != nil || !strings.HasPrefix(value.secret.Reveal(), "ya29.") {
		t.Errorf("got %v, %v", value, err)
	}
	if token, err := IDTokens(CredentialOptions{})(t.Context(), "aud"); err != nil || strings.Count(token, ".") != 2 {
		t.Errorf("ID token %q: %v", token, err)
	}
}
