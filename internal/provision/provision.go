// Package provision makes the target ready: it creates the Artifact Registry repositories that a plan needs and that do
// not exist, and gives those that do the settings that are planned. It can be run again at any time, and does only what
// is missing.
//
//	plan.json ─ repositories ─→ Preview ─ changes ─→ Apply ─┬─→ repositories.create, one for each that is missing
//	                                                         └─→ repositories.patch, one for each that differs
package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Interval is how far apart creations are: an older quota page allows one every two seconds. FACTS B4 [D old]
const Interval = 2 * time.Second

// looks is how many repositories are looked at at once. A look is a read, which Artifact Registry allows 1,000 of a
// second. FACTS B4 [D].
const looks = 8

// Target is Artifact Registry's control plane.
type Target interface {
	// Repository returns one repository; registry.NoRepository where it does not exist.
	Repository(ctx context.Context, r ref.TargetRepository) (document.TargetRepository, error)
	// Create creates a repository of format DOCKER with all settings but immutable tags, and waits until it is there. One
	// that exists is no error, and left as it is.
	Create(ctx context.Context, r ref.TargetRepository, description string, s document.TargetSettings) (existed bool, err error)
	// Update reads a repository afresh, asks which settings it shall have, and sends those that differ. It sends nothing
	// where decide fails, whose error it returns.
	Update(ctx context.Context, r ref.TargetRepository, decide func(document.TargetRepository) (document.TargetSettings, error)) error
}

// Config is what Preview and Apply need to know.
type Config struct {
	Repositories []document.PlannedRepository // each once
	Finish       bool                         // make tags immutable where that is planned
	Target       Target
	Interval     time.Duration  // between the beginnings of two creations, 0 for Interval
	Progress     func(Progress) // called one call at a time; may be nil
	Logger       *slog.Logger   // may be nil
}

// Progress is how far the run has come.
type Progress struct {
	Done, Total int
	Current     ref.TargetRepository // the one that is being created or changed, or the zero value
}

// Run is Preview and Apply in one.
func Run(ctx context.Context, c Config) (Result, error) {
	changes, err := Preview(ctx, c)
	if err != nil {
		return newResult(), err
	}
	return Apply(ctx, c, changes)
}

// Preview says what Apply would do with each repository, in the plan's order, at the cost of one request each. The error
// names those that cannot be used as they are, and what could not be looked at; then nothing may be applied.
func Preview(ctx context.Context, c Config) ([]desired.Change, error) {
	changes, problems := make([]desired.Change, len(c.Repositories)), make([]error, len(c.Repositories))
	var g errgroup.Group
	g.SetLimit(looks)
	for i, planned := range c.Repositories {
		g.Go(func() error {
			changes[i], problems[i] = look(ctx, c, planned)
			return nil
		})
	}
	_ = g.Wait() // each keeps its own error
	return changes, errors.Join(problems...)
}

// look says what becomes of one repository. The error is about one that cannot be used or looked at.
func look(ctx context.Context, c Config, planned document.PlannedRepository) (desired.Change, error) {
	found, err := c.Target.Repository(ctx, planned.URI)
	existing := &found
	switch {
	case registry.IsClass(err, registry.NoRepository):
		existing = nil
	case err != nil:
		return desired.Change{}, err
	}
	change := desired.Diff(planned, existing, c.Finish)
	return change, usable(change)
}

// usable is the error of a repository that cannot be used.
func usable(c desired.Change) error {
	var wrong []error
	for _, conflict := range c.Conflicts {
		wrong = append(wrong, &registry.Error{Side: registry.Target, Op: "use repository", Object: c.Repository.String(),
			Class: registry.Unsupported, Err: errors.New(conflict.Reason), Hint: conflict.Remedy})
	}
	return errors.Join(wrong...)
}

// Apply makes the changes that Preview found. Repositories that exist are read afresh before they are changed, so that
// what others did meanwhile stays. One that fails does not stop the others; the error names them all, and the result what
// was done nevertheless.
func Apply(ctx context.Context, c Config, changes []desired.Change) (Result, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Interval == 0 {
		c.Interval = Interval
	}
	r := &run{Config: c, limit: rate.NewLimiter(rate.Every(c.Interval), 1), result: newResult()}
	for _, change := range changes {
		if !change.Nothing() {
			r.total++
		}
	}
	var failed []error
	for _, change := range changes {
		if change.Nothing() {
			r.result.unchanged(change)
			continue
		}
		err := r.apply(ctx, change)
		if stop, stopped := errors.AsType[*stopError](err); stopped {
			failed = append(failed, fmt.Errorf("stopped before %d of %d repositories were tried, the next one %s: %w", r.total-r.done, r.total, change.Repository, stop.err))
			break
		}
		r.done++
		if err != nil {
			failed = append(failed, err)
		}
	}
	c.Progress(Progress{Done: r.done, Total: r.total})
	return r.result, errors.Join(failed...)
}

// run is one Apply.
type run struct {
	Config
	limit       *rate.Limiter
	done, total int
	result      Result
}

// stopError ends a run before a repository was tried.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

// apply makes one change.
func (r *run) apply(ctx context.Context, c desired.Change) error {
	r.Progress(Progress{Done: r.done, Total: r.total, Current: c.Repository})
	if !c.Create {
		if ctx.Err() != nil {
			return &stopError{ctx.Err()}
		}
		return r.update(ctx, c)
	}
	if err := r.limit.Wait(ctx); err != nil {
		return &stopError{err}
	}
	existed, err := r.Target.Create(ctx, c.Repository, c.Description, c.Settings)
	if err != nil {
		return err
	}
	if existed { // by now: by somebody else, or by a creation of ours whose answer was lost
		return r.update(ctx, c)
	}
	r.Logger.Info("created", "repository", c.Repository.String())
	r.result.created(c)
	return nil
}

// update changes what differs of a repository that exists, and tells of it.
func (r *run) update(ctx context.Context, c desired.Change) error {
	fresh := c
	err := r.Target.Update(ctx, c.Repository, func(found document.TargetRepository) (document.TargetSettings, error) {
		fresh = c.Again(found)
		return fresh.Settings, usable(fresh)
	})
	switch {
	case err != nil:
		return err
	case !fresh.Nothing():
		r.Logger.Info("changed", "repository", c.Repository.String(), "steps", len(fresh.Steps))
		r.result.changed(fresh)
	case c.Create:
		r.result.created(fresh)
	default:
		r.result.unchanged(fresh)
	}
	return nil
}
