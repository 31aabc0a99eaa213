package gar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"golang.org/x/sync/singleflight"

	"transship/internal/registry"
	"transship/internal/registry/governor"
	"transship/internal/registry/secret"
)

// EnvToken is the variable that may hold an access token, such as "gcloud auth print-access-token" prints.
const EnvToken = "GOOGLE_OAUTH_ACCESS_TOKEN"

const (
	scope           = "https://www.googleapis.com/auth/cloud-platform"
	hintCredentials = `run "gcloud auth application-default login", or set ` + EnvToken
	hintStatic      = `the token of ` + EnvToken + ` is wrong or has expired (it lives 60 minutes): get another one with "gcloud auth print-access-token", or unset it and run "gcloud auth application-default login", which renews itself`

	// renewEarly is how long before its end a token is renewed, so that a long upload begins with a good one.
	renewEarly = 10 * time.Minute
	// leastUse is how long a token is used at least: a metadata server hands out the same one until shortly before its end.
	leastUse = time.Minute
	// fetchTimeout bounds the requests for a token, retries included. It is not bound to the request that needs the token
	// first: others wait for the same one.
	fetchTimeout = 4 * time.Minute
)

// CredentialOptions say where Credentials looks.
type CredentialOptions struct {
	// Getenv is asked for EnvToken, and for DOCKER_CONFIG and HOME. Nil means that there are no such variables.
	Getenv func(string) string
	// HTTPClient carries the requests for tokens. Nil means the auth library's own, which honours the proxy variables.
	HTTPClient *http.Client
	// Logger is told about renewed tokens. Nil means silence.
	Logger *slog.Logger
	// Impersonate is the e-mail address of a service account to act as. Empty means none.
	Impersonate string
	// AWS gives the present AWS credentials, whatever they come from, where the Application Default Credentials are a
	// federation of AWS (external_account with the environment aws1). Nil leaves it to the auth library, which knows but
	// AWS_ACCESS_KEY_ID and EC2's instance metadata.
	AWS func(context.Context) (AWSSession, error)
	// Hosts are registry hosts for which FindCredentials wants a credential of docker's, where it comes to that.
	Hosts []string

	detect func(*credentials.DetectOptions) (*auth.Credentials, error) // DetectDefault, but for tests
}

// client returns HTTPClient, but for metadata services: what is not encrypted is asked of this machine's surroundings,
// which neither a proxy nor a stand-in for the cloud knows. Nil stays nil.
func (o CredentialOptions) client() *http.Client {
	if o.HTTPClient == nil {
		return nil
	}
	c := *o.HTTPClient
	c.Transport = router{cloud: c.Transport}
	return &c
}

// router is the transport of client.
type router struct{ cloud http.RoundTripper }

// RoundTrip sends one request.
func (r router) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.cloud == nil || req.URL.Scheme == "http" {
		return http.DefaultTransport.RoundTrip(req)
	}
	return r.cloud.RoundTrip(req)
}

// TokenSource holds an access token and renews it: some minutes before its end, and when it was refused. It is what
// authorizes both this API and the data plane. It is safe for concurrent use; whoever needs a token at the same time
// waits for the same request.
type TokenSource struct {
	fetch        func(context.Context) (token, error) // nil: the token cannot be renewed
	log          *slog.Logger
	hint         string
	origin       string // where the token comes from, for people
	dataOnly     bool   // it serves the registry, not the API
	quotaProject string // to whose account requests to the API go, empty for the default
	flight       singleflight.Group

	mu      sync.Mutex
	current token // the zero value where there is none
}

// token is a credential with its times, by this machine's clock.
type token struct {
	secret   secret.Text // the access token
	obtained time.Time
	expires  time.Time // the zero value where it does not say
	renewed  bool      // it took the place of one that was refused
	renewAt  time.Time // when to ask for the next one; the zero value means never
	basic    bool      // it is the parameter of Basic rather than of Bearer
}

func (t token) none() bool { return t.secret.IsZero() }
func (t token) due() bool  { return !t.renewAt.IsZero() && !time.Now().Before(t.renewAt) }

