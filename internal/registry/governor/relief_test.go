package governor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/underrace"
)

// coping says what a host is like that answers some requests with 503.
type coping struct {
	rtt      time.Duration // the way to it and back
	took     time.Duration // what it works at a request on average, from half of that to half as much again
	share    float64       // is refused by chance
	capacity int           // more at once are refused; 0 is any number
	from, to time.Duration // when it refuses everything
}

// coper is such a host at work.
type coper struct {
	coping
	start time.Time

	mu       sync.Mutex
	random   *rand.Rand
	busy     int
	requests int
	refused  int
	outage   int // requests that came while it refused everything
}

func (c coping) begin() *coper {
	return &coper{coping: c, start: time.Now(), random: rand.New(rand.NewPCG(1, 1))}
}

var errRefused = errors.New("503")

// serve answers one request.
func (h *coper) serve() error {
	time.Sleep(h.rtt / 2)
	took, err := h.arrive()
	time.Sleep(took)
	if err == nil {
		h.mu.Lock()
		h.busy--
		h.mu.Unlock()
	}
	time.Sleep(h.rtt / 2)
	return err
}

// arrive says how long a request takes, or refuses it.
func (h *coper) arrive() (time.Duration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests++
	refused := h.random.Float64() < h.share || h.capacity > 0 && h.busy >= h.capacity
	if since := time.Since(h.start); since >= h.from && since < h.to {
		h.outage++
		refused = true
	}
	if refused {
		h.refused++
		return 0, errRefused
	}
	h.busy++
	return h.took/2 + time.Duration(h.random.Float64()*float64(h.took)), nil
}

// operate does n operations, many at once, each tried until it succeeds, and returns how long that took. What the
// governor hears of a refusal is as.
func operate(g *Governor, h *coper, n int, as Result) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	again := func(error) Advice {
		if as == Throttled {
			return AgainNow
		}
		return Again
	}
	try := func(ctx context.Context) error {
		s, err := g.Acquire(ctx, as == Throttled) // those tests are about quotas, which writes have
		if err != nil {
			return err
		}
		if err := h.serve(); err != nil {
			s.Release(Outcome{Result: as})
			return err
		}
		s.Release(Outcome{})
		return nil
	}
	var wg sync.WaitGroup
	for range 512 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				_ = g.Do(context.Background(), again, try) // it has patience enough
			}
		})
	}
	wg.Wait()
	return time.Since(h.start)
}

// best is how long the best fixed limit takes for the same, which hears nothing of refusals.
func (c coping) best(n int, delay time.Duration, limits ...int) time.Duration {
	least := time.Duration(math.MaxInt64)
	for _, limit := range limits {
		g := New(Options{Start: limit, MaxConcurrency: limit, MinDelay: delay, Random: half})
		least = min(least, operate(g, c.begin(), n, Failed))
	}
	return least
}

// Where a host refuses a few requests by chance, however many there are, it is no slower than the retries make it. These
// wait little, so that it is the governor that counts.
func TestChanceDoesNotSlowDown(t *testing.T) {
	const n, delay = 12000, 20 * time.Millisecond
	for at, c := range []coping{
		{rtt: 40 * time.Millisecond, share: 0.01},
		{rtt: 40 * time.Millisecond, share: 0.02},
		{rtt: 40 * time.Millisecond, share: 0.1},
		{rtt: 150 * time.Millisecond, share: 0.01},
		{rtt: 150 * time.Millisecond, share: 0.02},
		{rtt: 150 * time.Millisecond, share: 0.1},
		{rtt: 40 * time.Millisecond, took: 2 * time.Second, share: 0.1}, // layers: a refusal is much quicker than they are
	} {
		if underrace.On && at%3 != 1 {
			continue
		}
		t.Run(fmt.Sprintf("%.0f %% at %s and %s", 100*c.share, c.rtt, c.took), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				best := c.best(n, delay, 256)
				g := New(Options{MinDelay: delay, Random: half})
				g.Distance(c.rtt)
				took := operate(g, c.begin(), n, Overloaded)
				t.Logf("%s, %.2f times as long as the best fixed limit; %+v", took, took.Seconds()/best.Seconds(), g.Stats())
				if took > best*5/4 {
					t.Errorf("took %s, the best fixed limit %s", took, best)
				}
			})
		})
	}
}

