package governor

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// host is a registry with a quota that its clients do not know.
type host struct {
	mu       sync.Mutex
	allow    func(now time.Time) bool
	took     time.Duration // for any answer
	requests int
	refused  int
}

// serve answers a request.
func (h *host) serve() Outcome {
	time.Sleep(h.took / 2)
	h.mu.Lock()
	h.requests++
	ok := h.allow(time.Now())
	if !ok {
		h.refused++
	}
	h.mu.Unlock()
	time.Sleep(h.took / 2)
	if !ok {
		return Outcome{Result: Throttled}
	}
	return Outcome{}
}

// fixed counts in windows that begin with a request, as the embedded Artifact Registry does.
func fixed(limit int, window time.Duration) func(time.Time) bool {
	var start time.Time
	n := 0
	return func(now time.Time) bool {
		if now.Sub(start) >= window {
			start, n = now, 0
		}
		n++
		return n <= limit
	}
}

// leaking lets tokens drip into a bucket of that size.
func leaking(limit int, window time.Duration) func(time.Time) bool {
	tokens, last := float64(limit), time.Now()
	return func(now time.Time) bool {
		tokens = min(float64(limit), tokens+float64(limit)*now.Sub(last).Seconds()/window.Seconds())
		last = now
		if tokens < 1 {
			return false
		}
		tokens--
		return true
	}
}

// work has workers send until n requests passed, and returns how long that took.
func work(g *Governor, h *host, workers, n int, write bool) time.Duration {
	start := time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				for {
					s, err := g.Acquire(context.Background(), write)
					if err != nil {
						return
					}
					o := h.serve()
					s.Release(o)
					if o.Result == Done {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// What a host takes is learned from its refusals: few requests are refused, and little time is lost.
func TestQuotaIsLearned(t *testing.T) {
	known := Options{RequestsPerMinute: 60_000, WritesPerMinute: 18_000}
	for _, c := range []struct {
		name    string
		opts    Options
		allow   func() func(time.Time) bool
		rtt     time.Duration
		n       int
		rate    float64 // requests a second that the host takes
		refused float64 // at most that share of all requests
		slower  float64 // at most so many times as long as the rate allows
	}{
		{"a tenth of the known quota, in fixed minutes", known, func() func(time.Time) bool { return fixed(1800, time.Minute) }, 40 * time.Millisecond, 9000, 30, 0.02, 1.1},
		{"the same over a long distance", known, func() func(time.Time) bool { return fixed(1800, time.Minute) }, 150 * time.Millisecond, 9000, 30, 0.02, 1.1},
		{"the same for an hour", known, func() func(time.Time) bool { return fixed(1800, time.Minute) }, 40 * time.Millisecond, 108_000, 30, 0.02, 1.1},
		{"a tenth of the known quota, dripping", known, func() func(time.Time) bool { return leaking(1800, time.Minute) }, 40 * time.Millisecond, 9000, 30, 0.02, 1.1},
		{"the known quota", known, func() func(time.Time) bool { return fixed(18_000, time.Minute) }, 40 * time.Millisecond, 90_000, 300, 0.001, 1.1},
		{"200 a second, unknown", Options{}, func() func(time.Time) bool { return fixed(200, time.Second) }, 40 * time.Millisecond, 4000, 200, 0.05, 1.25},
		{"200 a second, unknown, nearby", Options{}, func() func(time.Time) bool { return fixed(200, time.Second) }, 2 * time.Millisecond, 4000, 200, 0.05, 1.25},
		{"200 a second, unknown, far away", Options{}, func() func(time.Time) bool { return fixed(200, time.Second) }, 150 * time.Millisecond, 4000, 200, 0.05, 1.25},
		{"200 a second, dripping", Options{}, func() func(time.Time) bool { return leaking(200, time.Second) }, 40 * time.Millisecond, 4000, 200, 0.05, 1.25},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &host{allow: c.allow(), took: c.rtt}
				c.opts.Random = half
				took := work(New(c.opts), h, 128, c.n, true)
				least := time.Duration(float64(c.n) / c.rate * float64(time.Second))
				share, slower := float64(h.refused)/float64(h.requests), took.Seconds()/least.Seconds()
				t.Logf("%d of %d refused (%.2f %%), %s, %.3f times what the quota allows", h.refused, h.requests, 100*share, took, slower)
				if share >= c.refused || slower > c.slower {
					t.Errorf("refused %.2f %% (bound %.2f %%), %.3f times what the quota allows (bound %.2f)", 100*share, 100*c.refused, slower, c.slower)
				}
			})
		})
	}
}

