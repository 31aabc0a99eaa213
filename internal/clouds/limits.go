package clouds

import (
	"context"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"transship/internal/registry"
	"transship/internal/registry/governor"
)

// Limits are caps for those who must have them: a shared link, a proxy, a quota that is not all theirs; and how patient all
// are. The zero value caps nothing, and nil is as good. Everything that is opened with the same *Limits shares it, so that a host has one cap,
// however many registries are behind it. Do not change it after its first use; it is safe for concurrent use.
type Limits struct {
	// MaxRequestsPerSecond caps the requests to each host; 0 does not.
	MaxRequestsPerSecond float64
	// MaxConcurrency caps the requests that are under way to each host; 0 leaves it to the governors.
	MaxConcurrency int
	// MaxBandwidth caps the bytes of blobs that are read from all sources together in a second; 0 does not. Manifests, of
	// some KB each, are not counted.
	MaxBandwidth int64
	// Workers is how many processes like this one, on machines of their own, share the hosts' quotas and these caps: each
	// takes its part of both. 0 and 1 mean that all of it is this one's.
	Workers int
	// RetryHorizon is how long an operation keeps trying without success; 0 means 10 minutes.
	RetryHorizon time.Duration

	mu        sync.Mutex
	governors map[string]*governor.Governor
	band      *bandwidth
}

// governor returns the governor of host: one for all who share l. o is what is known of the host beyond the caps.
func (l *Limits) governor(host string, o governor.Options) *governor.Governor {
	if l == nil {
		return governor.New(o)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.governors[host]
	if g == nil {
		g = governor.New(l.capped(o))
		if l.governors == nil {
			l.governors = map[string]*governor.Governor{}
		}
		l.governors[host] = g
	}
	return g
}

// horizon is how long an operation keeps trying; 0 leaves it to the defaults.
func (l *Limits) horizon() time.Duration {
	if l == nil {
		return 0
	}
	return l.RetryHorizon
}

// workers is among how many all is divided.
func (l *Limits) workers() int { return max(1, l.Workers) }

// capped is o with the caps on each host, and the horizon of its operations.
func (l *Limits) capped(o governor.Options) governor.Options {
	if l != nil {
		o.Horizon = l.RetryHorizon
		o.Sharers = l.workers()
		o.MaxRequestsPerSecond = l.MaxRequestsPerSecond / float64(l.workers())
		if l.MaxConcurrency > 0 {
			o.MaxConcurrency = max(1, l.MaxConcurrency/l.workers())
		}
	}
	return o
}

// onlyCap is governor for a host that somebody else governs well: nil where there is no cap on it.
func (l *Limits) onlyCap(host string) *governor.Governor {
	if l == nil || l.MaxRequestsPerSecond <= 0 && l.MaxConcurrency <= 0 {
		return nil
	}
	return l.governor(host, governor.Options{})
}

// bandwidth returns what shares the cap on bytes out, or nil where there is none.
func (l *Limits) bandwidth() *bandwidth {
	if l == nil || l.MaxBandwidth <= 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.band == nil {
		l.band = newBandwidth(max(1, l.MaxBandwidth/int64(l.workers())))
	}
	return l.band
}

const (
	// minBurst and maxBurst bound, in bytes, what may come at once after a rest: a tenth of a second's, but never so
	// little that it would be nothing but waiting, nor so much that a link would notice.
	minBurst = 4 << 10
	maxBurst = 1 << 20
	// maxGrant is how many bytes one reader pays for at a time.
	maxGrant = 32 << 10
	// fairStream is the least, in bytes a second, that a reader should get. Where the cap is too low for many, few read at
	// a time and the others wait to begin: a hundred uploads that trickle would each be given up by one side or the other.
	fairStream = 128 << 10
)

// bandwidth shares bytes a second among readers.
type bandwidth struct {
	limiter *rate.Limiter
	grant   int
	streams *semaphore.Weighted
}

func newBandwidth(perSecond int64) *bandwidth {
	burst := int(min(max(perSecond/10, minBurst), maxBurst))
	return &bandwidth{
		limiter: rate.NewLimiter(rate.Limit(perSecond), burst),
		grant:   min(burst, maxGrant),
		streams: semaphore.NewWeighted(max(1, perSecond/fairStream)),
	}
}

// open opens the blob object, of size bytes, when there is bandwidth for one more reader; the place is free again when
// the reader is closed. On a nil b it just opens.
func (b *bandwidth) open(ctx context.Context, object string, size int64, open func(context.Context) (io.ReadCloser, error)) (io.ReadCloser, error) {
	if b == nil {
		return open(ctx)
	}
	if err := b.streams.Acquire(ctx, 1); err != nil {
		return nil, stopped(ctx, object, err)
	}
	r, err := open(ctx)
	if err != nil {
		b.streams.Release(1)
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	return &paced{ReadCloser: r, band: b, object: object, left: size, ctx: ctx, cancel: cancel}, nil
}

// stopped is the error of a wait that did not end well. A limiter gives up at once where ctx's deadline would come first.
func stopped(ctx context.Context, object string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return &registry.Error{Side: registry.Source, Op: "read blob", Object: object, Class: registry.Canceled, Err: err}
}

// paced is a reader that pays for bytes before it reads them, so that what waits for bandwidth has no read under way:
// a connection is watched for stalls only while somebody reads from it, and an upload's only while its body has been
// asked for nothing (registry/oci: held, sending), so that neither takes the wait for a stall.
type paced struct {
	io.ReadCloser
	band   *bandwidth
	object string          // for errors
	left   int64           // bytes of the blob that are not paid for
	credit int             // bytes that are, and were not read
	ctx    context.Context //nolint:containedctx // Read takes none
	cancel context.CancelFunc
	closed sync.Once
}

// Read waits until the next bytes may come. It ends when the context does, or when the reader is closed.
func (p *paced) Read(b []byte) (int, error) {
	if p.credit == 0 && p.left > 0 && len(b) > 0 {
		n := int(min(int64(p.band.grant), p.left))
		if err := p.band.limiter.WaitN(p.ctx, n); err != nil {
			return 0, stopped(p.ctx, p.object, err)
		}
		p.credit, p.left = n, p.left-int64(n)
	}
	if p.credit > 0 && len(b) > p.credit {
		b = b[:p.credit]
	}
	n, err := p.ReadCloser.Read(b) // with all paid for, this is the end, or more than there should be
	p.credit = max(0, p.credit-n)
	return n, err
}

// Close ends a Read that waits, and gives the place to the next reader. What was paid for and not read is lost.
func (p *paced) Close() error {
	p.cancel()
	err := p.ReadCloser.Close()
	p.closed.Do(func() { p.band.streams.Release(1) })
	return err
}
