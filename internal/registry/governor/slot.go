package governor

import "time"

// Result is what became of a request, as far as the host's load is concerned.
type Result int

// The results.
const (
	Done       Result = iota // the host answered, whatever it said
	Failed                   // it broke off: says nothing about load
	Overloaded               // the host says that it cannot cope: where that is more than chance, fewer requests at once
	Throttled                // a quota is used up: fewer requests at once, and a pause for all
	Abandoned                // given up by its own side: says nothing
)

// Outcome is what became of a request.
type Outcome struct {
	Result     Result
	RetryAfter time.Duration // how long the host asked to wait, 0 where it did not; pauses all users of the host
}

// Slot is the right to have one request under way.
type Slot struct {
	governor *Governor
	round    int
	number   int64 // in the order in which slots were given out, from 1
	epoch    int   // of the relief
	write    bool
	sent     time.Time
	released bool
}

// Release gives the slot back and says what became of the request. Only the first call counts, so that the end of a
// body and its closing may both release.
func (s *Slot) Release(o Outcome) {
	s.governor.mu.Lock()
	defer s.governor.mu.Unlock()
	s.governor.release(s, o)
}

// release is Release under g.mu.
func (g *Governor) release(s *Slot, o Outcome) {
	if s.released {
		return
	}
	s.released = true
	under := g.inFlight
	g.inFlight--
	probe := g.probing && g.probe == s
	if probe {
		g.probe = nil
		g.probing = o.Result != Done
	}
	switch o.Result {
	case Done:
		g.succeeded(s, under)
	case Failed:
		g.stats.Failed++
	case Overloaded:
		g.stats.Overloaded++
		g.heed(s, under, true)
	case Throttled:
		g.stats.Throttled++
		g.throttled(s, probe, under, o)
	}
	if o.RetryAfter > 0 && o.Result != Done && o.Result != Abandoned {
		// A little later than asked, so that the processes that share a quota do not come back in one moment.
		g.pause(o.RetryAfter + time.Duration(g.opts.Random()*float64(min(o.RetryAfter/10, time.Second))))
	}
	g.dispatch()
}

// throttled learns from a refusal because of a quota, and has everybody wait.
func (g *Governor) throttled(s *Slot, probe bool, under int, o Outcome) {
	b := g.requests
	if s.write && g.written != nil {
		b = g.written
	}
	now, spread := time.Now(), b.spread
	b.refund(now, s.sent)
	g.note(s, true)
	wrong := g.chance.wrong()
	if wrong {
		s.round = g.round
	}
	var doubted, lonely bool
	if !probe && s.round == g.round {
		doubted, lonely = g.suspect(s, b, under)
		g.chance.open = g.chance.open && !wrong
	}
	switch {
	case probe: // the pause was too short: that says nothing about the limits
	case s.round != g.round:
		b.correct(now)
		return
	case lonely:
		g.round++
	case doubted:
		b.unlearn()
		g.round++
	case b.learn(now) && spread:
		g.round++ // the rate was the reason, not how many were under way
	default:
		g.decrease(s)
	}
	g.level++
	g.probing, g.probe = true, nil
	if o.RetryAfter <= 0 {
		g.pause(g.jitter(g.delay(g.level)))
		g.chance.set = g.resume
	}
}

// succeeded lets the limit grow, if it was what kept others from going.
func (g *Governor) succeeded(s *Slot, under int) {
	if s.round == g.round {
		g.level = 0
	}
	g.note(s, false)
	if g.heed(s, under, false) || g.relief.trial > 0 {
		return
	}
	if !g.settled {
		now := time.Now()
		g.limit = g.climb.step(g.limit, g.opts.MaxConcurrency, under, now.Sub(s.sent), now)
		return
	}
	if under < g.limit || g.limit >= g.opts.MaxConcurrency {
		return
	}
	if g.credit++; g.credit >= g.relief.round(g.limit) {
		g.limit = min(g.relief.grown(g.limit), g.opts.MaxConcurrency)
		g.credit = 0
	}
}

// heed has the relief judge an answer, and reports whether it changed the limit.
func (g *Governor) heed(s *Slot, under int, refused bool) bool {
	g.relief.climbs = !g.settled
	limit, why := g.relief.answer(s.epoch, g.limit, under, time.Since(s.sent), refused)
	if why == nothing {
		return false
	}
	if why == relieve {
		g.settled = true
	}
	g.limit, g.credit, g.climb.size = limit, 0, 0
	return true
}

// decrease halves the limit for a throttle, unless that was done since s was given out. It reports whether it did.
func (g *Governor) decrease(s *Slot) bool {
	if s.round != g.round {
		return false
	}
	g.round++
	g.settled = true
	g.credit = 0
	g.limit = max(1, g.limit/2)
	g.relief.forget()
	return true
}

// pause keeps everybody from getting a slot for d, or longer where a longer pause is on.
func (g *Governor) pause(d time.Duration) {
	now := time.Now()
	until := now.Add(min(d, g.opts.Horizon))
	if !until.After(g.resume) {
		return
	}
	from := now
	if g.resume.After(now) {
		from = g.resume
	}
	g.stats.Paused += until.Sub(from)
	g.resume = until
}

// delay returns the wait after n failures in a row.
func (g *Governor) delay(n int) time.Duration {
	d := g.opts.MinDelay
	for ; n > 1 && d < g.opts.MaxDelay; n-- {
		d *= 2
	}
	return min(d, g.opts.MaxDelay)
}

// jitter returns something between half of d and d. g.mu is held.
func (g *Governor) jitter(d time.Duration) time.Duration {
	return d/2 + time.Duration(g.opts.Random()*float64(d/2))
}
