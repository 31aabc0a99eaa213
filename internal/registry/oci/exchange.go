package oci

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"transship/internal/registry"
	"transship/internal/registry/governor"
	"transship/internal/registry/secret"
)

// exchange is one request of a task.
type exchange struct {
	task
	method string
	header http.Header
	write  bool // counts against the host's write quota
	follow bool // redirects are followed; else they are answers
	// open gives the request's body once there is a slot; nil: no body.
	open func(context.Context) (*sending, error)
}

// response is an answer that is not a refusal. The slot of the host that gave it is taken until its Body is closed.
type response struct {
	*http.Response
	url *url.URL // that gave this answer
	own bool     // it is the Client's host, and no other host sent us there
}

// exchange sends e and returns the answer; one that is a refusal (a status of 400 or more) becomes an error. On a
// refused credential the Authorizer was told, and isRenewed says whether it has another.
func (c *Client) exchange(ctx context.Context, e exchange) (*response, error) {
	if err := c.ready(ctx, e); err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancelCause(ctx)
	held := &held{cancel: cancel, ctx: inner, dog: &watchdog{cancel: cancel}, client: c, task: e.task}
	if err := held.acquire(c.governorOf(e, e.url), e.write); err != nil {
		cancel(nil)
		return nil, err
	}
	res, err := c.hops(inner, e, held)
	if err != nil {
		held.end(outcomeOf(err))
		return nil, err
	}
	held.body = res.Body
	res.Body = held
	if res.StatusCode >= http.StatusBadRequest {
		err := c.refusal(inner, e, res)
		held.end(outcomeOf(err))
		if res.StatusCode == http.StatusForbidden && e.method == http.MethodHead && res.own {
			return nil, c.explain(ctx, e, err)
		}
		return nil, err
	}
	return res, nil
}

// ready waits until there is a credential for e. Requests that waited for one with their slots in hand would go out in one
// moment when it comes, whatever rate the slots were given out at.
func (c *Client) ready(ctx context.Context, e exchange) error {
	if !sameHost(e.url, c.opts.Host) {
		return nil
	}
	if err := c.credential(ctx); err != nil {
		return c.noCredential(e.task, err)
	}
	return nil
}

// Warm sees to it that there is a credential, before the first request needs it. An error is for that to find.
func (c *Client) Warm(ctx context.Context) { _ = c.credential(ctx) }

func (c *Client) credential(ctx context.Context) error {
	if c.opts.Auth == nil {
		return nil
	}
	to := &url.URL{Scheme: "https", Host: c.opts.Host, Path: "/v2/"}
	return c.opts.Auth.Authorize(ctx, (&http.Request{Method: http.MethodGet, URL: to, Host: to.Host, Header: make(http.Header)}).WithContext(ctx))
}

// hops sends e and follows redirects where e wants that. It returns the answer with its body as it came.
func (c *Client) hops(ctx context.Context, e exchange, h *held) (*response, error) {
	to := e.url
	trusted := true // until a redirect leads away; what comes back from there is not ours any more
	for hop := 0; ; hop++ {
		trusted = trusted && sameHost(to, c.opts.Host)
		res, err := c.roundTrip(ctx, e, to, trusted, h) //nolint:bodyclose // the caller does
		if err != nil {
			return nil, err
		}
		if !e.follow || !isRedirect(res.StatusCode) {
			return &response{Response: res, url: to, own: trusted}, nil
		}
		location := res.Header.Get("Location")
		discard(res.Body)
		if hop == maxRedirects {
			return nil, c.wrong(e.task, registry.Invalid, fmt.Errorf("more than %d redirects", maxRedirects))
		}
		if to, err = resolveLocation(to, location); err != nil {
			return nil, c.wrong(e.task, registry.Invalid, fmt.Errorf("the registry answered with a redirect, but %w", err))
		}
		if e.op == opReadBlob {
			c.bytes.learn(!sameHost(to, c.opts.Host))
		}
		if err := h.acquire(c.governorOf(e, to), e.write); err != nil {
			return nil, err
		}
	}
}

// governorOf returns whose slot a request to that URL takes. What is written counts against the registry's own quota,
// wherever the registry wants the bytes.
func (c *Client) governorOf(e exchange, to *url.URL) *governor.Governor {
	if e.write || sameHost(to, c.opts.Host) {
		return c.gov
	}
	return c.opts.Elsewhere
}

