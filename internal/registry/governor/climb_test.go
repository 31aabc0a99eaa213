package governor

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// busy answers requests one after the other, each taking a while of its time, after the way to it.
type busy struct {
	rtt, each time.Duration

	mu   sync.Mutex
	free time.Time
}

// serve answers one request.
func (b *busy) serve() {
	time.Sleep(b.rtt / 2)
	b.mu.Lock()
	if now := time.Now(); b.free.Before(now) {
		b.free = now
	}
	b.free = b.free.Add(b.each)
	turn := time.Until(b.free)
	b.mu.Unlock()
	time.Sleep(turn + b.rtt/2)
}

func timeOf(o Options, b *busy, n int) (took time.Duration, limit int) {
	g := New(o)
	g.Distance(b.rtt)
	took = run(g, 300, n, false, 0, func(int) Outcome { b.serve(); return Outcome{} })
	return took, g.Stats().Limit
}

// Without being told, the governor is about as fast as the best fixed limit, and opens no more connections than that is
// worth.
func TestClimbFindsTheConcurrency(t *testing.T) {
	for _, c := range []struct {
		rtt, each time.Duration
		most      int // slots that it may end with
	}{
		{0, time.Millisecond, 100},
		{2 * time.Millisecond, 200 * time.Microsecond, 100},
		{40 * time.Millisecond, 500 * time.Microsecond, 160},
		{40 * time.Millisecond, 100 * time.Microsecond, 256},
		{150 * time.Millisecond, 300 * time.Microsecond, 256},
	} {
		t.Run(fmt.Sprintf("%s, %s each", c.rtt, c.each), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 6000
				best := time.Hour
				for _, limit := range []int{8, 16, 32, 64, 128, 256} {
					took, _ := timeOf(Options{Start: limit, MaxConcurrency: limit}, &busy{rtt: c.rtt, each: c.each}, n)
					best = min(best, took)
				}
				took, limit := timeOf(Options{}, &busy{rtt: c.rtt, each: c.each}, n)
				t.Logf("%s with %d slots at the end, the best fixed limit %s", took, limit, best)
				if took > best*11/10 {
					t.Errorf("took %s, the best fixed limit %s", took, best)
				}
				if limit > c.most {
					t.Errorf("it ended with %d slots, want at most %d", limit, c.most)
				}
			})
		})
	}
}
