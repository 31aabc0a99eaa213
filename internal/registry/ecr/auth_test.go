package ecr

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/registry"
)

// password is what must never be seen.
const password = "QVdTOnNlY3JldA"

// issuer is a script that hands out QVdTOnNlY3JldA-1, -2, …, each good for validity.
func issuer(validity time.Duration) *script {
	return &script{answer: func(n int, _ request) (int, string, http.Header) {
		return 200, tokenAnswer(n, time.Now().Add(validity)), nil
	}}
}

func tokenAnswer(n int, expires time.Time) string {
	return fmt.Sprintf(`{"authorizationData":[{"authorizationToken":"%s-%d","expiresAt":%d,"proxyEndpoint":"https://x"}]}`, password, n, expires.Unix())
}

// authorize returns the number of the token that a request gets, 0 for none.
func authorize(t *testing.T, a *Authorizer) int {
	t.Helper()
	req := &http.Request{Header: http.Header{}}
	if err := a.Authorize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscanf(req.Header.Get("Authorization"), "Basic "+password+"-%d", &n); err != nil {
		t.Fatalf("the header is %q", req.Header.Get("Authorization"))
	}
	return n
}

// refusal is an answer to a request with token n.
func refusal(status, n int) *http.Response {
	return &http.Response{StatusCode: status, Request: &http.Request{Header: http.Header{"Authorization": {fmt.Sprintf("Basic %s-%d", password, n)}}}}
}

func TestTokenIsRenewedAtHalfOfItsValidity(t *testing.T) {
	for _, c := range []struct {
		name     string
		validity time.Duration
		kept     time.Duration // it is still the same after that
		renewed  time.Duration // it is another after that
	}{
		{"12 hours", 12 * time.Hour, 6*time.Hour - time.Minute, 6 * time.Hour},
		{"8 minutes", 8 * time.Minute, 4*time.Minute - time.Second, 4 * time.Minute},
		{"always expired, as with moto", -11 * 365 * 24 * time.Hour, 59 * time.Second, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := issuer(c.validity)
				a := scripted(s).Authorizer()
				start := time.Now()
				for range 3 {
					if n := authorize(t, a); n != 1 {
						t.Fatalf("token %d, want 1", n)
					}
				}
				time.Sleep(c.kept)
				if n := authorize(t, a); n != 1 {
					t.Errorf("token %d after %s, want 1", n, c.kept)
				}
				time.Sleep(time.Until(start.Add(c.renewed)))
				if n := authorize(t, a); n != 2 || s.requests() != 2 {
					t.Errorf("token %d by %d requests after %s, want 2", n, s.requests(), c.renewed)
				}
			})
		})
	}
}

func TestRefusedToken(t *testing.T) {
	expired := []byte(`{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}`)
	synctest.Test(t, func(t *testing.T) {
		s := issuer(12 * time.Hour)
		a := scripted(s).Authorizer()
		authorize(t, a)
		if a.Refused(t.Context(), refusal(403, 1), []byte("DENIED: not authorized to perform ecr:BatchGetImage")) {
			t.Error("a missing permission was taken for a refused token")
		}
		if a.Refused(t.Context(), refusal(200, 1), nil) || a.Refused(t.Context(), refusal(404, 1), expired) {
			t.Error("another status was taken for a refused token")
		}
		if a.Refused(t.Context(), &http.Response{StatusCode: 401, Request: &http.Request{Header: http.Header{}}}, nil) {
			t.Error("a request without a credential was taken for one of ours")
		}
		if n := authorize(t, a); n != 1 {
			t.Fatalf("token %d, want 1", n)
		}
		// Many requests under way learn of it at the same time: one new token is enough.
		for range 5 {
			if !a.Refused(t.Context(), refusal(403, 1), expired) {
				t.Error("a refused token is not tried anew")
			}
		}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if n := authorize(t, a); n != 2 {
					t.Errorf("token %d, want 2", n)
				}
			})
		}
		group.Wait()
		if !a.Refused(t.Context(), refusal(401, 1), nil) {
			t.Error("a late refusal of the old token does not lead to the new one")
		}
		if n := authorize(t, a); n != 2 || s.requests() != 2 {
			t.Errorf("token %d by %d requests, want 2 by 2", n, s.requests())
		}
		// The new one is refused as well: that is not about its age.
		if a.Refused(t.Context(), refusal(401, 2), nil) {
			t.Error("a fresh token that is refused is renewed again and again")
		}
		time.Sleep(leastUse)
		if !a.Refused(t.Context(), refusal(401, 2), nil) || authorize(t, a) != 3 {
			t.Error("a token that was good for a while is not renewed")
		}
	})
}

func TestRenewalThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := false
		s := &script{answer: func(n int, _ request) (int, string, http.Header) {
			if down {
				return 400, apiError("AccessDeniedException", "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:GetAuthorizationToken on resource: *"), nil
			}
			return 200, tokenAnswer(n, time.Now().Add(12*time.Hour)), nil
		}}
		a := scripted(s).Authorizer()
		authorize(t, a)
		down = true
		time.Sleep(7 * time.Hour)
		for range 3 {
			if n := authorize(t, a); n != 1 {
				t.Errorf("token %d, want the old one", n)
			}
		}
		if s.requests() != 2 {
			t.Errorf("%d requests, want 2: it asks again within the minute", s.requests())
		}
		time.Sleep(5 * time.Hour)
		err := a.Authorize(t.Context(), &http.Request{Header: http.Header{}})
		if !registry.IsClass(err, registry.Denied) || !strings.Contains(err.Error(), "allow ecr:GetAuthorizationToken") {
			t.Errorf("with an expired token: %v", err)
		}
		down = false
		if n := authorize(t, a); n == 1 {
			t.Error("the old token after all")
		}
	})
}

func TestTokenThatIsMissing(t *testing.T) {
	for _, body := range []string{`{}`, `{"authorizationData":[]}`, `{"authorizationData":[{"expiresAt":1}]}`} {
		err := scripted(always(200, body)).Authorizer().Authorize(t.Context(), &http.Request{Header: http.Header{}})
		if err == nil || !strings.Contains(err.Error(), "holds no token") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestTokenIsNeverShown(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	reg := New(awsConfig(issuer(12*time.Hour)), home, Options{Logger: logger})
	a := reg.Authorizer()
	authorize(t, a)
	secret := a.current.secret
	j, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("x", "authorizer", a, "token", a.current, "secret", secret)
	a.Refused(t.Context(), refusal(401, 1), nil)
	authorize(t, a)
	texts := []string{log.String(), string(j)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, a), fmt.Sprintf(verb, a.current), fmt.Sprintf(verb, secret), fmt.Sprintf(verb, &secret)) //nolint:govet // it is the dump that is tested
	}
	texts = append(texts, fmt.Sprintf("%v %+v %#v", reg, reg, reg))
	for _, text := range texts {
		if strings.Contains(text, password) || strings.Contains(text, fmt.Sprintf("%x", password)) {
			t.Errorf("the token is in %.300s", text)
		}
	}
}

// TestTokenAtTheDataPlane sees the real server accept it, also after all tokens have expired.
func TestTokenAtTheDataPlane(t *testing.T) {
	sim, cloud, reg := world(t, cloudsim.Options{})
	p := cloud.CreateRepository("app", ecrsim.RepositorySettings{})
	push(p, "x", "v1")
	a := reg.Authorizer()
	get := func() *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+home.Host()+"/v2/app/manifests/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Authorize(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(req.Header.Get("Authorization"), "Basic ")); err != nil || !strings.HasPrefix(string(b), "AWS:") {
			t.Errorf("the credential is not AWS:PASSWORD: %v", err)
		}
		res, err := sim.HTTPClient().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	for range 3 {
		if res := get(); res.StatusCode != 200 {
			t.Fatalf("got %s", res.Status)
		}
	}
	cloud.Region().ExpireTokens()
	res := get()
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body)
	if res.StatusCode != 403 || !a.Refused(t.Context(), res, body.Bytes()) {
		t.Fatalf("got %s with %s", res.Status, &body)
	}
	if res := get(); res.StatusCode != 200 {
		t.Errorf("with the new token: %s", res.Status)
	}
	if n := sim.Counts().Of("ecr.GetAuthorizationToken"); n != 2 {
		t.Errorf("%d requests for tokens, want 2", n)
	}
}