func newToken(value string, obtained, expires time.Time) token {
	t := token{secret: secret.New(value), obtained: obtained, expires: expires}
	if !expires.IsZero() {
		validity := expires.Sub(obtained)
		t.renewAt = expires.Add(-min(renewEarly, validity/2))
		if least := obtained.Add(leastUse); t.renewAt.Before(least) && (validity <= 0 || least.Before(expires)) {
			t.renewAt = least
		}
	}
	return t
}

// StaticToken returns a source that has only the given access token and cannot renew it.
func StaticToken(value string) *TokenSource {
	return &TokenSource{current: newToken(value, time.Now(), time.Time{}), hint: hintStatic, origin: EnvToken, log: slog.New(slog.DiscardHandler)}
}

// Credentials returns the access token of the environment variable EnvToken where there is one, else the Application
// Default Credentials, and with them the service account to act as. It asks for no token yet. The error is of class
// Unauthorized where there are none.
func Credentials(ctx context.Context, o CredentialOptions) (*TokenSource, error) {
	s, err := o.own(ctx)
	if err != nil || o.Impersonate == "" {
		return s, err
	}
	return actAs(s, o), nil
}

// own returns who the machine is by itself.
func (o CredentialOptions) own(ctx context.Context) (*TokenSource, error) {
	if o.Getenv != nil {
		if v := strings.TrimSpace(o.Getenv(EnvToken)); v != "" {
			return StaticToken(v), nil
		}
	}
	detect := o.detector()
	found, err := inTime(ctx, detect)
	if err != nil {
		return nil, credentialsError(ctx, findCredentials, err)
	}
	s := &TokenSource{hint: hintCredentials, origin: applicationOrigin(found), log: logger(o.Logger)}
	// The credentials are found anew for each token: what was found before keeps its token until the end, also where that
	// is refused, and somebody may have signed in again meanwhile.
	s.fetch = func(ctx context.Context) (token, error) {
		found, err := inTime(ctx, detect)
		if err != nil {
			return token{}, credentialsError(ctx, findCredentials, err)
		}
		return fetchToken(ctx, found, s.log)
	}
	// An error means that there is no such project, which only some credentials have.
	s.quotaProject, _ = inTime(ctx, func() (string, error) { return found.QuotaProjectID(ctx) })
	return s, nil
}

// findCredentials is what was being done when there were none.
const findCredentials = "find Google credentials"

// isAbsent reports whether err says that there are no Application Default Credentials, rather than that those are broken.
// The library has no type for it.
func isAbsent(err error) bool {
	return registry.IsClass(err, registry.Unauthorized) && strings.Contains(err.Error(), "could not find default credentials")
}

// applicationOrigin says of which form Application Default Credentials are.
func applicationOrigin(c *auth.Credentials) string {
	var file struct{ Type string }
	if err := json.Unmarshal(c.JSON(), &file); err != nil || file.Type == "" {
		return "Application Default Credentials"
	}
	return "Application Default Credentials (" + file.Type + ")"
}

// inTime waits for f no longer than ctx lives: looking for a metadata server takes no context.
func inTime[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// fetchToken asks for a token until ctx ends or an answer says that there will be none.
func fetchToken(ctx context.Context, c *auth.Credentials, log *slog.Logger) (token, error) {
	var got token
	err := newGovernor(governor.Options{}).Do(ctx, func(err error) governor.Advice {
		if !passing(err) {
			return governor.Stop
		}
		log.Warn("no access token; trying again", "error", oneLine(err))
		return governor.Again
	}, func(ctx context.Context) error {
		obtained := time.Now()
		t, err := c.Token(ctx)
		if err == nil && t.Value == "" {
			err = errors.New("the answer holds no token")
		}
		if err == nil {
			got = newToken(t.Value, obtained, t.Expiry)
		}
		return err
	})
	if err != nil {
		return token{}, credentialsError(ctx, "get an access token", err)
	}
	return got, nil
}

// passing reports whether the token's source may answer otherwise later.
func passing(err error) bool {
	if e, ok := errors.AsType[*auth.Error](err); ok && e.Response != nil {
		return e.Response.StatusCode >= 500 || e.Response.StatusCode == http.StatusTooManyRequests
	}
	if status, _, ok := impersonationStatus(err); ok {
		return status >= 500 || status == http.StatusTooManyRequests
	}
	return isConnectionError(err)
}

func credentialsError(ctx context.Context, op string, err error) error {
	e := &registry.Error{Side: registry.Target, Op: op, Class: registry.Unauthorized, Hint: hintCredentials, Err: &cause{oneLine(err), err}}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Class, e.Hint, e.Err = registry.Canceled, "", ctx.Err()
	case passing(err):
		e.Class, e.Hint = registry.Unavailable, ""
	}
	return e
}

