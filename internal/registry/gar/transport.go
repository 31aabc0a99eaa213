package gar

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"transship/internal/registry"
	"transship/internal/registry/governor"
)

const (
	// attemptTimeout bounds one attempt of one request, its body included. The largest answer is a page of 1,000 images.
	attemptTimeout = 2 * time.Minute
	// retryHorizon is for how long a request is tried again where nobody says so, and one for a token: the quotas are by the
	// minute.
	retryHorizon = 5 * time.Minute
	// maxBody bounds an answer of the API in bytes, unpacked.
	maxBody = 64 << 20
	// maxValues bounds the values in it, since each becomes an object of some hundred bytes. 1,000 versions with 100 tags
	// each have half a million.
	maxValues = 1_000_000
)

// newGovernor returns what decides about retries of the requests to the API, and of those for tokens.
func newGovernor(o governor.Options) *governor.Governor {
	o.Horizon = cmp.Or(o.Horizon, retryHorizon)
	return governor.New(o)
}

// retryTransport is the one owner of retries of the requests to the API. It tries again after 429, 5xx, broken
// connections and cut answers, with growing pauses or those that Retry-After asks for, which all requests share.
// All that this package sends may be sent twice: what is read is only read, an update says what shall be, and a repository
// that the first attempt created after all is answered ALREADY_EXISTS, which Create takes for success.
type retryTransport struct {
	next     http.RoundTripper
	governor *governor.Governor
	log      *slog.Logger
	reached  atomic.Bool // the API answered at least once
}

// maxFirstDials is how often a host that never answered is dialled: it may not be reachable from here.
const maxFirstDials = 4

// RoundTrip returns the last attempt's response, with its body read, or its error.
func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	var last *http.Response
	dials := 0
	advise := func(err error) governor.Advice {
		if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") && !t.reached.Load() && dials >= maxFirstDials {
			return governor.Stop
		}
		return advise(err)
	}
	err := t.governor.Do(req.Context(), advise, func(ctx context.Context) error {
		res, err := t.attempt(ctx, req) //nolint:bodyclose // it is closed, and holds what was read
		last = res
		dials++
		if err == nil {
			t.reached.Store(true)
		}
		if err == nil && passingStatus(res.StatusCode) {
			err = &statusError{res.StatusCode}
		}
		if err != nil && ctx.Err() == nil && advise(err) != governor.Stop {
			t.log.Info("Artifact Registry request failed; trying again", "method", req.Method, "path", req.URL.Path, "error", oneLine(err))
		}
		return err
	})
	if last != nil {
		return last, nil
	}
	return nil, err
}

// statusError is a status that may pass.
type statusError struct{ status int }

func (e *statusError) Error() string { return fmt.Sprintf("HTTP %d", e.status) }

func advise(err error) governor.Advice {
	e, ok := errors.AsType[*statusError](err)
	switch {
	case ok && e.status == http.StatusTooManyRequests:
		return governor.AgainNow // after the pause that the governor has made of it
	case ok || !hopeless(err):
		return governor.Again
	}
	return governor.Stop
}

func passingStatus(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// attempt sends req once and reads the whole answer, so that one that is cut or stalls counts as failed.
func (t *retryTransport) attempt(ctx context.Context, req *http.Request) (*http.Response, error) {
	slot, err := t.governor.Acquire(ctx, req.Method != http.MethodGet)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	start := time.Now()
	res, err := t.send(req.WithContext(ctx))
	slot.Release(outcome(res, err))
	status := 0 // no answer
	if err == nil {
		status = res.StatusCode
	}
	t.log.DebugContext(ctx, "request", "method", req.Method, "host", req.URL.Host, "path", req.URL.Path, "status", status, "duration", time.Since(start))
	return res, err
}

func outcome(res *http.Response, err error) governor.Outcome {
	if err != nil {
		return governor.Outcome{Result: governor.Failed}
	}
	o := governor.Outcome{RetryAfter: governor.ParseRetryAfter(res.Header.Get("Retry-After"), time.Now())}
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		o.Result = governor.Throttled
	case res.StatusCode == http.StatusServiceUnavailable:
		o.Result = governor.Overloaded
	case passingStatus(res.StatusCode):
		o.Result = governor.Failed
	}
	return o
}

func (t *retryTransport) send(req *http.Request) (*http.Response, error) {
	again, err := withBody(req)
	if err != nil {
		return nil, err
	}
	res, err := t.next.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = unsendable(fmt.Errorf("the answer has more than %d bytes", maxBody))
	}
	if err == nil && registry.CountValues(body) > maxValues {
		err = unsendable(fmt.Errorf("the answer has more than %d values", maxValues))
	}
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// withBody returns a copy of req whose body begins at its beginning.
func withBody(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, nil
	}
	if req.GetBody == nil {
		return nil, unsendable(errors.New("its body cannot be sent twice"))
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, unsendable(err)
	}
	again.Body = body
	return again, nil
}

// unsendable marks an error as one that another attempt does not mend.
func unsendable(err error) error {
	return &registry.Error{Side: registry.Target, Op: "send request", Class: registry.Invalid, Err: err}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isConnectionError reports whether err is the HTTP client's, and may pass.
func isConnectionError(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok && !hopeless(err)
}

// hopeless reports whether a request that ended without an answer would end likewise if it were sent again. Most such
// errors pass, and net/http does not export the types of some (a stream that was reset, a connection that went away), so
// it is the others that are listed.
func hopeless(err error) bool {
	if _, ok := errors.AsType[*registry.Error](err); ok || isUntrusted(err) || isProxyRefusal(err) || errors.Is(err, context.Canceled) {
		return true
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return true
	}
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return plain
}

// isProxyRefusal reports whether a proxy answered, but would not connect: it wants a password, or forbids the host.
func isProxyRefusal(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "proxyconnect" {
		return false
	}
	_, network := errors.AsType[net.Error](op.Err)
	return !network
}

func isUntrusted(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return verification || authority || host
}

// authTransport adds the credential to the requests to one host, over TLS, and to no other: a redirect must not carry it
// away. A token that is refused is renewed, once a request.
type authTransport struct {
	next http.RoundTripper
	keys *Keyring
	host string // with its port, where the endpoint has one
}

// RoundTrip sends req with the present token, and where that is refused, with a new one.
func (t *authTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" || req.URL.Host != t.host {
		return nil, &registry.Error{Side: registry.Target, Op: "send request to", Object: req.URL.Scheme + "://" + req.URL.Host, Class: registry.Invalid,
			Err: fmt.Errorf("the credential is for https://%s only", t.host)}
	}
	tokens, err := t.keys.api(req)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		again, err := withBody(req)
		if err != nil {
			return nil, err
		}
		if err := tokens.Authorize(req.Context(), again); err != nil {
			return nil, err
		}
		if p := tokens.quotaProject; p != "" {
			again.Header.Set("X-Goog-User-Project", p)
		}
		res, err := t.next.RoundTrip(again)
		if err != nil || try > 0 || !tokens.Refused(req.Context(), res, nil) {
			return res, err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
		_ = res.Body.Close()
	}
}
