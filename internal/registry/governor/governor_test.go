package governor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// half is the middle of all jitter.
func half() float64 { return 0.5 }

// acquire gets a slot or fails the test.
func acquire(t *testing.T, g *Governor, write bool) *Slot {
	t.Helper()
	s, err := g.Acquire(t.Context(), write)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run lets workers make requests that take a while each, until n were made, and returns how long that took.
func run(g *Governor, workers, n int, write bool, while time.Duration, outcome func(i int) Outcome) time.Duration {
	start := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1))
				if i > n {
					return
				}
				s, err := g.Acquire(context.Background(), write)
				if err != nil {
					return
				}
				time.Sleep(while)
				s.Release(outcome(i))
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

func done(int) Outcome { return Outcome{} }

func TestLimitGrowsOnlyWhileUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{Start: 4, MaxConcurrency: 32, Random: half})
		run(g, 2, 1000, false, time.Millisecond, done)
		if got := g.Stats().Limit; got != 4 {
			t.Errorf("two workers made the limit %d, want 4 as before", got)
		}
		run(g, 100, 1000, false, time.Millisecond, done)
		if got := g.Stats().Limit; got != 32 {
			t.Errorf("a hundred workers made the limit %d, want the maximum 32", got)
		}
	})
}

func TestLimitHalvesOncePerRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{Start: 16, Random: half})
		var slots []*Slot
		for range 16 {
			slots = append(slots, acquire(t, g, false))
		}
		for _, s := range slots {
			s.Release(Outcome{Result: Throttled, RetryAfter: time.Second})
		}
		if got := g.Stats(); got.Limit != 8 || got.Throttled != 16 {
			t.Errorf("after a round of throttles: %+v, want the limit 8 and 16 throttles", got)
		}
		s := acquire(t, g, false)
		s.Release(Outcome{})
		s.Release(Outcome{Result: Throttled}) // counts no more
		// From now on by one a round: 8 successes in a full window.
		run(g, 50, 16, false, time.Millisecond, done)
		if got := g.Stats(); got.Limit != 9 || got.Throttled != 16 || got.InFlight != 0 {
			t.Errorf("two rounds later: %+v, want the limit 9", got)
		}
		for range 40 {
			acquire(t, g, false).Release(Outcome{Result: Overloaded})
		}
		if got := g.Stats().Limit; got != 1 {
			t.Errorf("the limit fell to %d, want 1", got)
		}
	})
}

func TestRetryAfterPausesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{Random: half})
		start := time.Now()
		other := acquire(t, g, false)
		acquire(t, g, true).Release(Outcome{Result: Throttled, RetryAfter: 7 * time.Second})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				s, err := g.Acquire(t.Context(), i%2 == 0)
				if err != nil {
					t.Error(err)
					return
				}
				if waited := time.Since(start); waited < 7*time.Second || waited > 8*time.Second {
					t.Errorf("a user of the host waited %s, want 7 s and a little", waited)
				}
				s.Release(Outcome{})
			})
		}
		wg.Wait()
		other.Release(Outcome{})
		if got := g.Stats().Paused; got < 7*time.Second || got > 8*time.Second {
			t.Errorf("paused for %s", got)
		}
	})
}

func TestPausesGrowWithoutRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{MinDelay: time.Second, MaxDelay: 5 * time.Second, Random: half})
		var waits []time.Duration
		for range 5 {
			start := time.Now()
			s := acquire(t, g, false)
			waits = append(waits, time.Since(start))
			s.Release(Outcome{Result: Throttled})
		}
		want := []time.Duration{0, 750 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 3750 * time.Millisecond}
		if !slices.Equal(waits, want) {
			t.Errorf("waited %v, want %v", waits, want)
		}
		acquire(t, g, false).Release(Outcome{})
		acquire(t, g, false).Release(Outcome{Result: Throttled})
		start := time.Now()
		acquire(t, g, false).Release(Outcome{})
		if got := time.Since(start); got != 750*time.Millisecond {
			t.Errorf("after a success the pause is %s, want the first one again", got)
		}
	})
}

// After a pause one request finds out whether the quota is back; a slow one is not waited for.
func TestOneProbeAfterAPause(t *testing.T) {
	for _, c := range []struct {
		name   string
		while  time.Duration
		want   int           // requests that are refused in the second half minute
		behind time.Duration // how long after the pause the others go
	}{
		{"quick", 10 * time.Millisecond, 3, 10 * time.Millisecond},
		{"slow", time.Minute, 0, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := New(Options{Start: 64, Random: func() float64 { return 0 }})
				start := time.Now()
				acquire(t, g, false).Release(Outcome{Result: Throttled, RetryAfter: 10 * time.Second})
				var mu sync.Mutex
				var went []time.Duration
				refused := 0
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						for {
							s := acquire(t, g, false)
							mu.Lock()
							at := time.Since(start)
							quotaIsBack := c.want == 0 || at >= 35*time.Second
							if quotaIsBack {
								went = append(went, at)
							} else {
								refused++
							}
							mu.Unlock()
							time.Sleep(c.while)
							if quotaIsBack {
								s.Release(Outcome{})
								return
							}
							s.Release(Outcome{Result: Throttled, RetryAfter: 10 * time.Second})
						}
					})
				}
				wg.Wait()
				if refused != c.want {
					t.Errorf("%d were refused, want %d", refused, c.want)
				}
				if behind := went[1] - went[0]; behind != c.behind || went[19] != went[1] {
					t.Errorf("they went at %v, want the others %s behind the first", went, c.behind)
				}
			})
		})
	}
}

