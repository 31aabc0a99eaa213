package gar

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/registry"
)

// exchanging is a data plane that wants registry tokens, and an access token that it exchanges, in a bubble.
func exchanging(t *testing.T, life time.Duration) (*cloudsim.Sim, *arsim.Cloud, *provider, *HostAuthorizer) {
	t.Helper()
	sim := cloudsim.New(cloudsim.Options{AR: arsim.Options{ExchangeOnly: true}})
	if err := sim.StartMemory(); err != nil {
		t.Fatal(err)
	}
	ar := sim.AR()
	p := &provider{validity: life, make: func() string { return ar.IssueToken(life) }}
	return sim, ar, p, NewKeyring(source(t, p)).Authorizer(dataHost, sim.Transport())
}

// get asks for a manifest of a repository as registry/oci does: it tries again as often as the authorizer wants, within
// reason. It returns the last status and the number of attempts.
func get(t *testing.T, sim *cloudsim.Sim, a *HostAuthorizer, method, path string) (status, tries int, err error) {
	t.Helper()
	client := sim.HTTPClient()
	defer client.CloseIdleConnections()
	for tries = 1; ; tries++ {
		req, err := http.NewRequestWithContext(t.Context(), method, "https://"+dataHost+"/v2/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Authorize(t.Context(), req); err != nil {
			return 0, tries, err
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if tries == 4 || !a.Refused(t.Context(), res, nil) {
			return res.StatusCode, tries, nil
		}
	}
}

func TestExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, ar, p, a := exchanging(t, time.Hour)
		defer sim.Close()
		want := func(exchanges, wantTries int, method, path string) {
			t.Helper()
			status, tries, err := get(t, sim, a, method, path)
			if status != http.StatusNotFound || tries != wantTries || sim.Counts().Of("ar.v2.token") != exchanges {
				t.Errorf("%s: %d after %d tries, %d exchanges: %v", path, status, tries, sim.Counts().Of("ar.v2.token"), err)
			}
		}
		want(1, 2, "GET", "p/r/app/manifests/v1")
		want(1, 1, "GET", "p/r/app/manifests/v2")      // the same scope
		want(2, 1, "GET", "p/r/other/blobs/sha256:00") // another repository
		want(3, 1, "POST", "p/r/app/blobs/uploads/")   // for writing
		time.Sleep(51 * time.Minute)
		want(4, 1, "GET", "p/r/app/manifests/v1") // renewed before its end, and the access token as well
		if p.n != 2 {
			t.Errorf("%d access tokens, want 2", p.n)
		}
		// Somebody revokes everything.
		s, err := a.keys.Host(t.Context(), dataHost)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		ar.Revoke(s.current.secret.Reveal())
		a.mu.Lock()
		for _, one := range a.scopes {
			ar.Revoke(one.secret.Reveal())
		}
		a.mu.Unlock()
		before := sim.Counts().Of("ar.v2.token")
		if status, tries, err := get(t, sim, a, "GET", "p/r/app/manifests/v1"); status != http.StatusNotFound || tries != 2 {
			t.Errorf("after all was revoked: %d after %d tries: %v", status, tries, err)
		}
		if n := sim.Counts().Of("ar.v2.token") - before; n != 2 || p.n != 3 {
			t.Errorf("%d exchanges, %d access tokens", n, p.n)
		}
	})
}

// TestExchangeOfWhatIsNoGood ends clearly, whatever is asked.
func TestExchangeOfWhatIsNoGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, _, p, a := exchanging(t, time.Hour)
		defer sim.Close()
		p.make = func() string { return "ya29.unknown" }
		for range 3 {
			status, tries, err := get(t, sim, a, "GET", "p/r/app/manifests/v1")
			if status != 0 || tries > 2 || !registry.IsClass(err, registry.Unauthorized) || registry.HintOf(err) != hintCredentials || strings.Contains(err.Error(), "unknown") {
				t.Fatalf("%d after %d tries: %v", status, tries, err)
			}
		}
		if n := sim.Counts().Of("ar.v2.token"); n > 6 {
			t.Errorf("%d exchanges", n)
		}
	})
}

