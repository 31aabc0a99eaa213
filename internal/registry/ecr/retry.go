package ecr

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// A request is tried for some three minutes: 0.25 s, 0.5 s, … up to 20 s between the attempts. AWS_MAX_ATTEMPTS
// overrides the number.
const (
	maxAttempts = 15
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
}

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
func newRetryer(log *slog.Logger, cache *aws.CredentialsCache) aws.RetryerV2 {
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
		o.MaxAttempts = maxAttempts
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{hopeless}, append(o.Retryables, cut,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{429: {}}})...)
	})}
}

// RetryDelay returns how long to wait after the given attempt, which is counted from 1.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	d := min(maxDelay, baseDelay<<min(max(attempt-1, 0), 10))
	d = d/2 + rand.N(d/2+1) // jitter, so that workers do not come back all at once
	d = max(d, min(retryAfter(err), maxRetryAfter))
	r.log.Info("ECR request failed; trying again", "attempt", attempt, "in", d, "error", oneLine(err))
	return d, nil
}

// GetAttemptToken lets every attempt go: how many run at once is the caller's matter.
func (r *retryer) GetAttemptToken(context.Context) (func(error) error, error) {
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
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// isConnectionError reports whether the request did not get through, or its answer not back.
func isConnectionError(err error) bool {
	return retry.RetryableConnectionError{}.IsErrorRetryable(err) == aws.TrueTernary
}
