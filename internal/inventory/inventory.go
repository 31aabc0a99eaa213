package inventory

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Source is one ECR registry.
type Source interface {
	Registry() ref.Registry
	// Repositories yields every repository with its settings. After an error it yields nothing more.
	Repositories(ctx context.Context) iter.Seq2[document.SourceRepository, error]
	// Images yields every image of repo, whatever its status. After an error it yields nothing more.
	Images(ctx context.Context, repo ref.Repository) iter.Seq2[document.SourceImage, error]
	// Referrers returns the images that describe subject.
	Referrers(ctx context.Context, repo ref.Repository, subject digest.Digest) ([]document.SourceImage, error)
}

// Target is Artifact Registry.
type Target interface {
	// Repository returns one repository with its settings; registry.NoRepository where it does not exist.
	Repository(ctx context.Context, r ref.TargetRepository) (document.TargetRepository, error)
	// Images yields every image of r. After an error it yields nothing more.
	Images(ctx context.Context, r ref.TargetRepository) iter.Seq2[document.TargetImage, error]
	// PackageImages yields every image at one path, none where the path does not exist. After an error it yields nothing more.
	PackageImages(ctx context.Context, image ref.TargetImage) iter.Seq2[document.TargetImage, error]
}

// ReferrersMode says how referrers are looked for that the sweeps do not show.
type ReferrersMode string

// The modes. The zero value is ReferrersAuto.
const (
	ReferrersAuto   ReferrersMode = "auto"   // ask about every image where a probe shows that the sweeps hide them
	ReferrersOff    ReferrersMode = "off"    // trust the sweeps
	ReferrersAlways ReferrersMode = "always" // ask about every image: one request each
)

// DefaultConcurrency is how many repositories of one registry are listed at a time. How many ECR bears is not published
// (FACTS F1 [U]); where it throttles, the adapter slows down.
const DefaultConcurrency = 24

// Config is what Run needs to know.
type Config struct {
	Migration document.Migration
	Sources   []Source
	Target    Target
	Mapping   ref.Mapping // leads to the target repositories that matter
	Scope     ref.Scope   // images are listed only of repositories in scope; repositories all
	// Previous calls each with every source image of an earlier inventory of the same migration, of which the pull times
	// stay. It is called when the source has been listed. May be nil.
	Previous func(each func(document.SourceImage))
	// Caches are the repositories that ECR filled from another registry by an earlier inventory, and from which. They are
	// asked for only where ECR cannot be. May be nil.
	Caches      func() map[ref.Repository]string
	Concurrency int           // requests at a time to one registry, 0 for DefaultConcurrency
	Referrers   ReferrersMode //
	// Tolerant makes a target repository that cannot be listed one of the failures, together with all source repositories
	// that lead there, rather than the end.
	Tolerant bool
	Progress func(Progress) // called one call at a time; may be nil
	Logger   *slog.Logger   // may be nil
}

// Progress is how far the listing of one side has come.
type Progress struct {
	Side         registry.Side
	Repositories int // found so far
	Listed       int // of them, whose images are listed
	Images       int // found so far
}

// Run lists both sides at the same time, the target as soon as the repositories of the sources are known. What cannot be listed at the source is among the inventory's failures, and the
// rest goes on. The error says that all of the source failed, or something of the target; the inventory then holds what
// there is.
func Run(ctx context.Context, c Config) (document.Inventory, error) {
	inv := document.Inventory{Header: document.NewHeader(document.KindInventory, c.Migration), Scope: document.NewScope(c.Scope)}
	c.Progress = serialised(c.Progress) // by both sides
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errSide := errors.New("the other side failed")
	var sourceErr, targetErr error
	var wg sync.WaitGroup
	var m mapped
	var failed unlisted
	m.naming.Add(len(c.Sources))
	wg.Go(func() {
		if inv.Source, inv.Failures, sourceErr = listSource(ctx, c, m.add); sourceErr != nil {
			cancel(errSide)
		}
	})
	wg.Go(func() {
		inv.Target, targetErr = listTarget(ctx, c, c.Mapping.Targets(), func() []ref.TargetImage { return m.paths(c) }, failed.keep)
		if targetErr != nil {
			cancel(errSide)
		}
	})
	wg.Wait()
	inv.Failures = append(inv.Failures, failed.failures(c, inv.Source.Repositories)...)
	slices.SortFunc(inv.Failures, compareFailures)
	return inv, joinSides(errors.Is(context.Cause(ctx), errSide), sourceErr, targetErr)
}

// mapped gathers what the sources' repositories are called, which says what matters at the target.
type mapped struct {
	naming sync.WaitGroup // done once for each source
	mu     sync.Mutex
	named  []ref.Repository
}

func (m *mapped) add(repositories []document.SourceRepository) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range repositories {
		m.named = append(m.named, r.URI)
	}
	m.naming.Done()
}

// paths waits until every source has named its repositories, and returns where those in scope lead. Where a source could
// not name all, the rest cannot be planned either.
func (m *mapped) paths(c Config) []ref.TargetImage {
	m.naming.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []ref.TargetImage
	for _, r := range m.named {
		if !c.Scope.Match(r) {
			continue
		}
		if t, err := c.Mapping.Map(r); err == nil {
			out = append(out, t)
		}
	}
	return out
}

// unlisted are the target repositories that could not be listed.
type unlisted struct {
	mu   sync.Mutex
	errs map[ref.TargetRepository]error
}

// keep takes err for a failure of r alone, where that is what it is.
func (u *unlisted) keep(c Config, r ref.TargetRepository, err error) bool {
	class := registry.ClassOf(err)
	if !c.Tolerant || class == registry.Canceled || class == registry.Unauthorized {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.errs == nil {
		u.errs = map[ref.TargetRepository]error{}
	}
	u.errs[r] = err
	return true
}

// failures are one for each such repository, and one for each source repository that leads there: it cannot be planned.
func (u *unlisted) failures(c Config, repositories []document.SourceRepository) []document.Failure {
	var out []document.Failure
	add := func(f document.Failure, err error) {
		f.Class, f.Error, f.Hint = registry.Explain(err)
		out = append(out, f)
	}
	for r, err := range u.errs {
		add(document.Failure{Target: r.String()}, err)
	}
	for _, r := range repositories {
		if t, err := c.Mapping.Map(r.URI); err == nil && u.errs[t.Repository] != nil && c.Scope.Match(r.URI) {
			add(document.Failure{Source: r.URI.String(), Target: t.String()}, u.errs[t.Repository])
		}
	}
	return out
}

// joinSides leaves out the error of a side that only stopped because the other one failed.
func joinSides(stopped bool, source, target error) error {
	switch {
	case stopped && target != nil && registry.IsClass(source, registry.Canceled):
		return target
	case stopped && source != nil && registry.IsClass(target, registry.Canceled):
		return source
	}
	return errors.Join(source, target)
}
