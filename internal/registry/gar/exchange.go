package gar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"transship/internal/registry"
	"transship/internal/registry/secret"
)

const (
	// exchangeTimeout bounds one exchange.
	exchangeTimeout = time.Minute
	// maxExchange bounds its answer, in bytes.
	maxExchange = 1 << 20
	// defaultExchangeLife is how long a registry token is good that does not say. It is the registry protocol's.
	defaultExchangeLife = time.Minute
	// maxScopes bounds how many registry tokens are kept.
	maxScopes = 10_000
)

// HostAuthorizer authorizes the requests to the data plane of one host: with the credential itself, and where the host
// wants that, with a registry token a repository, for which it exchanges the credential. It is safe for concurrent use.
type HostAuthorizer struct {
	host   string
	keys   *Keyring
	client *http.Client
	flight singleflight.Group

	mu     sync.Mutex
	realm  *challenge           // not nil once the host has asked for an exchange
	first  map[string]time.Time // when a credential was first sent here, by its header
	scopes map[string]token
}

// challenge is where a host wants the credential exchanged.
type challenge struct {
	realm   *url.URL
	service string
}

// Authorizer returns what authorizes the requests to host. The transport carries its exchanges, if it comes to any; nil
// means a copy of net/http's default one.
func (k *Keyring) Authorizer(host string, transport http.RoundTripper) *HostAuthorizer {
	if transport == nil {
		transport = NewTransport()
	}
	return &HostAuthorizer{
		host: strings.ToLower(host), keys: k, first: map[string]time.Time{}, scopes: map[string]token{},
		client: &http.Client{Transport: transport, Timeout: exchangeTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Format keeps the tokens out of texts.
func (a *HostAuthorizer) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte("authorizer of " + a.host + " " + secret.Redacted))
}

// Authorize sets req's Authorization header. The error is a *registry.Error.
func (a *HostAuthorizer) Authorize(ctx context.Context, req *http.Request) error {
	s, err := a.keys.Host(ctx, a.host)
	if err != nil {
		return err
	}
	a.mu.Lock()
	realm := a.realm
	a.mu.Unlock()
	if realm == nil {
		if err := s.Authorize(ctx, req); err != nil {
			return err
		}
		a.sent(req.Header.Get("Authorization"))
		return nil
	}
	t, err := a.exchanged(ctx, s, *realm, scopeOf(req))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", t.header())
	return nil
}

// sent remembers since when a credential has been sent here.
func (a *HostAuthorizer) sent(header string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.first[header]; !ok {
		clear(a.first) // the others have been renewed
		a.first[header] = time.Now()
	}
}

// Refused says that res was the answer to a request that Authorize had prepared, and reports whether another attempt
// makes sense. A credential that has been good for the host until now is renewed. One that the host refuses from the
// beginning, with a challenge that names a token service on the host itself, is exchanged there from now on; a service
// on another host does not get it. A registry token that is refused is thrown away, and when a new one is refused at
// once, so is the credential behind it.
func (a *HostAuthorizer) Refused(ctx context.Context, res *http.Response, body []byte) bool {
	if res.StatusCode != http.StatusUnauthorized {
		return false
	}
	s, err := a.keys.Host(ctx, a.host)
	if err != nil || res.Request == nil {
		return false
	}
	header := res.Request.Header.Get("Authorization")
	a.mu.Lock()
	if a.realm != nil {
		defer a.mu.Unlock()
		return a.drop(header, scopeOf(res.Request))
	}
	asked, ok := a.challengeIn(res)
	if since, known := a.first[header]; ok && known && time.Since(since) < leastUse {
		a.realm = &asked
		a.mu.Unlock()
		return true
	}
	a.mu.Unlock()
	return s.Refused(ctx, res, body)
}

// drop throws the registry token of the scope away and reports whether another may be asked for.
func (a *HostAuthorizer) drop(header, scope string) bool {
	t, ok := a.scopes[scope]
	if !ok || t.header() != header {
		return header != "" // somebody has seen to it
	}
	delete(a.scopes, scope)
	return time.Since(t.obtained) >= leastUse
}

// challengeIn reads the challenge of an answer. It is none where it would lead the credential away.
func (a *HostAuthorizer) challengeIn(res *http.Response) (challenge, bool) {
	for _, value := range res.Header.Values("WWW-Authenticate") {
		parameters, ok := bearerParameters(value)
		if !ok {
			continue
		}
		realm, err := url.Parse(parameters["realm"])
		if err != nil || realm.Scheme != "https" || realm.User != nil || hostPort(realm.Host) != hostPort(a.host) {
			continue
		}
		realm.Host = a.host
		return challenge{realm, parameters["service"]}, true
	}
	return challenge{}, false
}

// hostPort returns host in lower case without the port of https.
func hostPort(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":443") }

