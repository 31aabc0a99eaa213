package ecr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"golang.org/x/sync/singleflight"

	"transship/internal/registry"
	"transship/internal/registry/secret"
)

const (
	// leastUse is how long a token is used at least, whatever its expiry says: a stand-in whose tokens have always
	// expired (FACTS E1), or a clock that is wrong, must not make every request ask for a new one.
	leastUse = time.Minute
	// fetchTimeout bounds the request for a token, retries included. It is not bound to the request that needs the token
	// first: others wait for the same one.
	fetchTimeout = 4 * time.Minute
)

// Authorizer sets the Authorization header that ECR's data plane wants, before it is asked for: Basic, with the token of
// GetAuthorizationToken as its parameter (FACTS A4). It asks for a new token at half of the validity of the present one,
// and when that was refused. It is safe for concurrent use; whoever needs a token at the same time waits for the same
// request.
type Authorizer struct {
	fetch  func(context.Context) (token, error)
	log    *slog.Logger
	flight singleflight.Group

	mu      sync.Mutex
	current token // the zero value where there is none
}

// Format keeps the token out of texts, and fmt away from what other goroutines write.
func (a *Authorizer) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte("ECR authorizer " + secret.Redacted))
}

// token is a credential with its times, by this machine's clock.
type token struct {
	secret   secret.Text // the header's whole value
	obtained time.Time
	expires  time.Time
	renewed  bool      // it took the place of one that was refused
	renewAt  time.Time // when to ask for the next one
}

func (t token) none() bool { return t.secret.IsZero() }

// renewTime is at half of the validity, as Amazon's own credential helper does it.
func renewTime(obtained, expires time.Time) time.Time {
	validity := expires.Sub(obtained)
	if validity <= 0 {
		return obtained.Add(leastUse)
	}
	return obtained.Add(validity / 2)
}

// Authorize sets req's Authorization header. The error is a *registry.Error: GetAuthorizationToken's, or of class
// Canceled.
func (a *Authorizer) Authorize(ctx context.Context, req *http.Request) error {
	t, err := a.token(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", t.secret.Reveal())
	return nil
}

// Refused says that res, with the beginning of its body, was the answer to a request that Authorize had prepared. It
// reports whether the credential was refused and another attempt with a new one makes sense: on 401, and on 403 where
// ECR says that the token has expired. Only the token that was refused is thrown away; where a new one has been obtained
// meanwhile, that stays. A token that took the place of a refused one and is refused at once is the last.
func (a *Authorizer) Refused(_ context.Context, res *http.Response, body []byte) bool {
	expired := res.StatusCode == http.StatusForbidden && bytes.Contains(bytes.ToLower(body), []byte("authorization token has expired"))
	if res.StatusCode != http.StatusUnauthorized && !expired {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if res.Request != nil && res.Request.Header.Get("Authorization") != a.current.secret.Reveal() {
		return res.Request.Header.Get("Authorization") != "" // somebody has seen to it, unless it was not our credential at all
	}
	if a.current.renewed && time.Since(a.current.obtained) < leastUse {
		return false
	}
	a.log.Info("ECR refused its authorization token; asking for a new one", "status", res.StatusCode)
	a.current = token{renewed: true}
	return true
}

// token returns the present token, or a new one where it is time.
func (a *Authorizer) token(ctx context.Context) (token, error) {
	a.mu.Lock()
	t := a.current
	a.mu.Unlock()
	if !t.none() && time.Now().Before(t.renewAt) {
		return t, nil
	}
	if err := ctx.Err(); err != nil {
		return token{}, canceled(err)
	}
	done := a.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		t, err := a.renew(ctx)
		if err != nil && ctx.Err() != nil { // nobody stopped it: whoever is patient asks again
			err = &registry.Error{Side: registry.Source, Op: "get an authorization token", Class: registry.Unavailable,
				Err: fmt.Errorf("there was none within %s: %w", fetchTimeout, err)}
		}
		return t, err
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
	return &registry.Error{Side: registry.Source, Op: "wait for an authorization token", Class: registry.Canceled, Err: err}
}

// renew asks for a token. Where that fails while the present one is still good, that is used for a while longer.
func (a *Authorizer) renew(ctx context.Context) (token, error) {
	a.mu.Lock()
	old := a.current
	a.mu.Unlock()
	if !old.none() && time.Now().Before(old.renewAt) {
		return old, nil // another flight has just landed
	}
	t, err := a.fetch(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	// It may have been refused meanwhile; then it is not in its place any more.
	stillThere := !old.none() && !a.current.none()
	switch {
	case err != nil && stillThere && time.Now().Before(old.expires):
		a.log.Warn("ECR gave no new authorization token; using the old one", "expires", old.expires, "error", err)
		a.current.renewAt = time.Now().Add(min(leastUse, time.Until(old.expires)))
		return a.current, nil
	case err != nil:
		return token{}, err
	}
	t.renewed = a.current.none() && a.current.renewed
	a.current = t
	return t, nil
}

// token asks ECR for an authorization token. It is good for every registry that the caller may reach, so the account is
// not sent: that parameter is deprecated. FACTS A1.
func (r *Registry) token(ctx context.Context) (token, error) {
	c := call{op: "get an authorization token for", object: r.name.Host(), operation: "GetAuthorizationToken"}
	obtained := time.Now()
	out, err := r.api.GetAuthorizationToken(ctx, &api.GetAuthorizationTokenInput{})
	if err == nil && (len(out.AuthorizationData) == 0 || aws.ToString(out.AuthorizationData[0].AuthorizationToken) == "") {
		err = errors.New("ECR's answer holds no token")
	}
	if err != nil {
		return token{}, r.fail(ctx, c, err)
	}
	data := out.AuthorizationData[0]
	expires := aws.ToTime(data.ExpiresAt)
	return token{
		secret:   secret.New(fmt.Sprintf("Basic %s", aws.ToString(data.AuthorizationToken))),
		obtained: obtained, expires: expires, renewAt: renewTime(obtained, expires),
	}, nil
}