func TestQuotas(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  Options
		write bool
		n     int
		least time.Duration
		most  time.Duration
	}{
		{"named limit", Options{MaxRequestsPerSecond: 50}, false, 500, 9 * time.Second, 11 * time.Second},
		{"requests", Options{RequestsPerMinute: 60_000}, false, 60_001, 60 * time.Second, 61 * time.Second},
		{"writes", Options{RequestsPerMinute: 60_000, WritesPerMinute: 600}, true, 2400, 3 * time.Minute, 3*time.Minute + 2*time.Second},
		{"less than the quota goes at once", Options{RequestsPerMinute: 60_000, WritesPerMinute: 600}, true, 600, 0, time.Second},
		{"reads do not pay for writes", Options{WritesPerMinute: 60}, false, 600, 0, time.Second},
		{"tiny", Options{WritesPerMinute: 1}, true, 3, 119 * time.Second, 121 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took := run(New(c.opts), 64, c.n, c.write, time.Millisecond, done)
				if took < c.least || took > c.most {
					t.Errorf("%d requests took %s, want %s to %s", c.n, took, c.least, c.most)
				}
			})
		})
	}
}

// A quota holds in every minute, wherever it begins, burst included.
func TestQuotaHoldsInEveryMinute(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		quota := rapid.IntRange(2, 400).Draw(rt, "quota")
		idle := rapid.IntRange(0, 90).Draw(rt, "idle seconds")
		synctest.Test(t, func(t *testing.T) {
			g := New(Options{WritesPerMinute: quota, MaxConcurrency: 8})
			var at []time.Time
			take := func(n int) {
				for range n {
					s := acquire(t, g, true)
					at = append(at, time.Now())
					s.Release(Outcome{})
				}
			}
			take(quota)
			time.Sleep(time.Duration(idle) * time.Second)
			take(quota)
			for i := range at {
				if j := i + quota; j < len(at) && at[j].Sub(at[i]) < time.Minute-time.Millisecond {
					rt.Fatalf("%d writes within %s, quota %d", quota+1, at[j].Sub(at[i]), quota)
				}
			}
		})
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{Start: 1, MaxConcurrency: 1})
		held := acquire(t, g, false)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				s, err := g.Acquire(t.Context(), i%3 == 0)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				s.Release(Outcome{})
			})
			synctest.Wait()
		}
		held.Release(Outcome{})
		wg.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("served in the order %v", order)
		}
	})
}

// A writer that waits for its quota does not hold up readers, and is not starved by them.
func TestReadersPassWritersThatWaitForQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{WritesPerMinute: 1, MaxRequestsPerSecond: 10})
		acquire(t, g, true).Release(Outcome{})
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			acquire(t, g, true).Release(Outcome{})
			if waited := time.Since(start); waited < time.Minute || waited > 62*time.Second {
				t.Errorf("the writer waited %s, want a minute", waited)
			}
		})
		synctest.Wait()
		if took := run(g, 8, 200, false, time.Millisecond, done); took > 21*time.Second {
			t.Errorf("200 readers took %s, want 20 s", took)
		}
		wg.Wait()
	})
}

func TestAcquireEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{Start: 1, MaxConcurrency: 1})
		held := acquire(t, g, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Acquire(ctx, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		if got := g.Stats(); got.Waiting != 0 || got.InFlight != 1 {
			t.Errorf("it left %+v", got)
		}
		held.Release(Outcome{})
		acquire(t, g, false).Release(Outcome{})
	})
}

// However requests come, go and fail, no slot is lost and the limit is kept.
func TestSlotsAreNeverLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		results := rapid.SliceOfN(rapid.SampledFrom([]Result{Done, Failed, Overloaded, Throttled, Abandoned}), 1, 200).Draw(rt, "results")
		limit := rapid.IntRange(1, 20).Draw(rt, "limit")
		synctest.Test(t, func(t *testing.T) {
			g := New(Options{MaxConcurrency: limit, MinDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond})
			var inFlight atomic.Int64
			var wg sync.WaitGroup
			for i, result := range results {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%7)*time.Second)
					defer cancel()
					s, err := g.Acquire(ctx, i%2 == 0)
					if err != nil {
						return
					}
					if n := inFlight.Add(1); n > int64(limit) {
						t.Errorf("%d under way, limit %d", n, limit)
					}
					time.Sleep(time.Duration(i%5) * time.Millisecond)
					inFlight.Add(-1)
					s.Release(Outcome{Result: result})
				})
			}
			wg.Wait()
			if got := g.Stats(); got.InFlight != 0 || got.Waiting != 0 || got.Limit < 1 || got.Limit > limit {
				rt.Errorf("afterwards: %+v", got)
			}
		})
	})
}

// What each request pays for being governed.
func BenchmarkAcquire(b *testing.B) {
	g := New(Options{RequestsPerMinute: 1 << 30, WritesPerMinute: 1 << 30})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s, err := g.Acquire(b.Context(), true)
			if err != nil {
				b.Error(err)
				return
			}
			s.Release(Outcome{})
		}
	})
}