// Where a host refuses what is more at once than it can do, nearly all of what it can do is asked of it, and little more.
func TestCapacityIsFound(t *testing.T) {
	const n = 12000
	for at, c := range []struct {
		coping
		refused float64
	}{
		{coping{rtt: 5 * time.Millisecond, took: 40 * time.Millisecond, capacity: 10}, 0.03},
		{coping{rtt: 5 * time.Millisecond, took: 40 * time.Millisecond, capacity: 50}, 0.03},
		{coping{rtt: 40 * time.Millisecond, took: 40 * time.Millisecond, capacity: 50}, 0.05},
		{coping{rtt: 40 * time.Millisecond, took: 40 * time.Millisecond, capacity: 100}, 0.03},
		{coping{rtt: 150 * time.Millisecond, took: 150 * time.Millisecond, capacity: 100}, 0.05},
		{coping{rtt: 5 * time.Millisecond, took: 40 * time.Millisecond, capacity: 50, share: 0.02}, 0.08},
		{coping{rtt: 40 * time.Millisecond, took: 40 * time.Millisecond, capacity: 100, share: 0.02}, 0.08},
	} {
		if underrace.On && at%3 != 1 {
			continue
		}
		t.Run(fmt.Sprintf("%d at once, %s away, and %.0f %% by chance", c.capacity, c.rtt, 100*c.share), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				best := c.best(n, 0, c.capacity*3/4, c.capacity, c.capacity*5/4, c.capacity*3/2, c.capacity*2)
				g, h := New(Options{Random: half}), c.begin()
				g.Distance(c.rtt)
				took := operate(g, h, n, Overloaded)
				share := float64(h.refused) / float64(h.requests)
				t.Logf("%s, %.2f times as long as the best fixed limit, %.1f %% refused", took, took.Seconds()/best.Seconds(), 100*share)
				if took > best*5/4 {
					t.Errorf("took %s, the best fixed limit %s", took, best)
				}
				if share > c.refused {
					t.Errorf("%.1f %% were refused, want at most %.1f %%", 100*share, 100*c.refused)
				}
			})
		})
	}
}

// Where a host refuses everything, or much of it for whatever reason, few requests are under way; as soon as it is back,
// so are they.
func TestWhoCannotCopeIsRelieved(t *testing.T) {
	for _, rtt := range []time.Duration{5 * time.Millisecond, 40 * time.Millisecond, 150 * time.Millisecond} {
		t.Run(fmt.Sprintf("away for a minute, %s", rtt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := coping{rtt: rtt, from: time.Second, to: 61 * time.Second}
				n := int(400 * time.Second / rtt) // what 200 slots do in two seconds
				g, h := New(Options{Random: half}), c.begin()
				g.Distance(rtt)
				took := operate(g, h, n, Overloaded)
				t.Logf("%d of %d requests while it was away, %s in all", h.outage, h.requests, took)
				if h.outage > 512*8 { // of each operation its own tries
					t.Errorf("%d requests while it was away", h.outage)
				}
				if took > 90*time.Second { // the longest waits of operations end half a minute later
					t.Errorf("took %s", took)
				}
			})
		})
	}
	for _, share := range []float64{0.5, 0.9, 1} {
		t.Run(fmt.Sprintf("%.0f %% are refused", 100*share), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := New(Options{Start: 256, Random: half})
				run(g, 256, 2000, false, 40*time.Millisecond, func(int) Outcome {
					if rand.Float64() < share {
						return Outcome{Result: Overloaded}
					}
					return Outcome{}
				})
				if got := g.Stats().Limit; got > 8 {
					t.Errorf("the limit is %d", got)
				}
			})
		})
	}
}
