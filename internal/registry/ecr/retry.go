package ecr

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Between the attempts of a request there are 0.25 s, 0.5 s, … up to 20 s. AWS_MAX_ATTEMPTS overrides how many there are.
const (
	// retryHorizon is for how long a request is tried where nobody says so.
	retryHorizon = 10 * time.Minute
	// minAttempts is how many there are at least, however short the horizon.
	minAttempts = 3
	baseDelay   = 250 * time.Millisecond
	maxDelay    = 20 * time.Second
	// maxRetryAfter bounds what a response may ask for: beyond it, the run is better told that it is throttled.
	maxRetryAfter = 5 * time.Minute
)

// maxFirstDials is how often a host that never answered is dialled: it may not exist, or not be reachable from here.
const maxFirstDials = 4

// retryer is the one owner of retries of the requests to ECR.
type retryer struct {
	*retry.Standard
	log     *slog.Logger
	renewal renewal
	reached atomic.Bool  // the host answered at least once
	dials   atomic.Int32 // that failed before it did
	pause   pause
}

// pause is what a throttle means for all requests to a registry: none goes before it ends.
type pause struct {
	mu     sync.Mutex
	resume time.Time
}

// extend makes it last for d from now, at least.
func (p *pause) extend(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.resume) {
		p.resume = until
	}
}

// wait waits for its end, and a little longer, each its own time, so that those who waited do not come in one moment.
func (p *pause) wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		left := time.Until(p.resume)
		p.mu.Unlock()
		if left <= 0 {
			return nil
		}
		t := time.NewTimer(left + rand.N(min(left/4, time.Second)+1))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// attemptsWithin returns how many attempts there are within a horizon, with the waits as long as they are on average. The
// SDK counts attempts, and has no notion of time.
func attemptsWithin(horizon time.Duration) int {
	n, passed := 1, time.Duration(0)
	for ; passed < horizon; n++ {
		passed += delay(n) * 3 / 4
	}
	return max(minAttempts, n)
}

// delay is the longest wait after the given attempt, which is counted from 1.
func delay(attempt int) time.Duration { return min(maxDelay, baseDelay<<min(max(attempt-1, 0), 10)) }

// IsErrorRetryable reports whether the same request may succeed later.
func (r *retryer) IsErrorRetryable(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") && !r.reached.Load() {
		if r.dials.Add(1) >= maxFirstDials {
			return false
		}
	}
	if isExpired(err) {
		return r.renewal.expired(r.log)
	}
	return r.Standard.IsErrorRetryable(err)
}

// renewal throws the credentials away that ECR says have expired, although they themselves do not say so: somebody ended
// the session, or this machine's clock is slow.
type renewal struct {
	cache *aws.CredentialsCache // nil where there are none

	mu   sync.Mutex
	last time.Time
}

// stragglers is how long after a renewal requests that were signed before it may still be refused.
const stragglers = 5 * time.Second

// expired reports whether another attempt makes sense. It does where the credentials were thrown away, now or a moment
// ago; new ones that are refused within leastUse are the last.
func (r *renewal) expired(log *slog.Logger) bool {
	if r.cache == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if since := time.Since(r.last); !r.last.IsZero() && since < leastUse {
		return since < stragglers
	}
	log.Info("AWS says that the credentials have expired; asking for new ones")
	r.last = time.Now()
	r.cache.Invalidate()
	return true
}

// newRetryer differs from the SDK's own in that it is patient (the SDK gives up after 3 attempts, or when a budget that
// all requests share is used up), honours Retry-After, goes on after answers that were cut, and gives up at once where
// time mends nothing: no credentials, an untrusted certificate, and LimitExceededException, which the SDK takes for
// throttling and which in ECR is a limit that stays.
func newRetryer(log *slog.Logger, cache *aws.CredentialsCache, horizon time.Duration) aws.RetryerV2 {
	hopeless := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		if _, ok := errors.AsType[*credentialsError](err); ok || isUntrusted(err) || isProxyRefusal(err) {
			return aws.FalseTernary
		}
		if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorCode() == "LimitExceededException" {
			return aws.FalseTernary
		}
		return aws.UnknownTernary
	})
	cut := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		if isCut(err) {
			return aws.TrueTernary
		}
		return aws.UnknownTernary
	})
	return &retryer{log: log, renewal: renewal{cache: cache}, Standard: retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attemptsWithin(cmp.Or(horizon, retryHorizon))
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{hopeless}, append(o.Retryables, cut,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{429: {}}})...)
	})}
}

// RetryDelay returns how long to wait after the given attempt, which is counted from 1.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	d := delay(attempt)
	d = d/2 + rand.N(d/2+1) // jitter, so that workers do not come back all at once
	asked := min(retryAfter(err), maxRetryAfter)
	d = max(d, asked)
	if asked > 0 || isThrottle(err) {
		r.pause.extend(d)
	}
	r.log.Info("ECR request failed; trying again", "attempt", attempt, "in", d, "error", oneLine(err))
	return d, nil
}

// isThrottle reports whether ECR takes no more requests for now, whoever sends them.
func isThrottle(err error) bool {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		if _, throttles := retry.DefaultThrottleErrorCodes[e.ErrorCode()]; throttles {
			return true
		}
	}
	res, ok := errors.AsType[*awshttp.ResponseError](err)
	return ok && res.HTTPStatusCode() == http.StatusTooManyRequests
}

// GetAttemptToken lets every attempt go as soon as no throttle is on: how many run at once is the caller's matter.
func (r *retryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	if err := r.pause.wait(ctx); err != nil {
		return nil, err
	}
	return func(err error) error {
		if _, answered := errors.AsType[smithy.APIError](err); err == nil || answered {
			r.reached.Store(true)
		}
		return nil
	}, nil
}

// isUntrusted reports whether the other side's certificate was refused.
func isUntrusted(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return verification || authority || host
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

// isCut reports whether the answer ended before its end.
func isCut(err error) bool {
	_, broke := errors.AsType[*cutError](err)
	return broke || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// isConnectionError reports whether the request did not get through, or its answer not back.
func isConnectionError(err error) bool {
	return retry.RetryableConnectionError{}.IsErrorRetryable(err) == aws.TrueTernary
}
