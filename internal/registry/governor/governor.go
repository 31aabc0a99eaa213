package governor

import (
	"container/list"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Options are the limits of a Governor. The zero value has sensible concurrency and no quota.
type Options struct {
	// Start is how many requests may be under way at first; 0 means 16.
	Start int
	// MaxConcurrency is how many may ever be under way; 0 means 256.
	MaxConcurrency int
	// MaxRequestsPerSecond caps the rate, for those who must cap it; 0 means no cap.
	MaxRequestsPerSecond float64
	// RequestsPerMinute is the host's quota for all requests; 0 means that there is none known, and that the host counts
	// by the second. Where the host refuses sooner, what it takes is learned.
	RequestsPerMinute int
	// WritesPerMinute is the host's quota for writing requests, which count as requests too; 0 means none.
	WritesPerMinute int
	// Horizon is how long an operation keeps trying without success, and the longest pause; 0 means 10 minutes.
	Horizon time.Duration
	// MinDelay is the first wait after a failure; every further one is twice as long. 0 means 500 ms.
	MinDelay time.Duration
	// MaxDelay is the longest such wait; 0 means 30 s.
	MaxDelay time.Duration
	// Random returns numbers in [0, 1) for jitter and is called under a lock; nil means math/rand/v2.
	Random func() float64
}

func (o Options) withDefaults() Options {
	if o.MaxConcurrency <= 0 {
		o.MaxConcurrency = 256
	}
	if o.Start <= 0 {
		o.Start = 16
	}
	o.Start = min(o.Start, o.MaxConcurrency)
	if o.Horizon <= 0 {
		o.Horizon = 10 * time.Minute
	}
	if o.MinDelay <= 0 {
		o.MinDelay = 500 * time.Millisecond
	}
	if o.MaxDelay <= 0 {
		o.MaxDelay = 30 * time.Second
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

// Stats are what a Governor has seen so far and how it stands.
type Stats struct {
	Requests   int64         // slots that were given out
	Writes     int64         // those of them for writing requests
	Throttled  int64         // requests that were refused because of a quota
	Overloaded int64         // requests that were refused because of the host's state
	Failed     int64         // requests that failed otherwise without an answer to rely on
	Retries    int64         // tries after the first one, of all operations
	Paused     time.Duration // the sum of all pauses, the present one included
	Pausing    bool          // the host asked everybody to wait, and the wait is not over
	Limit      int           // how many slots there are now
	InFlight   int           // how many of them are taken
	Waiting    int           // how many requests wait for one
}

// probeTime is how long everybody waits, after a pause for a throttle, for the first request to be answered: one refusal
// tells as much as a hundred. A request that takes longer was not refused.
const probeTime = time.Second

// Governor governs one host. Make it with New; it is safe for concurrent use.
type Governor struct {
	opts Options

	mu       sync.Mutex
	limit    int
	climb    climb
	relief   relief
	credit   int  // successes in a full window since the limit last grew
	settled  bool // the limit was lowered for load: from then on it grows by what relief says
	round    int  // the number of decreases for throttles so far
	chance   chance
	level    int // throttles in a row, for the length of the next pause
	inFlight int
	sequence int64
	reads    list.List // of *waiter, in the order of arrival
	writes   list.List // of *waiter, in the order of arrival
	total    []quota
	writing  []quota
	requests *budget   // of all, among total
	written  *budget   // of writing requests, among writing; nil where they have none of their own
	resume   time.Time // when the pause ends
	probing  bool      // the last pause was for a throttle, and no request was answered since
	probe    *Slot     // the one request that may be under way to find out
	timer    *time.Timer
	stats    Stats
}

type waiter struct {
	sequence int64
	slot     chan *Slot // of capacity 1: the Governor never waits for a waiter
}

// New returns a Governor for one host.
func New(o Options) *Governor {
	o = o.withDefaults()
	g := &Governor{opts: o, limit: o.Start}
	if o.MaxRequestsPerSecond > 0 {
		limiter := rate.NewLimiter(rate.Limit(o.MaxRequestsPerSecond), max(1, int(o.MaxRequestsPerSecond/10)))
		g.total = append(g.total, pace{limiter})
	}
	g.requests = newBudget(time.Second, 0)
	if o.RequestsPerMinute > 0 {
		g.requests = newBudget(time.Minute, o.RequestsPerMinute)
	}
	g.total = append(g.total, g.requests)
	if o.WritesPerMinute > 0 {
		g.written = newBudget(time.Minute, o.WritesPerMinute)
		g.writing = append(g.writing, g.written)
	}
	return g
}

// startRate is how many requests a second shall be under way at first: ECR's documented quotas are of that order, and
// Artifact Registry's, which is half of it, is counted by the minute.
const startRate = 2000

// Distance tells how long the way to the host and back takes, in time for the first requests: over a long distance more
// of them are under way for the same rate, and each further round in which to find that out would take as long.
func (g *Governor) Distance(rtt time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.settled && !g.climb.warm {
		g.limit = max(g.limit, min(int(rtt.Seconds()*startRate), g.opts.MaxConcurrency))
		g.dispatch()
	}
}

// Acquire waits for a slot for one request, in the order of arrival, through pauses and quotas. It returns an error
// only when ctx ends. Who holds a slot of one Governor and waits for one of another must always take them in the same
// order (a target's before its source's); who can give the first back before, as a redirect can, had better do that.
func (g *Governor) Acquire(ctx context.Context, write bool) (*Slot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	queue := &g.reads
	if write {
		queue = &g.writes
	}
	g.mu.Lock()
	w := &waiter{sequence: g.sequence, slot: make(chan *Slot, 1)}
	g.sequence++
	element := queue.PushBack(w)
	g.dispatch()
	g.mu.Unlock()

	select {
	case s := <-w.slot:
		return s, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case s := <-w.slot: // it came at the same moment: give it back
		g.release(s, Outcome{Result: Abandoned})
	default:
		queue.Remove(element)
		g.dispatch() // it may have stood in the way of the other queue
	}
	return nil, ctx.Err()
}

// dispatch gives out what slots it can and sees to it that somebody calls it again when time alone will change that.
// g.mu is held.
func (g *Governor) dispatch() {
	now := time.Now()
	for g.inFlight < g.limit && g.reads.Len()+g.writes.Len() > 0 {
		if wait := g.resume.Sub(now); wait > 0 {
			g.wakeIn(wait)
			return
		}
		if g.probing && g.probe != nil {
			if wait := g.resume.Add(probeTime).Sub(now); wait > 0 {
				g.wakeIn(wait)
				return
			}
			g.probing, g.probe = false, nil
		}
		queue, wait := g.next(now)
		if queue == nil {
			g.wakeIn(wait)
			return
		}
		g.admit(queue, now)
	}
}

// next returns the queue whose head is to go, having paid for it, or how long until one may.
func (g *Governor) next(now time.Time) (*list.List, time.Duration) {
	if wait := longest(g.total, now); wait > 0 {
		return nil, wait
	}
	first, second := &g.reads, &g.writes
	if first.Len() == 0 || second.Len() > 0 && head(second).sequence < head(first).sequence {
		first, second = second, first
	}
	least := g.opts.Horizon
	for _, queue := range []*list.List{first, second} {
		if queue.Len() == 0 {
			continue
		}
		if queue == &g.writes {
			if wait := longest(g.writing, now); wait > 0 {
				least = min(least, wait)
				continue // a reader behind may go: it does not use that quota
			}
			pay(g.writing, now)
		}
		pay(g.total, now)
		return queue, 0
	}
	return nil, least
}

func head(queue *list.List) *waiter { return queue.Front().Value.(*waiter) }

func (g *Governor) admit(queue *list.List, now time.Time) {
	w := queue.Remove(queue.Front()).(*waiter)
	g.inFlight++
	g.stats.Requests++
	write := queue == &g.writes
	if write {
		g.stats.Writes++
	}
	s := &Slot{governor: g, round: g.round, number: g.stats.Requests, epoch: g.relief.epoch, write: write, sent: now}
	if g.probing {
		g.probe = s
	}
	w.slot <- s
}

func (g *Governor) wakeIn(d time.Duration) {
	if g.timer == nil {
		g.timer = time.AfterFunc(d, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.dispatch()
		})
		return
	}
	g.timer.Reset(d)
}

// Stats returns the numbers so far.
func (g *Governor) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Pausing = g.resume.After(time.Now())
	s.Limit, s.InFlight, s.Waiting = g.limit, g.inFlight, g.reads.Len()+g.writes.Len()
	return s
}
