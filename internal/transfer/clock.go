package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"transship/internal/registry"
)

// What is promised of Config.ImageTimeout: each image has a clock of its own, which begins when the image does and runs
// through all that the image waits for, what it shares with others included. When it ends, the image fails and says so.
// What others need too does not end with it: a child, an image that describes it and a bulk read of manifests are done
// apart, by clocks of their own, and a blob whose upload ended is taken up by the next one that needs it.

// late is the cause of a context that Config.ImageTimeout ended.
type late struct{ after time.Duration }

func (l *late) Error() string { return fmt.Sprintf("it was not done within %s", l.after) }

// Unwrap makes it what ends of contexts are.
func (l *late) Unwrap() error { return context.DeadlineExceeded }

// clock returns a context for one image, or for what is done apart from those who wait for it.
func (e *engine) clock(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.ImageTimeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, e.ImageTimeout, &late{e.ImageTimeout})
}

// isLate reports whether err says no more than that ctx's clock has ended.
func isLate(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() == nil {
		return false
	}
	_, is := errors.AsType[*late](context.Cause(ctx))
	return is && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled))
}

// timed makes the failure of n's own clock of an error that says no more than that it has ended.
func timed(ctx context.Context, n *node, err error) error {
	if !isLate(ctx, err) || isGone(err) {
		return err
	}
	return &registry.Error{
		Side: registry.Target, Op: "complete", Object: n.place.planned.Target.String() + "@" + n.manifest.Digest.String(),
		Class: registry.TimedOut, Err: err,
		Hint: `give --image-timeout more, or run "transship copy --retry-failed": what has arrived stays`,
	}
}

// once is a thing that is done once for all who need it. It is like sync.Once, except that who waits can give up.
type once struct {
	mu    sync.Mutex
	begun bool
	over  bool
	ended chan struct{} // nil until somebody waits
}

// begin reports whether it is the caller who does it.
func (o *once) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.begun
	o.begun = true
	return first
}

func (o *once) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	if o.ended != nil {
		close(o.ended)
		o.ended = nil
	}
}

// wait waits until it is done, or returns why ctx ended before.
func (o *once) wait(ctx context.Context) error {
	o.mu.Lock()
	if o.over {
		o.mu.Unlock()
		return nil
	}
	if o.ended == nil {
		o.ended = make(chan struct{})
	}
	ended := o.ended
	o.mu.Unlock()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// do does f once for all. The error is that of ctx, where it ends before f does.
func (o *once) do(ctx context.Context, f func(context.Context)) error {
	if o.begin() {
		defer o.end()
		f(ctx)
		return nil
	}
	return o.wait(ctx)
}

// apart is do, except that f goes on, by a clock of its own, where ctx ends by one.
func (e *engine) apart(ctx context.Context, o *once, f func(context.Context)) error {
	if e.ImageTimeout <= 0 {
		return o.do(ctx, f)
	}
	if o.begin() {
		e.others.Go(func() {
			defer o.end()
			ctx, cancel := e.clock(e.run)
			defer cancel()
			f(ctx)
		})
	}
	return o.wait(ctx)
}