// bearerParameters reads a challenge such as Bearer realm="https://us-docker.pkg.dev/v2/token",service="…".
func bearerParameters(value string) (map[string]string, bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, false
	}
	out := map[string]string{}
	for rest = strings.TrimLeft(rest, " ,"); rest != ""; rest = strings.TrimLeft(rest, " ,") {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if quoted, ok := strings.CutPrefix(after, `"`); ok {
			out[name], rest, ok = strings.Cut(quoted, `"`)
			if !ok {
				return nil, false
			}
			continue
		}
		end := strings.IndexAny(after, " ,")
		if end < 0 {
			end = len(after)
		}
		out[name], rest = after[:end], after[end:]
	}
	return out, true
}

// scopeOf returns what a request needs of a registry token: reading or writing the repository in its path, and reading
// the one that a mount is from.
func scopeOf(req *http.Request) string {
	name := strings.TrimPrefix(req.URL.Path, "/v2/")
	end := -1
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		end = max(end, strings.LastIndex(name, part))
	}
	if i := strings.LastIndex(name, "/blobs/uploads/"); i >= 0 {
		end = i
	}
	if end <= 0 {
		return ""
	}
	actions := "pull,push"
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		actions = "pull"
	}
	scope := "repository:" + name[:end] + ":" + actions
	if from := req.URL.Query().Get("from"); from != "" && actions != "pull" {
		scope += " repository:" + from + ":pull"
	}
	return scope
}

// exchanged returns the registry token for a scope, a new one where it is time. All who need it wait for one exchange.
func (a *HostAuthorizer) exchanged(ctx context.Context, s *TokenSource, to challenge, scope string) (token, error) {
	a.mu.Lock()
	t, ok := a.scopes[scope]
	a.mu.Unlock()
	if ok && !t.due() {
		return t, nil
	}
	done := a.flight.DoChan(scope, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		t, err := a.exchange(ctx, s, to, scope)
		if err != nil {
			return token{}, err
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.scopes) >= maxScopes {
			clear(a.scopes)
		}
		a.scopes[scope] = t
		return t, nil
	})
	select {
	case <-ctx.Done():
		return token{}, canceled(ctx.Err())
	case res := <-done:
		t, _ := res.Val.(token)
		return t, res.Err
	}
}

// exchange asks the host's token service, and once more with a renewed credential where the present one is refused.
func (a *HostAuthorizer) exchange(ctx context.Context, s *TokenSource, to challenge, scope string) (token, error) {
	for try := 0; ; try++ {
		credential, err := s.token(ctx)
		if err != nil {
			return token{}, err
		}
		t, status, err := a.ask(ctx, credential, to, scope)
		switch {
		case err == nil:
			return t, nil
		case status == http.StatusUnauthorized && try == 0:
			// The source decides about its own token: it reads it off a request that carries it as it does.
			own := &http.Request{Header: http.Header{"Authorization": {credential.header()}}}
			if s.Refused(ctx, &http.Response{StatusCode: status, Request: own}, nil) {
				continue
			}
		}
		e := &registry.Error{Side: registry.Target, Op: "exchange the credential at", Object: to.realm.Host + to.realm.Path, Status: status, Err: err}
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			e.Class = registry.Canceled
		case status == http.StatusUnauthorized:
			e.Class, e.Hint = registry.Unauthorized, s.Hint()
		case status == http.StatusForbidden:
			e.Class = registry.Denied
		case status == http.StatusTooManyRequests:
			e.Class = registry.Throttled
		case status >= 500, status == 0 && !hopeless(err):
			e.Class = registry.Unavailable
		default:
			e.Class = registry.Invalid
		}
		return token{}, e
	}
}

// ask sends one request to the token service. The status is 0 where there was no answer.
func (a *HostAuthorizer) ask(ctx context.Context, credential token, to challenge, scope string) (token, int, error) {
	u := *to.realm
	q := u.Query()
	if to.service != "" {
		q.Set("service", to.service)
	}
	for one := range strings.FieldsSeq(scope) {
		q.Add("scope", one)
	}
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return token{}, 0, err
	}
	if credential.basic {
		req.Header.Set("Authorization", credential.header())
	} else {
		req.SetBasicAuth("oauth2accesstoken", credential.secret.Reveal())
	}
	obtained := time.Now()
	res, err := a.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the query
		}
		return token{}, 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxExchange))
	if err != nil {
		return token{}, 0, err
	}
	if res.StatusCode != http.StatusOK {
		return token{}, res.StatusCode, fmt.Errorf("HTTP %d: %s", res.StatusCode, secret.Clean(secret.Hide(string(body), req.Header.Get("Authorization"))))
	}
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return token{}, res.StatusCode, errors.New("the answer is not JSON")
	}
	if answer.Token == "" {
		answer.Token = answer.AccessToken
	}
	if answer.Token == "" {
		return token{}, res.StatusCode, errors.New("the answer holds no token")
	}
	life := defaultExchangeLife
	if answer.ExpiresIn > 0 && answer.ExpiresIn < 1<<20 {
		life = time.Duration(answer.ExpiresIn) * time.Second
	}
	return newToken(answer.Token, obtained, obtained.Add(life)), res.StatusCode, nil
}
