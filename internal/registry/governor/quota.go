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
