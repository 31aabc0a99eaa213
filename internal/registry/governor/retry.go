package governor

import (
	"context"
	"fmt"
	"time"
)

// minTries is how often an operation is tried at least, however long each try took.
const minTries = 3

// Advice is what to do after a try that failed.
type Advice int

// The advices.
const (
	Stop     Advice = iota // trying again is no use
	Again                  // after a wait of its own, which grows
	AgainNow               // as soon as there is a slot: the shared pause, or a fresh credential, is wait enough
)

// GaveUp is the error of an operation that was tried again until its patience ended.
type GaveUp struct {
	Err   error // of the last try
	Tries int
	After time.Duration // since the first try or the last progress
}

// Error is the last try's error and how much was tried.
func (e *GaveUp) Error() string {
	return fmt.Sprintf("%v (gave up after %d tries in %s)", e.Err, e.Tries, e.After.Round(time.Second))
}

// Unwrap returns the last try's error.
func (e *GaveUp) Unwrap() error { return e.Err }

// Do calls try until it succeeds, advise says Stop, or there was no success for the horizon (but three times at least);
// the error is then a *GaveUp. It is the one owner of retries: try acquires and releases its slots itself, so that an
// operation that waits to be tried again holds none. When ctx ends, the error is that of the last try.
func (g *Governor) Do(ctx context.Context, advise func(error) Advice, try func(context.Context) error) error {
	p := g.Patience()
	for {
		err := try(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		advice := advise(err)
		if advice == Stop {
			return err
		}
		if err := p.Wait(ctx, err, advice); err != nil {
			return err
		}
	}
}

// Patience is the patience that one operation has with a host. It is not safe for concurrent use.
type Patience struct {
	governor *Governor
	since    time.Time
	tries    int
	waits    int
}

// Patience returns fresh patience, whose time begins now.
func (g *Governor) Patience() *Patience { return &Patience{governor: g, since: time.Now()} }

// Progress begins the patience anew: something was achieved.
func (p *Patience) Progress() { p.since, p.tries, p.waits = time.Now(), 0, 0 }

// Wait waits before the next try, as advice says, after one that failed with err. It returns err when ctx ends, and a
// *GaveUp with err when the patience has ended.
func (p *Patience) Wait(ctx context.Context, err error, advice Advice) error {
	p.tries++
	g := p.governor
	if passed := time.Since(p.since); p.tries >= minTries && passed >= g.opts.Horizon {
		return &GaveUp{Err: err, Tries: p.tries, After: passed}
	}
	var wait time.Duration
	g.mu.Lock()
	g.stats.Retries++
	if advice == Again {
		p.waits++
		wait = g.jitter(g.delay(p.waits))
	}
	g.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return err
	}
}
