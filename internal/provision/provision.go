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

	"golang.org/x/time/rate"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Interval is how far apart creations are: an older quota page allows one every two seconds. FACTS B4 [D old]
const Interval = 2 * time.Second

// Target is Artifact Registry's control plane.
type Target interface {
	// Repository returns one repository; registry.NoRepository where it does not exist.
	Repository(ctx context.Context, r ref.TargetRepository) (document.TargetRepository, error)
	// Create creates a repository of format DOCKER and waits until it is there. One that exists is no error.
	Create(ctx context.Context, r ref.TargetRepository, description string) error
}

// Config is what Run needs to know.
type Config struct {
	Repositories []document.PlannedRepository
	Target       Target
	Interval     time.Duration  // between creations, 0 for Interval
	Progress     func(Progress) // called one call at a time; may be nil
	Logger       *slog.Logger
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

// Run creates what is missing. It looks at every repository before it creates the first one: where one cannot be used
// as it is, nothing is created. One creation that fails does not stop the others; the error names them all.
func Run(ctx context.Context, c Config) (Result, error) {
	result := Result{Created: []ref.TargetRepository{}, Existing: []ref.TargetRepository{}}
	missing, existing, err := Preview(ctx, c)
	if err != nil {
		return result, err
	}
	result.Existing = existing
	if c.Interval == 0 {
		c.Interval = Interval
	}
	limit := rate.NewLimiter(rate.Every(c.Interval), 1)
	var failed []error
	for i, r := range missing {
		if c.Progress != nil {
			c.Progress(Progress{Done: i, Total: len(missing), Creating: r.URI})
		}
		if err := limit.Wait(ctx); err != nil {
			return result, errors.Join(append(failed, err)...)
		}
		if err := c.Target.Create(ctx, r.URI, r.Description); err != nil {
			failed = append(failed, err)
			continue
		}
		c.Logger.Info("created", "repository", r.URI.String())
		result.Created = append(result.Created, r.URI)
	}
	if c.Progress != nil {
		c.Progress(Progress{Done: len(missing), Total: len(missing)})
	}
	return result, errors.Join(failed...)
}

// Preview says which repositories Run would create and which exist. The error names those that cannot be used as they
// are, or what could not be looked at.
func Preview(ctx context.Context, c Config) (missing []document.PlannedRepository, existing []ref.TargetRepository, err error) {
	existing = []ref.TargetRepository{}
	var unusable []error
	for _, planned := range c.Repositories {
		found, err := c.Target.Repository(ctx, planned.URI)
		switch {
		case registry.IsClass(err, registry.NoRepository):
			missing = append(missing, planned)
		case err != nil:
			unusable = append(unusable, err)
		default:
			existing = append(existing, planned.URI)
			if err := usable(found); err != nil {
				unusable = append(unusable, err)
			}
		}
	}
	return missing, existing, errors.Join(unusable...)
}

// usable says why images cannot be pushed to a repository, if they cannot.
func usable(r document.TargetRepository) error {
	switch {
	case r.Format != "" && r.Format != "DOCKER":
		return fmt.Errorf("the repository %s exists with the format %s, which holds no images: map to another repository id, or delete this one", r.URI, r.Format)
	case r.Mode != "" && r.Mode != "MODE_UNSPECIFIED" && r.Mode != "STANDARD_REPOSITORY":
		return fmt.Errorf("the repository %s is a %s, which cannot be pushed to: map to a standard repository", r.URI, r.Mode)
	}
	return nil
}
