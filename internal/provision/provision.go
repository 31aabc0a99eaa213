// Package provision makes the target ready: it creates the Artifact Registry repositories that a plan needs and that do
// not exist. It changes none that exists, and it can be run again at any time.
//
//	plan.json ─ repositories ─→ Run ─→ repositories.create, one for each that is missing
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
	// Create creates a repository of format DOCKER and waits until it is there. One that exists is no error.
	Create(ctx context.Context, r ref.TargetRepository, description string) error
}

// Config is what Run needs to know.
type Config struct {
	Repositories []document.PlannedRepository // each once
	Target       Target
	Interval     time.Duration  // between the beginnings of two creations, 0 for Interval
	Progress     func(Progress) // called one call at a time; may be nil
	Logger       *slog.Logger   // may be nil
}

// Progress is how far the run has come.
type Progress struct {
	Done, Total int
	Creating    ref.TargetRepository // the one that is being created, or the zero value
}

// Result is what became of each repository, in the plan's order.
type Result struct {
	Created  []ref.TargetRepository `json:"created"`
	Existing []ref.TargetRepository `json:"existing"`
}

// Run creates what is missing. It looks at every repository before it creates the first one, whatever the plan says
// about it: where one cannot be used as it is, nothing is created. One creation that fails does not stop the others;
// the error names them all, and the result what was created nevertheless.
func Run(ctx context.Context, c Config) (Result, error) {
	result := Result{Created: []ref.TargetRepository{}, Existing: []ref.TargetRepository{}}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Interval == 0 {
		c.Interval = Interval
	}
	missing, existing, err := Preview(ctx, c)
	if err != nil {
		return result, err
	}
	result.Existing = existing
	limit := rate.NewLimiter(rate.Every(c.Interval), 1)
	var failed []error
	for i, r := range missing {
		c.Progress(Progress{Done: i, Total: len(missing), Creating: r.URI})
		if err := limit.Wait(ctx); err != nil {
			failed = append(failed, fmt.Errorf("stopped before %d of %d repositories were tried, the next one %s: %w", len(missing)-i, len(missing), r.URI, err))
			break
		}
		if err := c.Target.Create(ctx, r.URI, r.Description); err != nil {
			failed = append(failed, err)
			continue
		}
		c.Logger.Info("created", "repository", r.URI.String())
		result.Created = append(result.Created, r.URI)
	}
	c.Progress(Progress{Done: len(result.Created) + len(failed), Total: len(missing)})
	return result, errors.Join(failed...)
}

// Preview says which repositories Run would create and which exist, in the plan's order, at the cost of one request
// each. The error names those that cannot be used as they are, and what could not be looked at.
func Preview(ctx context.Context, c Config) (missing []document.PlannedRepository, existing []ref.TargetRepository, err error) {
	there, problems := make([]bool, len(c.Repositories)), make([]error, len(c.Repositories))
	var g errgroup.Group
	g.SetLimit(looks)
	for i, planned := range c.Repositories {
		g.Go(func() error {
			found, err := c.Target.Repository(ctx, planned.URI)
			switch {
			case registry.IsClass(err, registry.NoRepository):
			case err != nil:
				problems[i] = err
			default:
				there[i], problems[i] = true, usable(planned.URI, found)
			}
			return nil
		})
	}
	_ = g.Wait() // each keeps its own error
	missing, existing = []document.PlannedRepository{}, []ref.TargetRepository{}
	for i, planned := range c.Repositories {
		if there[i] {
			existing = append(existing, planned.URI)
		} else if problems[i] == nil {
			missing = append(missing, planned)
		}
	}
	return missing, existing, errors.Join(problems...)
}

// usable says why images cannot be pushed to a repository that exists, or nothing. FACTS B2 [S].
func usable(r ref.TargetRepository, found document.TargetRepository) error {
	wrong := &registry.Error{Side: registry.Target, Op: "use repository", Object: r.String(), Class: registry.Unsupported,
		Hint: "map to another repository, which Transship creates"}
	switch {
	case found.Format != "" && found.Format != "DOCKER":
		wrong.Err = fmt.Errorf("it exists with the format %s, which holds no images", found.Format)
	case found.Mode != "" && found.Mode != "MODE_UNSPECIFIED" && found.Mode != "STANDARD_REPOSITORY":
		wrong.Err = fmt.Errorf("it exists as a %s, which takes no pushes", found.Mode)
	default:
		return nil
	}
	return wrong
}
