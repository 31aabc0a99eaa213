package governor

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/underrace"
)

// Where a host throttles a few requests by chance, without saying for how long, no quota is learned from that.
func TestThrottlesByChanceAreNoQuota(t *testing.T) {
	const requests = 12000
	for name, opts := range map[string]Options{
		"by the second": {}, "by the minute": {RequestsPerMinute: 60_000, WritesPerMinute: 18_000},
	} {
		for _, rtt := range []time.Duration{40 * time.Millisecond, 150 * time.Millisecond} {
			for n, share := range []float64{0.002, 0.01, 0.02, 0.04} {
				if underrace.On && n != 2 {
					continue
				}
				t.Run(fmt.Sprintf("%s, %.1f %% at %s", name, 100*share, rtt), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c := coping{rtt: rtt, took: 20 * time.Millisecond, share: share}
						best := c.best(requests, 0, 256)
						opts := opts
						opts.Random = half
						g := New(opts)
						g.Distance(rtt)
						took := operate(g, c.begin(), requests, Throttled)
						t.Logf("%s, %.2f times as long as the best fixed limit; %+v", took, took.Seconds()/best.Seconds(), g.Stats())
						if took > best*2 { // one that has bad luck and is learned from costs some seconds, not minutes
							t.Errorf("took %s, the best fixed limit %s", took, best)
						}
					})
				})
			}
		}
	}
}

// A throttle that those which were sent after it share is learned from, as ever; one that stays alone is taken back, with
// the pause that nobody asked for.
func TestAThrottleAloneIsTakenBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		after   Result
		asked   time.Duration
		limit   int
		pausing bool
	}{
		{"alone", Done, 0, 32, false},
		{"alone, and asked to wait", Done, time.Second, 32, true},
		{"with those after it", Throttled, 0, 16, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := New(Options{Start: 32, Random: half})
				var slots []*Slot
				for range 32 {
					slots = append(slots, acquire(t, g, false))
				}
				slots[0].Release(Outcome{Result: Throttled, RetryAfter: c.asked})
				if got := g.Stats(); got.Limit != 16 || !got.Pausing {
					t.Errorf("at first: %+v, want the limit 16 and a pause", got)
				}
				for _, s := range slots[1:] {
					s.Release(Outcome{Result: c.after})
				}
				if got := g.Stats(); got.Limit != c.limit || got.Pausing != c.pausing || got.InFlight != 0 {
					t.Errorf("in the end: %+v, want the limit %d and a pause: %v", got, c.limit, c.pausing)
				}
			})
		})
	}
}