// roundTrip sends one request to one URL and returns the answer's head, whatever it says.
func (c *Client) roundTrip(ctx context.Context, e exchange, to *url.URL, authorize bool, h *held) (*http.Response, error) {
	req := (&http.Request{
		Method: e.method, URL: to, Host: to.Host, Header: make(http.Header),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	for key, values := range e.header {
		req.Header[key] = values
	}
	req.Header.Set("User-Agent", c.opts.UserAgent)
	var body *sending
	if e.open != nil {
		var err error
		if body, err = e.open(ctx); err != nil {
			return nil, err
		}
		defer body.Close()
		body.ctx, body.dog, body.stall, body.commit = ctx, h.dog, c.opts.StallTimeout, c.opts.CommitTimeout
		if !body.streamed() {
			body.commit = c.opts.AnswerTimeout
		}
		if req.ContentLength = body.size; body.size > 0 {
			req.Body = body // and no GetBody: the transport must not send it a second time by itself
		}
	}
	if authorize && c.opts.Auth != nil {
		if err := c.opts.Auth.Authorize(ctx, req); err != nil {
			return nil, c.noCredential(e.task, err)
		}
	}
	h.dog.arm(c.opts.AnswerTimeout, "the registry did not answer")
	start := time.Now()
	transport := c.opts.Messages
	// Redirects lead to the bytes of blobs, within the host or away from it.
	if to != e.url || !sameHost(to, c.opts.Host) || body != nil && body.streamed() {
		transport = c.opts.Transport
	}
	res, err := transport.RoundTrip(c.measured(req))
	h.dog.rest()
	if err != nil {
		c.log.DebugContext(ctx, "request failed", "method", e.method, "host", to.Host, "name", e.name,
			"duration", time.Since(start), "err", secret.Clean(err.Error()))
		if body != nil && body.failure() != nil {
			return nil, &sourceError{c.tooShort(e.task, body.failure())}
		}
		return nil, c.broken(ctx, e.task, err)
	}
	c.reached.Store(true)
	c.log.DebugContext(ctx, "request", "method", e.method, "host", to.Host, "name", e.name,
		"status", res.StatusCode, "duration", time.Since(start))
	return res, nil
}

// measured is req, which tells the governors how far away the registry is if it is the one that connects first: a TLS
// handshake takes a round trip. The host that sends the bytes is taken to be as far.
func (c *Client) measured(req *http.Request) *http.Request {
	if c.distant.Load() || !sameHost(req.URL, c.opts.Host) {
		return req
	}
	var start time.Time
	trace := &httptrace.ClientTrace{
		TLSHandshakeStart: func() { start = time.Now() },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil && c.distant.CompareAndSwap(false, true) {
				c.gov.Distance(time.Since(start))
				c.opts.Elsewhere.Distance(time.Since(start))
			}
		},
	}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
}

// explain finds out why a HEAD was refused with 403, since its answer has no body to say so: ECR's expired token looks
// like a missing permission. FACTS A4.
func (c *Client) explain(ctx context.Context, e exchange, denied error) error {
	e.method, e.follow = http.MethodGet, false
	res, err := c.exchange(ctx, e)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	return denied
}

// held is an answer's body with the slot that it holds. Reading watches for progress.
type held struct {
	ctx    context.Context //nolint:containedctx // the request's: a body's Read takes none
	cancel context.CancelCauseFunc
	gov    *governor.Governor // that slot is one of
	slot   *governor.Slot
	dog    *watchdog
	client *Client
	task   task
	body   io.ReadCloser
	broke  bool
}

// acquire takes a slot of g, unless the one at hand is of g. One of another governor is given back before: its host
// has answered, with a redirect. So nobody who waits for a slot of one host holds one of another, whichever way
// redirects lead, and the registry's slots are not taken while bytes stream from elsewhere.
func (h *held) acquire(g *governor.Governor, write bool) error {
	if h.gov == g {
		return nil
	}
	if h.slot != nil {
		h.slot.Release(governor.Outcome{Result: governor.Done})
	}
	slot, err := g.Acquire(h.ctx, write)
	if err != nil {
		return h.client.canceled(h.ctx, h.task)
	}
	h.gov, h.slot = g, slot
	return nil
}

// Read reads the body; it fails when there is no byte for the stall timeout.
func (h *held) Read(p []byte) (int, error) {
	h.dog.arm(h.client.opts.StallTimeout, "the registry sent nothing")
	n, err := h.body.Read(p)
	h.dog.rest()
	if err != nil && !errors.Is(err, io.EOF) {
		h.broke = true
		err = h.client.broken(h.ctx, h.task, err)
	}
	return n, err
}

// Close ends the answer and gives its slot back.
func (h *held) Close() error {
	o := governor.Outcome{Result: governor.Done}
	if h.broke {
		o.Result = governor.Failed
	}
	h.end(o)
	return nil
}

func (h *held) end(o governor.Outcome) {
	h.dog.rest()
	if h.body != nil {
		_ = h.body.Close()
	}
	h.cancel(nil)
	h.slot.Release(o)
}

// stalled is the cause of a context that a watchdog ended.
type stalled struct {
	what string
	wait time.Duration
}

func (s *stalled) Error() string { return fmt.Sprintf("%s for %s", s.what, s.wait) }

// watchdog ends a request when it stays armed for too long. It is safe for concurrent use: the transport reads a
// request's body on a goroutine of its own.
type watchdog struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	why   stalled
}

// arm gives it d from now, whatever it had before.
func (w *watchdog) arm(d time.Duration, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.why = stalled{what, d}
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.bark)
		return
	}
	w.timer.Reset(d)
}

// rest disarms it.
func (w *watchdog) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *watchdog) bark() {
	w.mu.Lock()
	why := w.why
	w.mu.Unlock()
	w.cancel(&why)
}

// discard reads what is left of a small body, so that its connection can be used again, and closes it.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxErrorBody)
	_ = body.Close()
}

// finish is discard for an answer whose body does not matter.
func (r *response) finish() { discard(r.Body) }
