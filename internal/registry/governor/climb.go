package governor

import "time"

const (
	// gain is how much of the further concurrency of a round must have become speed for more of it to be worth it: twice
	// as many requests under way as in the best round before must have been faster by two fifths.
	gain = 0.4
	// futileRounds is how many rounds without a gain end the climb: one may be bad luck.
	futileRounds = 2
	// firstRest is how long a climb that ended rests before it is tried again; every further rest is twice as long, up
	// to lastRest. Circumstances change, and a round may have been measured while nothing was to be gained.
	firstRest = 2 * time.Second
	lastRest  = time.Minute
)

// climb finds out how much concurrency makes requests faster, as long as nothing was refused: after a round that shows
// what the first limit is worth, it lets the limit double in each round of as many successes as there are slots, and stops
// where that brought nothing. More would only cost connections, memory and the patience of the other side: over a short
// distance the processors are the bottleneck and some dozens of requests are plenty, over a long one hundreds are under
// way. Speed is how many were under way by how long they took, which does not depend on when in a round the answers come.
type climb struct {
	warm   bool          // a round is over: connections are there
	size   int           // how many successes make this round; 0 while there is none
	count  int           // of them so far
	took   time.Duration // the sum of the times from slot to release
	under  int           // the sum of how many were under way at each release
	best   float64       // successes a second in the best round so far
	among  float64       // how many were under way in that round, on average
	at     int           // the limit that it began with
	futile int           // rounds since then that were no faster
	rest   time.Duration // how long the present or last rest is
	rests  time.Time     // until when the limit stays
}

// step takes note of a success that took so long while under requests were under way, and returns the new limit. Where
// those were fewer than the limit, it was not what kept others from going, and the round says nothing.
func (c *climb) step(limit, most, under int, took time.Duration, now time.Time) int {
	if under < limit {
		c.size = 0
		return limit
	}
	if now.Before(c.rests) {
		return limit
	}
	if c.size == 0 {
		c.begin(limit)
	}
	c.count++
	c.took += took
	c.under += under
	if c.best > 0 && c.futile == 0 && limit < most {
		limit++
	}
	if c.count >= c.size {
		limit = c.judge(limit, now)
		c.begin(limit)
	}
	return limit
}

func (c *climb) begin(limit int) { c.size, c.count, c.took, c.under = limit, 0, 0, 0 }

// judge ends a round.
func (c *climb) judge(limit int, now time.Time) int {
	if !c.warm { // its requests had to wait for connections, which says nothing
		c.warm = true
		return limit
	}
	if c.took <= 0 { // the clock is too coarse to tell
		return limit
	}
	speed, among := float64(c.under)/c.took.Seconds(), float64(c.under)/float64(c.count)
	if c.best == 0 || speed >= c.best*(1+gain*(among/c.among-1)) {
		c.best, c.among, c.at, c.futile = speed, among, c.size, 0
		return limit
	}
	if c.futile++; c.futile < futileRounds {
		return limit
	}
	// What was fast once may be slow now: the next climb measures anew.
	limit = min(limit, c.at)
	c.best, c.futile = 0, 0
	c.rest = min(max(2*c.rest, firstRest), lastRest)
	c.rests = now.Add(c.rest)
	return limit
}
