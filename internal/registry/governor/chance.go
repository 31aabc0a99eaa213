package governor

import "time"

const (
	// mostNeeded is how many requests that were sent after one that was throttled must pass to show that it was by chance,
	// where so many were under way.
	mostNeeded = 8
	// firstDoubt is how many throttles in a row, each of which stayed alone, make what was learned doubtful; in vain, it is
	// twice as many the next time, up to lastDoubt.
	firstDoubt = 5
	lastDoubt  = 80
)

// chance watches what becomes of the requests that were sent after one that was throttled and before its answer came. A
// quota that is used up refuses them, too. Where they pass, the refusal was one of a few by chance, and what was learned
// from it is taken back: otherwise one throttle in a hundred requests would bring the rate down to nothing.
//
// Where a rate was learned already, a throttle that stays alone may say that it was just exceeded, and nothing is taken
// back; but where it goes on like that, it is tried whether there is a quota at all.
type chance struct {
	after   int64 // the number of the throttled request
	until   int64 // and of the last one before its answer
	passed  int   // of those between, so far
	refused int
	alone   int // throttles in a row, while a rate was learned, that stayed alone
	doubt   int // how many of them are needed

	open    bool // it may be taken back
	back    bool // it was
	budget  *budget
	learned budget // what that was before
	limit   int
	settled bool
	ceiling int
	resume  time.Time // the end of the pause before
	set     time.Time // and of its own
}

// suspect takes note of how everything is before a throttle changes it. It reports whether what was learned is in doubt,
// and whether the throttle came alone long after the last one, which is not enough to learn from.
func (g *Governor) suspect(s *Slot, b *budget, under int) (doubted, lonely bool) {
	c := &g.chance
	lonely = !b.spread && s.number == g.stats.Requests && s.number-c.until > evidence
	alone, doubt := 0, max(c.doubt, firstDoubt)
	if b.spread && c.refused*3 <= c.passed {
		alone = c.alone + 1
	}
	doubted = alone >= doubt
	if doubted {
		alone, doubt = 0, min(2*doubt, lastDoubt)
	}
	*c = chance{
		after: s.number, until: g.stats.Requests, alone: alone, doubt: doubt, open: !b.spread, budget: b, learned: *b,
		limit: g.limit, settled: g.settled, ceiling: g.relief.ceiling, resume: g.resume,
	}
	if lonely { // those that were sent before it may tell
		c.after, c.open, c.back = s.number-int64(under), false, true
	}
	return doubted, lonely
}

// note hears of a request that passed or was throttled, and takes the last throttle back once that shows it was chance.
func (g *Governor) note(s *Slot, throttled bool) {
	c := &g.chance
	if s.number <= c.after || s.number > c.until {
		return
	}
	if throttled {
		c.refused++
		return
	}
	c.passed++
	later := int(c.until - c.after)
	if need := max(1, min(mostNeeded, later*3/4)); c.open && c.passed >= need && c.passed >= 3*c.refused {
		c.open, c.back, c.doubt = false, true, firstDoubt
		g.takeBack()
	}
}

// wrong reports whether the last throttle was taken back too early: in the end too many were refused with it.
func (c *chance) wrong() bool { return c.back && c.refused > few && c.refused*4 > int(c.until-c.after) }

// takeBack undoes what the last throttle changed, but for a pause that the host asked for.
func (g *Governor) takeBack() {
	c, now := &g.chance, time.Now()
	b := c.budget
	sum, buckets := b.sum, b.buckets
	*b = c.learned
	b.sum, b.buckets, b.passed, b.due = sum, buckets, 0, now
	g.limit, g.settled, g.relief.ceiling = c.limit, c.settled, c.ceiling
	g.level = 0
	if g.resume.Equal(c.set) && g.resume.After(now) {
		g.stats.Paused -= g.resume.Sub(now)
		g.resume, g.probing, g.probe = now, false, nil
	}
}
