package gar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"transship/internal/cloudsim/arsim"
	"transship/internal/registry"
)

// provider hands out ya29.secret-1, -2, …
type provider struct {
	validity time.Duration
	make     func() string // makes the tokens instead

	mu  sync.Mutex
	n   int
	err error // instead of the next one
}

func (p *provider) Token(context.Context) (*auth.Token, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	if p.err != nil {
		return nil, p.err
	}
	t := &auth.Token{Value: fmt.Sprintf("%s-%d", accessToken, p.n)}
	if p.make != nil {
		t.Value = p.make()
	}
	if p.validity != 0 {
		t.Expiry = time.Now().Add(p.validity)
	}
	return t, nil
}

// source returns the credentials of p as if they had been found.
func source(t *testing.T, p *provider) *TokenSource {
	t.Helper()
	s, err := Credentials(t.Context(), CredentialOptions{detect: func(o *credentials.DetectOptions) (*auth.Credentials, error) {
		if len(o.Scopes) != 1 || o.Scopes[0] != scope {
			t.Errorf("the scopes are %q", o.Scopes)
		}
		return auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: p}), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// authorize returns the number of the token that a request gets.
func authorize(t *testing.T, s *TokenSource) int {
	t.Helper()
	req := &http.Request{Header: http.Header{}}
	if err := s.Authorize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscanf(req.Header.Get("Authorization"), "Bearer "+accessToken+"-%d", &n); err != nil {
		t.Fatalf("the header is %q", req.Header.Get("Authorization"))
	}
	return n
}

func refusal(status, n int) *http.Response {
	return &http.Response{StatusCode: status, Request: &http.Request{Header: http.Header{"Authorization": {fmt.Sprintf("Bearer %s-%d", accessToken, n)}}}}
}

func TestTokenIsRenewedBeforeItsEnd(t *testing.T) {
	for _, c := range []struct {
		validity, renewed time.Duration
	}{
		{time.Hour, 50 * time.Minute},
		{10 * time.Minute, 5 * time.Minute},
		{90 * time.Second, time.Minute},
		{30 * time.Second, 15 * time.Second},
		{-time.Hour, time.Minute}, // this machine's clock is wrong
		{0, 0},                    // it does not say
	} {
		t.Run(c.validity.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &provider{validity: c.validity}
				s := source(t, p)
				authorize(t, s)
				if c.renewed == 0 {
					time.Sleep(1000 * time.Hour)
					if n := authorize(t, s); n != 1 {
						t.Errorf("token %d, want 1", n)
					}
					return
				}
				time.Sleep(c.renewed - time.Second)
				if n := authorize(t, s); n != 1 {
					t.Errorf("token %d, want 1", n)
				}
				time.Sleep(time.Second)
				if n := authorize(t, s); n != 2 {
					t.Errorf("token %d, want 2", n)
				}
			})
		})
	}
}

func TestRefusedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{validity: time.Hour}
		s := source(t, p)
		authorize(t, s)
		if s.Refused(t.Context(), refusal(403, 1), nil) || s.Refused(t.Context(), refusal(200, 1), nil) {
			t.Error("another status was taken for a refused token")
		}
		if s.Refused(t.Context(), &http.Response{StatusCode: 401, Request: &http.Request{Header: http.Header{}}}, nil) {
			t.Error("a request without a credential was taken for one of ours")
		}
		for range 5 {
			if !s.Refused(t.Context(), refusal(401, 1), nil) {
				t.Error("a refused token is not tried anew")
			}
		}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if n := authorize(t, s); n != 2 {
					t.Errorf("token %d, want 2", n)
				}
			})
		}
		group.Wait()
		if !s.Refused(t.Context(), refusal(401, 1), nil) || authorize(t, s) != 2 {
			t.Error("a late refusal of the old token does not lead to the new one")
		}
		if s.Refused(t.Context(), refusal(401, 2), nil) {
			t.Error("a fresh token that is refused is renewed again and again")
		}
		time.Sleep(leastUse)
		if !s.Refused(t.Context(), refusal(401, 2), nil) || authorize(t, s) != 3 {
			t.Error("a token that was good for a while is not renewed")
		}
		static := StaticToken(accessToken + "-1")
		if static.Refused(t.Context(), refusal(401, 1), nil) || authorize(t, static) != 1 {
			t.Error("a token that cannot be renewed was thrown away")
		}
	})
}

func TestRenewalThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{validity: time.Hour}
		s := source(t, p)
		authorize(t, s)
		p.err = errors.New("invalid_grant: reauth related error (invalid_rapt)")
		time.Sleep(55 * time.Minute)
		for range 3 {
			if n := authorize(t, s); n != 1 {
				t.Errorf("token %d, want the old one", n)
			}
		}
		if p.n != 2 {
			t.Errorf("%d requests, want 2: it asks again within the minute", p.n)
		}
		time.Sleep(5 * time.Minute)
		_, err := cloud(t, always(200, "{}"), s).Repository(t.Context(), apps)
		if !registry.IsClass(err, registry.Unauthorized) || registry.HintOf(err) != hintCredentials || !strings.Contains(err.Error(), "invalid_rapt") || !strings.Contains(err.Error(), apps.String()) {
			t.Errorf("with an expired token: %v", err)
		}
		// A source of tokens that is down is waited for.
		p.err = &auth.Error{Response: &http.Response{StatusCode: 503}, Err: errors.New("down")}
		go func() {
			time.Sleep(time.Minute)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.err = nil
		}()
		authorize(t, s)
		p.err = &url.Error{Op: "Post", URL: "https://oauth2.googleapis.com/token", Err: errors.New("connection reset by peer")}
		time.Sleep(2 * time.Hour)
		if err := s.Authorize(t.Context(), &http.Request{Header: http.Header{}}); !registry.IsClass(err, registry.Unavailable) {
			t.Errorf("with no connection: %v", err)
		}
	})
}

func TestWhoeverWaitsMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &TokenSource{log: logger(nil), fetch: func(ctx context.Context) (token, error) {
			time.Sleep(time.Minute)
			return newToken(accessToken+"-1", time.Now(), time.Now().Add(time.Hour)), ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := s.Authorize(ctx, &http.Request{Header: http.Header{}})
		if !registry.IsClass(err, registry.Canceled) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		// The request for the token goes on: it is for everybody.
		if n := authorize(t, s); n != 1 || time.Since(start) != time.Minute {
			t.Errorf("token %d after %s", n, time.Since(start))
		}
	})
}

func TestEnvironmentVariable(t *testing.T) {
	s, err := Credentials(t.Context(), CredentialOptions{
		Getenv: func(name string) string { return map[string]string{EnvToken: " " + accessToken + "-7\n"}[name] },
		detect: func(*credentials.DetectOptions) (*auth.Credentials, error) {
			t.Error("other credentials were looked for")
			return nil, errors.New("no")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := authorize(t, s); n != 7 || !strings.Contains(s.Hint(), "gcloud auth print-access-token") {
		t.Errorf("token %d, hint %q", n, s.Hint())
	}
}

func TestNoCredentials(t *testing.T) {
	dir := t.TempDir()
	for name, file := range map[string]string{"missing": "", "broken": "{", "of no known type": `{"type":"magic"}`} {
		path := filepath.Join(dir, name)
		if file != "" {
			if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
		_, err := Credentials(t.Context(), CredentialOptions{Getenv: func(string) string { return "" }})
		if !registry.IsClass(err, registry.Unauthorized) || registry.HintOf(err) != `run "gcloud auth application-default login", or set GOOGLE_OAUTH_ACCESS_TOKEN` {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	block := make(chan struct{})
	defer close(block)
	_, err := Credentials(ctx, CredentialOptions{detect: func(*credentials.DetectOptions) (*auth.Credentials, error) {
		<-block // as the search for a metadata server may
		return nil, errors.New("no")
	}})
	if !registry.IsClass(err, registry.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestApplicationDefaultCredentials goes the whole way: a file as gcloud writes it, Google's token endpoint, and a token
// that is revoked between two requests.
func TestApplicationDefaultCredentials(t *testing.T) {
	sim, ar, _ := world(t, arsim.Options{})
	file := filepath.Join(t.TempDir(), "adc.json")
	if err := os.WriteFile(file, []byte(`{"type":"authorized_user","client_id":"id","client_secret":"cs","refresh_token":"1//secret","quota_project_id":"billed"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	t.Setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "")
	s, err := Credentials(t.Context(), CredentialOptions{HTTPClient: sim.HTTPClient()})
	if err != nil {
		t.Fatal(err)
	}
	if n := sim.Counts().Total(); n != 0 {
		t.Errorf("%d requests before any was needed", n)
	}
	var projects []string
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		projects = append(projects, r.Header.Get("X-Goog-User-Project"))
		return sim.Transport().RoundTrip(r)
	})
	c := cloud(t, transport, s)
	for range 3 {
		if _, err := c.Repository(t.Context(), apps); err != nil {
			t.Fatal(err)
		}
	}
	if n := sim.Counts().Of("ar.oauth"); n != 1 {
		t.Errorf("%d requests for tokens, want 1", n)
	}
	ar.Revoke(s.current.secret.Reveal())
	if _, err := c.Repository(t.Context(), apps); err != nil {
		t.Errorf("after the token was revoked: %v", err)
	}
	if n := sim.Counts(); n.Of("ar.oauth") != 2 || n.Of("ar.api") != 5 {
		t.Errorf("requests:\n%s", n)
	}
	for _, p := range projects {
		if p != "billed" {
			t.Errorf("a request went to the account of %q", p)
		}
	}
}

func TestTokenIsNeverShown(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := source(t, &provider{validity: time.Hour})
	s.log = logger
	c, err := New(Options{Credentials: NewKeyring(s), Logger: logger, Transport: always(401, apiError(401, "UNAUTHENTICATED", "no", "", ""))})
	if err != nil {
		t.Fatal(err)
	}
	_, failure := c.Repository(t.Context(), apps)
	if !registry.IsClass(failure, registry.Unauthorized) {
		t.Fatal(failure)
	}
	j, err := json.Marshal(s.current.secret)
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("x", "source", s, "token", s.current, "secret", s.current.secret)
	texts := []string{log.String(), failure.Error(), string(j)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, s), fmt.Sprintf(verb, s.current), fmt.Sprintf(verb, &s.current), fmt.Sprintf(verb, failure)) //nolint:govet // it is the dump that is tested
	}
	texts = append(texts, fmt.Sprintf("%v %+v %#v", c, c, c))
	for _, text := range texts {
		if strings.Contains(text, accessToken) || strings.Contains(text, fmt.Sprintf("%x", accessToken)) {
			t.Errorf("the token is in %.300s", text)
		}
	}
}
