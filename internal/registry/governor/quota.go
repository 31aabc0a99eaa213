package governor

import (
	"time"

	"golang.org/x/time/rate"
)

// quota says when one more request may go.
type quota interface {
	// wait is how long that is from now; 0 is at once.
	wait(now time.Time) time.Duration
	// pay counts one that goes now.
	pay(now time.Time)
}

// pace spreads requests evenly.
type pace struct{ limiter *rate.Limiter }

func (p pace) wait(now time.Time) time.Duration {
	missing := 1 - p.limiter.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	// A microsecond more, so that rounding never leaves the token just short.
	return time.Duration(missing/float64(p.limiter.Limit())*float64(time.Second)) + time.Microsecond
}

func (p pace) pay(now time.Time) { p.limiter.AllowN(now, 1) }

// grain is how finely a minute's requests are counted.
const grain = 250 * time.Millisecond

// minute lets at most limit requests pass in any minute, wherever it begins, and does not spread them: a small
// migration is done before a spread quota would have let it begin in earnest, and a large one is as fast on average.
type minute struct {
	limit   int
	sum     int
	buckets []bucket // oldest first, none older than a minute
}

// bucket is how many requests went within a grain.
type bucket struct {
	start time.Time
	count int
}

// over is when the requests of b no longer count.
func (b bucket) over() time.Time { return b.start.Add(grain + time.Minute) }

func (m *minute) wait(now time.Time) time.Duration {
	for len(m.buckets) > 0 && !m.buckets[0].over().After(now) {
		m.sum -= m.buckets[0].count
		m.buckets = m.buckets[1:]
	}
	if m.sum < m.limit {
		return 0
	}
	return m.buckets[0].over().Sub(now)
}

func (m *minute) pay(now time.Time) {
	m.sum++
	if last := len(m.buckets) - 1; last >= 0 && now.Sub(m.buckets[last].start) < grain {
		m.buckets[last].count++
		return
	}
	m.buckets = append(m.buckets, bucket{start: now, count: 1})
}

// longest is how long until each quota lets one more go.
func longest(quotas []quota, now time.Time) time.Duration {
	var wait time.Duration
	for _, q := range quotas {
		wait = max(wait, q.wait(now))
	}
	return wait
}

func pay(quotas []quota, now time.Time) {
	for _, q := range quotas {
		q.pay(now)
	}
}