// Origin says where the credential comes from, without showing it.
func (s *TokenSource) Origin() string { return s.origin }

// Hint says what to do when the credential is refused for good.
func (s *TokenSource) Hint() string { return s.hint }

// Authorize sets req's Authorization header. The error is a *registry.Error of class Unauthorized, Unavailable or
// Canceled.
func (s *TokenSource) Authorize(ctx context.Context, req *http.Request) error {
	t, err := s.token(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", t.header())
	return nil
}

func (t token) header() string {
	if t.basic {
		return "Basic " + t.secret.Reveal()
	}
	return "Bearer " + t.secret.Reveal()
}

// Refused says that res, with the beginning of its body, was the answer to a request that Authorize had prepared. It
// reports whether the token was refused (401) and another attempt with a new one makes sense. Only the token that was
// refused is thrown away; where a new one has been obtained meanwhile, that stays. A token that cannot be renewed, or
// that took the place of a refused one and is refused at once, is the last.
func (s *TokenSource) Refused(_ context.Context, res *http.Response, _ []byte) bool {
	if res.StatusCode != http.StatusUnauthorized || s.fetch == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if res.Request != nil {
		if h := res.Request.Header.Get("Authorization"); s.current.none() || h != s.current.header() {
			return h != "" // somebody has seen to it, unless it was not our token at all
		}
	}
	if s.current.renewed && time.Since(s.current.obtained) < leastUse {
		return false
	}
	s.log.Info("Google refused the access token; asking for a new one")
	s.current = token{renewed: true}
	return true
}

// token returns the present token, or a new one where it is time.
func (s *TokenSource) token(ctx context.Context) (token, error) {
	s.mu.Lock()
	t := s.current
	s.mu.Unlock()
	if !t.none() && !t.due() {
		return t, nil
	}
	if err := ctx.Err(); err != nil {
		return token{}, canceled(err)
	}
	done := s.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return s.renew(ctx)
	})
	select {
	case <-ctx.Done():
		return token{}, canceled(ctx.Err())
	case res := <-done:
		t, _ := res.Val.(token)
		return t, res.Err
	}
}

func canceled(err error) error {
	return &registry.Error{Side: registry.Target, Op: "wait for an access token", Class: registry.Canceled, Err: err}
}

// renew asks for a token. Where that fails while the present one is still good, that is used for a while longer.
func (s *TokenSource) renew(ctx context.Context) (token, error) {
	s.mu.Lock()
	old := s.current
	s.mu.Unlock()
	if !old.none() && !old.due() {
		return old, nil // another flight has just landed
	}
	t, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	// It may have been refused meanwhile; then it is not in its place any more.
	stillThere := !old.none() && !s.current.none()
	switch {
	case err != nil && stillThere && time.Now().Before(old.expires):
		s.log.Warn("no new access token; using the old one", "expires", old.expires, "error", err)
		s.current.renewAt = time.Now().Add(min(leastUse, time.Until(old.expires)))
		return s.current, nil
	case err != nil:
		return token{}, err
	}
	t.renewed = s.current.none() && s.current.renewed
	s.current = t
	return t, nil
}

// Format keeps the token out of texts, and fmt away from what other goroutines write.
func (s *TokenSource) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte("access token " + secret.Redacted))
}
