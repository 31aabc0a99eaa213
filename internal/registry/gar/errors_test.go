package gar

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/googleapi"

	"transship/internal/cloudsim/arsim"
	"transship/internal/registry"
)

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		class  registry.Class
		hint   string
	}{
		{"no repository", 404, apiError(404, "NOT_FOUND", "Requested entity was not found.", "", ""), registry.NoRepository, `run "transship provision"`},
		{"API disabled", 403, apiError(403, "PERMISSION_DENIED", "it is disabled", "SERVICE_DISABLED", `"consumer":"projects/1"`), registry.Denied,
			"gcloud services enable artifactregistry.googleapis.com --project my-project"},
		{"API disabled, without details", 403, apiError(403, "PERMISSION_DENIED", "Artifact Registry API has not been used in project 1 before or it is disabled.", "", ""), registry.Denied,
			"gcloud services enable artifactregistry.googleapis.com --project my-project"},
		{"permission", 403, apiError(403, "PERMISSION_DENIED", "Permission 'artifactregistry.repositories.get' denied on resource '//x' (or it may not exist).", "IAM_PERMISSION_DENIED",
			`"permission":"artifactregistry.repositories.get"`), registry.Denied, "grant artifactregistry.repositories.get, which roles/artifactregistry.reader holds, on the project my-project"},
		{"permission in words", 403, apiError(403, "PERMISSION_DENIED", `Permission "artifactregistry.repositories.list" denied`, "", ""), registry.Denied, "grant artifactregistry.repositories.list"},
		{"permission without a word", 403, `Forbidden`, registry.Denied, "grant artifactregistry.repositories.get"},
		{"scope", 403, apiError(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", ""), registry.Denied, scope},
		{"quota project", 403, apiError(403, "PERMISSION_DENIED", "no", "USER_PROJECT_DENIED", ""), registry.Denied, "set-quota-project"},
		{"billing", 403, apiError(403, "PERMISSION_DENIED", "no", "BILLING_DISABLED", ""), registry.Denied, "billing"},
		{"no project", 403, apiError(403, "PERMISSION_DENIED", "no", "CONSUMER_INVALID", ""), registry.Denied, "my-project exists"},
		{"quota with 403", 403, apiError(403, "RESOURCE_EXHAUSTED", "Quota exceeded", "RATE_LIMIT_EXCEEDED", ""), registry.Throttled, "quota"},
		{"token", 401, apiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "", ""), registry.Unauthorized, EnvToken},
		{"quota", 429, apiError(429, "RESOURCE_EXHAUSTED", "Quota exceeded", "RATE_LIMIT_EXCEEDED", ""), registry.Throttled, "quota"},
		{"unavailable", 503, `<html>\n<p>Service Unavailable</p></html>`, registry.Unavailable, ""},
		{"internal", 500, apiError(500, "INTERNAL", "Internal error encountered.", "", ""), registry.Unavailable, ""},
		{"invalid", 400, apiError(400, "INVALID_ARGUMENT", "no", "", ""), registry.Invalid, ""},
		{"redirect", 302, ``, registry.Unknown, "proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := always(c.status, c.body)
				_, err := cloud(t, s, StaticToken(accessToken)).Repository(t.Context(), apps)
				e, ok := errors.AsType[*registry.Error](err)
				if !ok || e.Class != c.class || e.Side != registry.Target || e.Status != c.status || !strings.Contains(e.Hint, c.hint) {
					t.Fatalf("got %v\n%#v\nwant class %s and a hint with %q", err, e, c.class, c.hint)
				}
				if text := err.Error(); !strings.HasPrefix(text, "target: read repository us-docker.pkg.dev/my-project/app-images: ") || strings.Contains(text, "\n") {
					t.Errorf("the text is %q", text)
				}
				if _, ok := errors.AsType[*googleapi.Error](err); !ok {
					t.Error("the library's error is not reachable")
				}
			})
		})
	}
}

// TestErrorsOfTheEmbeddedCloud has the errors in the words that the cloud itself uses.
func TestErrorsOfTheEmbeddedCloud(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  arsim.Options
		token string
		class registry.Class
		hint  string
	}{
		{"API disabled", arsim.Options{APIDisabled: func(string) bool { return true }}, accessToken, registry.Denied, "gcloud services enable"},
		{"permission", arsim.Options{Deny: func(_, p string) bool { return strings.HasSuffix(p, ".get") }}, accessToken, registry.Denied, "grant artifactregistry.repositories.get"},
		{"token", arsim.Options{}, "ya29.other", registry.Unauthorized, "gcloud auth print-access-token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim, _, _ := world(t, c.opts)
			_, err := cloud(t, sim.Transport(), StaticToken(c.token)).Repository(t.Context(), apps)
			if !registry.IsClass(err, c.class) || !strings.Contains(registry.HintOf(err), c.hint) || sim.Counts().Of("ar.api") != 1 {
				t.Errorf("after %d requests: %v", sim.Counts().Of("ar.api"), err)
			}
		})
	}
}

func TestConnectionErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		class   registry.Class
		hint    string
		patient bool
	}{
		{"reset", &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, registry.Unavailable, "", true},
		{"HTTP/2", errors.New("stream error: stream ID 3; INTERNAL_ERROR"), registry.Unavailable, "", true},
		{"cut", io.ErrUnexpectedEOF, registry.Unavailable, "", true},
		{"no such host", &net.DNSError{Err: "no such host", Name: "artifactregistry.googleapis.com", IsNotFound: true}, registry.Unavailable, "reach Google", false},
		{"certificate", x509.UnknownAuthorityError{}, registry.Unknown, "SSL_CERT_FILE", false},
		{"proxy", &net.OpError{Op: "proxyconnect", Err: errors.New("Forbidden")}, registry.Denied, "HTTPS_PROXY", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := inTurn(broken(c.err))
				_, err := cloud(t, s, StaticToken(accessToken)).Repository(t.Context(), apps)
				if !registry.IsClass(err, c.class) || !strings.Contains(registry.HintOf(err), c.hint) {
					t.Errorf("got %v of class %s, want %s with %q", err, registry.ClassOf(err), c.class, c.hint)
				}
				if took := time.Since(start); c.patient != (took >= retryHorizon) || c.patient != (s.requests() > 1) {
					t.Errorf("%d requests in %s", s.requests(), took)
				}
			})
		})
	}
}

func TestRetries(t *testing.T) {
	ok := answer(200, `{"format":"DOCKER"}`)
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, c := range []struct {
		name        string
		script      func() *script
		requests    int
		least, most time.Duration
	}{
		{"429 twice", func() *script { return inTurn(answer(429, ""), answer(429, ""), ok) }, 3, 100 * time.Millisecond, 5 * time.Second},
		{"429 with seconds", func() *script { return inTurn(answer(429, "", "Retry-After", "33"), ok) }, 2, 33 * time.Second, 35 * time.Second},
		{"503 with a date", func() *script { return inTurn(answer(503, "", "Retry-After", date(40*time.Second)), ok) }, 2, 39 * time.Second, 42 * time.Second},
		{"500", func() *script { return inTurn(answer(500, ""), ok) }, 2, 100 * time.Millisecond, time.Second},
		{"reset", func() *script { return inTurn(broken(io.EOF), ok) }, 2, 100 * time.Millisecond, time.Second},
		{"all at once", func() *script { return inTurn(answer(502, ""), broken(io.EOF), answer(504, ""), answer(429, ""), ok) }, 5, time.Second, 20 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, s := time.Now(), c.script()
				if _, err := cloud(t, s, StaticToken(accessToken)).Repository(t.Context(), apps); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); s.requests() != c.requests || took < c.least || took > c.most {
					t.Errorf("%d requests in %s, want %d in %s to %s", s.requests(), took, c.requests, c.least, c.most)
				}
			})
		})
	}
}

// TestCutAnswers has an answer that ends before its end, and one that never ends.
func TestCutAnswers(t *testing.T) {
	for name, body := range map[string]func(context.Context) io.Reader{
		"cut": func(context.Context) io.Reader {
			return io.MultiReader(strings.NewReader(`{"format":`), readFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
		},
		"stall": func(ctx context.Context) io.Reader {
			return io.MultiReader(strings.NewReader(`{"format":`), stalled(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				transport := roundTrip(func(r *http.Request) (*http.Response, error) {
					if tries++; tries == 1 {
						return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body(r.Context())), Request: r}, nil
					}
					return always(200, `{"format":"DOCKER"}`).RoundTrip(r)
				})
				got, err := cloud(t, transport, StaticToken(accessToken)).Repository(t.Context(), apps)
				if err != nil || got.Format != "DOCKER" || tries != 2 {
					t.Errorf("after %d tries: %+v, %v", tries, got, err)
				}
			})
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

func stalled(ctx context.Context) io.Reader {
	return readFunc(func([]byte) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
}

func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(5 * time.Second)
			cancel()
		}()
		start := time.Now()
		c := cloud(t, always(429, ""), StaticToken(accessToken))
		err := lastError(c.Images(ctx, apps))
		if !errors.Is(err, context.Canceled) || !registry.IsClass(err, registry.Canceled) || time.Since(start) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

// TestTokenStaysAtItsHost sees to it that nothing that looks like a redirect carries the token away.
func TestTokenStaysAtItsHost(t *testing.T) {
	s := inTurn(answer(302, "", "Location", "https://evil.example/"), answer(200, "{}"))
	c := cloud(t, s, StaticToken(accessToken))
	_, err := c.Repository(t.Context(), apps)
	if err == nil || s.requests() != 1 {
		t.Errorf("after %d requests: %v", s.requests(), err)
	}
	transport := &authTransport{next: s, keys: NewKeyring(StaticToken(accessToken)), host: "artifactregistry.googleapis.com"}
	for _, url := range []string{"https://evil.example/", "http://artifactregistry.googleapis.com/", "https://artifactregistry.googleapis.com:444/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := transport.RoundTrip(req); err == nil || s.requests() != 1 || fmt.Sprint(err) == "" { //nolint:bodyclose // there is none
			t.Errorf("%s: %v", url, err)
		}
	}
}