// TestNoExchangeElsewhere: the credential goes to no token service on another host, on plain HTTP or behind a redirect.
func TestNoExchangeElsewhere(t *testing.T) {
	for _, header := range []string{
		`Bearer realm="https://evil.example/token",service="us-docker.pkg.dev"`,
		`Bearer realm="https://us-docker.pkg.dev.evil.example/token"`,
		`Bearer realm="https://us-docker.pkg.dev@evil.example/token"`,
		`Bearer realm="https://us-docker.pkg.dev:444/token"`,
		`Bearer realm="http://us-docker.pkg.dev/token"`,
		`Bearer realm="//us-docker.pkg.dev/token"`,
		`Bearer realm="https://us-docker.pkg.dev/token`,
		`Bearer`, `Basic realm="https://us-docker.pkg.dev/token"`, ``,
	} {
		asked := 0
		a := NewKeyring(StaticToken(accessToken)).Authorizer(dataHost, roundTrip(func(*http.Request) (*http.Response, error) {
			asked++
			return nil, fmt.Errorf("no")
		}))
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+dataHost+"/v2/p/r/app/manifests/v1", nil)
		if err := a.Authorize(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		res := &http.Response{StatusCode: 401, Request: req, Header: http.Header{"Www-Authenticate": {header}}}
		if a.Refused(t.Context(), res, nil) || a.realm != nil || asked != 0 {
			t.Errorf("%s was followed", header)
		}
	}
	moved := 0
	a := NewKeyring(StaticToken(accessToken)).Authorizer(dataHost, roundTrip(func(r *http.Request) (*http.Response, error) {
		if moved++; r.URL.Host != dataHost {
			t.Errorf("the credential went to %s", r.URL.Host)
		}
		return &http.Response{StatusCode: 307, Header: http.Header{"Location": {"https://evil.example/"}}, Body: http.NoBody, Request: r}, nil
	}))
	if err := refuse(t, a); err == nil || moved != 1 {
		t.Errorf("%d requests: %v", moved, err)
	}
}

// refuse makes a host ask for an exchange and returns how the next request fares.
func refuse(t *testing.T, a *HostAuthorizer) error {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+dataHost+"/v2/p/r/app/manifests/v1", nil)
	if err := a.Authorize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	res := &http.Response{StatusCode: 401, Request: req, Header: http.Header{"Www-Authenticate": {`bearer service=x , realm="https://US-docker.pkg.dev:443/v2/token?a=b"`}}}
	if !a.Refused(t.Context(), res, nil) {
		t.Fatal("the challenge was not taken")
	}
	return a.Authorize(t.Context(), req)
}

func TestExchangeRequest(t *testing.T) {
	var asked *http.Request
	a := NewKeyring(StaticToken(accessToken)).Authorizer(dataHost, roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = r
		return always(200, `{"access_token":"t","expires_in":300}`).RoundTrip(r)
	}))
	if err := refuse(t, a); err != nil {
		t.Fatal(err)
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("oauth2accesstoken:"+accessToken))
	if asked.Header.Get("Authorization") != want || asked.URL.Query().Encode() != "a=b&scope=repository%3Ap%2Fr%2Fapp%3Apull&service=x" {
		t.Errorf("%s with %q", asked.URL, asked.Header.Get("Authorization"))
	}
	for _, c := range []struct {
		status int
		body   string
		class  registry.Class
	}{
		{401, "no", registry.Unauthorized}, {403, "no", registry.Denied}, {429, "", registry.Throttled}, {503, "", registry.Unavailable},
		{200, "<html>", registry.Invalid}, {200, "{}", registry.Invalid}, {404, "", registry.Invalid},
	} {
		a := NewKeyring(StaticToken(accessToken)).Authorizer(dataHost, always(c.status, c.body))
		if err := refuse(t, a); !registry.IsClass(err, c.class) {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
}

// TestCredentialThatWasGood is renewed rather than exchanged: real hosts send a challenge with every 401.
func TestCredentialThatWasGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := cloudsim.New(cloudsim.Options{})
		if err := sim.StartMemory(); err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		ar := sim.AR()
		p := &provider{validity: 2 * time.Hour, make: func() string { return ar.IssueToken(time.Hour) }} // it ends sooner than it says
		a := NewKeyring(source(t, p)).Authorizer(dataHost, sim.Transport())
		for range 2 {
			if status, _, err := get(t, sim, a, "GET", "p/r/app/manifests/v1"); status != http.StatusNotFound {
				t.Fatalf("%d: %v", status, err)
			}
			time.Sleep(61 * time.Minute)
		}
		if n := sim.Counts().Of("ar.v2.token"); n != 0 || p.n != 2 {
			t.Errorf("%d exchanges, %d access tokens", n, p.n)
		}
	})
}

func TestScopes(t *testing.T) {
	for _, c := range []struct{ method, path, want string }{
		{"GET", "p/r/a/manifests/v1", "repository:p/r/a:pull"},
		{"HEAD", "p/r/a/blobs/sha256:00", "repository:p/r/a:pull"},
		{"PUT", "p/r/a/manifests/v1", "repository:p/r/a:pull,push"},
		{"POST", "p/r/a/blobs/uploads/?mount=sha256:00&from=p/r/b", "repository:p/r/a:pull,push repository:p/r/b:pull"},
		{"PUT", "p/r/manifests/blobs/blobs/uploads/x", "repository:p/r/manifests/blobs:pull,push"},
		{"GET", "", ""},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), c.method, "https://"+dataHost+"/v2/"+c.path, nil)
		if got := scopeOf(req); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