// Those who share a quota without knowing of each other all go on, whoever came first.
func TestSharedQuotaStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{allow: fixed(1800, time.Minute), took: 40 * time.Millisecond}
		counts := make([]int, 3)
		var mu sync.Mutex
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for i := range counts {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 47 * time.Second) // late-comers
				g := New(Options{RequestsPerMinute: 60_000, WritesPerMinute: 18_000, Random: half})
				var workers sync.WaitGroup
				for range 64 {
					workers.Go(func() {
						for {
							s, err := g.Acquire(ctx, true)
							if err != nil {
								return
							}
							o := h.serve()
							s.Release(o)
							if o.Result == Done {
								mu.Lock()
								counts[i]++
								mu.Unlock()
							}
						}
					})
				}
				workers.Wait()
			})
		}
		wg.Wait()
		sum := counts[0] + counts[1] + counts[2]
		t.Logf("%v of %d, %d refused (%.2f %%)", counts, 20*1800, h.refused, 100*float64(h.refused)/float64(h.requests))
		for i, n := range counts {
			if n < sum/8 {
				t.Errorf("number %d got %d of %d", i, n, sum)
			}
		}
		if sum < 20*1800*85/100 {
			t.Errorf("together they used %d of %d", sum, 20*1800)
		}
		if share := float64(h.refused) / float64(h.requests); share > 0.02 {
			t.Errorf("%.2f %% were refused", 100*share)
		}
	})
}

// Two migrations that begin at the same time on one quota both take their part of it, and when the first is done, the
// other one takes over what it leaves.
func TestQuotaIsTakenOver(t *testing.T) {
	for _, c := range []struct {
		rtts  [2]time.Duration
		share int64 // in a hundred, that each has at least
	}{
		{[2]time.Duration{40 * time.Millisecond, 40 * time.Millisecond}, 40},
		{[2]time.Duration{10 * time.Millisecond, 60 * time.Millisecond}, 20}, // who is nearer takes more of the first minute
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &host{allow: fixed(1800, time.Minute)}
			var took [2]time.Duration
			var counts [2]atomic.Int64
			atFirst := make(chan [2]int64, 2)
			var wg sync.WaitGroup
			for i, rtt := range c.rtts {
				wg.Go(func() {
					mine := &host{took: rtt, allow: func(now time.Time) bool {
						h.mu.Lock()
						defer h.mu.Unlock()
						ok := h.allow(now)
						if ok {
							counts[i].Add(1)
						}
						return ok
					}}
					g := New(Options{RequestsPerMinute: 60_000, WritesPerMinute: 18_000, Random: half})
					g.Distance(rtt)
					took[i] = work(g, mine, 64, 4500, true)
					atFirst <- [2]int64{counts[0].Load(), counts[1].Load()}
				})
			}
			wg.Wait()
			shares := <-atFirst
			least := time.Duration(float64(9000) / 30 * float64(time.Second))
			t.Logf("%v: shares %v when the first was done, after %v; the quota allows %s", c.rtts, shares, took, least)
			if min(shares[0], shares[1])*100 < c.share*(shares[0]+shares[1]) {
				t.Errorf("shares of %v", shares)
			}
			if last := max(took[0], took[1]); last > least*12/10 {
				t.Errorf("both took %s, the quota allows %s", last, least)
			}
		})
	}
}
