package governor

import "time"

const (
	// evidence is how many requests must have passed within the window before a refusal says anything about its size.
	evidence = 16
	// slack is how far a spread budget may catch up with lost time at once: timers are no finer than that.
	slack = 20 * time.Millisecond
	// grains is how finely a window is counted.
	grains = 240
)

// budget is how many requests a host takes within any window of time, wherever it begins. A budget that is known, such
// as a documented quota, is not spread: a small migration is done before a spread quota would have let it begin in
// earnest, and a large one is as fast on average.
//
// What nobody knows is learned from refusals: what had passed within the window when the host refused, less a tenth, is
// what is sent from then on, and spread, so that a refusal costs the few requests that are under way, and that those
// who share the quota each keep a part of it. It grows again little by little, so that it follows a quota that others
// leave or that was raised; what it loses on the way to the next refusal is a few requests in a hundred.
type budget struct {
	window time.Duration
	known  int // 0: not known
	floor  int // what is learned is never less

	limit  int  // at present; 0: none
	spread bool // the limit was learned
	passed int  // what had passed in the window before the present round of refusals; 0: too little to tell
	grown  time.Time
	steps  int       // by which it grew since the last refusal
	due    time.Time // when the next may go, where they are spread

	sum     int
	buckets []bucket // oldest first, none older than the window
}

// bucket is how many requests went within a grain.
type bucket struct {
	start time.Time
	count int
}

// newBudget returns a budget of known requests within each window; 0 leaves that to be learned.
func newBudget(window time.Duration, known int) *budget {
	b := &budget{window: window, known: known, limit: known, floor: 10}
	if known > 0 {
		b.floor = max(1, known/50)
	}
	return b
}

func (b *budget) grain() time.Duration { return b.window / grains }

// over is when the requests of a bucket no longer count.
func (b *budget) over(k bucket) time.Time { return k.start.Add(b.grain() + b.window) }

func (b *budget) forget(now time.Time) {
	for len(b.buckets) > 0 && !b.over(b.buckets[0]).After(now) {
		b.sum -= b.buckets[0].count
		b.buckets = b.buckets[1:]
	}
}

func (b *budget) wait(now time.Time) time.Duration {
	b.forget(now)
	b.grow(now)
	var wait time.Duration
	if b.spread {
		wait = max(0, b.due.Sub(now))
	}
	if b.limit > 0 && b.sum >= b.limit {
		wait = max(wait, b.over(b.buckets[0]).Sub(now))
	}
	return wait
}

func (b *budget) pay(now time.Time) {
	b.sum++
	if b.spread {
		if late := now.Add(-slack); b.due.Before(late) {
			b.due = late
		}
		b.due = b.due.Add(b.window / time.Duration(b.limit))
	}
	if last := len(b.buckets) - 1; last >= 0 && now.Sub(b.buckets[last].start) < b.grain() {
		b.buckets[last].count++
		return
	}
	b.buckets = append(b.buckets, bucket{start: now, count: 1})
}

// refund takes back a request that went at sent and was refused because of a quota: it used up nothing.
func (b *budget) refund(now, sent time.Time) {
	b.forget(now)
	for i := len(b.buckets) - 1; i >= 0; i-- {
		if !b.buckets[i].start.After(sent) {
			if b.buckets[i].count > 0 {
				b.buckets[i].count--
				b.sum--
			}
			return
		}
	}
}

// learn makes the limit what had passed, less a tenth, at the first refusal of a round. It reports whether that was
// enough to tell.
func (b *budget) learn(now time.Time) bool {
	if !b.spread && b.sum < evidence {
		b.passed = 0
		return false
	}
	b.passed = b.sum
	if b.limit > 0 {
		b.passed = min(b.passed, b.limit)
	}
	if !b.spread {
		b.due = now
	}
	b.spread = true
	b.lessen(now)
	return true
}

// correct takes note of a further refusal of the same round: one less had passed than was thought.
func (b *budget) correct(now time.Time) {
	if b.passed > 0 {
		b.passed--
		b.lessen(now)
	}
}

func (b *budget) lessen(now time.Time) {
	b.limit, b.grown, b.steps = max(b.floor, b.passed*9/10), now, 0
}

// unlearn forgets what was learned.
func (b *budget) unlearn() { b.limit, b.spread, b.passed = b.known, false, 0 }

// grow gives back, as time passes without a refusal, some of what refusals took: little at first, so that the limit is
// found again gently, and ever more once some windows were calm, since somebody who shared the quota may have left.
func (b *budget) grow(now time.Time) {
	if !b.spread {
		return
	}
	every, step, calm := time.Second, b.limit/100+1, 10
	if b.window > 10*time.Second {
		every, step, calm = b.window/12, max(b.known/600, b.limit/240, 1), 12
	}
	for now.Sub(b.grown) >= every {
		b.grown = b.grown.Add(every)
		b.steps++
		b.limit += step << min(max(0, b.steps-calm)/(calm/2), 8)
	}
	if b.known > 0 && b.limit >= b.known {
		b.limit, b.spread = b.known, false
	}
}
