package inventory

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// SettingsSource is an ECR registry whose settings can be read.
type SettingsSource interface {
	// Registry says which one it is.
	Registry() ref.Registry
	// RegistrySettings reads those of the registry as a whole: 2 requests.
	RegistrySettings(ctx context.Context) (document.RegistrySettings, error)
	// RepositorySettings reads those of one repository: 3 requests. Beside an error there may be a part of them.
	RepositorySettings(ctx context.Context, repo ref.Repository) (document.RepositorySettings, error)
}

// SettingsConfig is what Settings needs to know.
type SettingsConfig struct {
	Migration    document.Migration
	Sources      []SettingsSource
	Repositories []document.SourceRepository // of the inventory
	Scope        ref.Scope                   // only those of repositories in scope are read
	Known        document.Settings           // what was read before, and is not read again
	Now          func() time.Time
	Progress     func(SettingsProgress) // called one call at a time; may be nil
	Logger       *slog.Logger
}

// SettingsProgress is how many repositories have been asked about.
type SettingsProgress struct{ Done, Total int }

// Settings reads what guards the repositories in scope and is not known: 3 requests each, and 2 a registry. What cannot
// be read is among the failures, and is asked for again the next time; nothing else fails for it. The error is that of ctx.
func Settings(ctx context.Context, c SettingsConfig) (document.Settings, error) {
	s := settings{SettingsConfig: c, repositories: map[ref.Repository]document.RepositorySettings{}}
	for _, r := range c.Known.Repositories {
		s.repositories[r.URI] = r
	}
	out := document.Settings{Header: document.NewHeader(document.KindSettings, c.Migration), Registries: c.Known.Registries}
	var g errgroup.Group
	g.SetLimit(2 * DefaultConcurrency / 3) // three requests each
	for _, source := range c.Sources {
		known := func(r document.RegistrySettings) bool { return r.Registry == source.Registry() }
		if slices.ContainsFunc(out.Registries, func(r document.RegistrySettings) bool { return known(r) && !r.Partial }) {
			continue
		}
		out.Registries = slices.DeleteFunc(slices.Clone(out.Registries), known)
		g.Go(func() error {
			s.registry(ctx, source)
			return nil
		})
	}
	for _, r := range s.unknown() {
		g.Go(func() error {
			s.repository(ctx, r)
			return nil
		})
	}
	_ = g.Wait() // each keeps its own failure
	out.Registries = append(slices.Clone(out.Registries), s.registries...)
	out.Repositories = make([]document.RepositorySettings, 0, len(s.repositories))
	for _, r := range s.repositories {
		out.Repositories = append(out.Repositories, r)
	}
	out.Failures = append([]document.Failure{}, s.failures...)
	slices.SortFunc(out.Registries, func(a, b document.RegistrySettings) int { return a.Registry.Compare(b.Registry) })
	slices.SortFunc(out.Repositories, func(a, b document.RepositorySettings) int { return a.URI.Compare(b.URI) })
	slices.SortFunc(out.Failures, func(a, b document.Failure) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Error, b.Error))
	})
	return out, ctx.Err()
}

// settings is one reading.
type settings struct {
	SettingsConfig
	total int

	mu           sync.Mutex
	done         int
	registries   []document.RegistrySettings
	repositories map[ref.Repository]document.RepositorySettings
	failures     []document.Failure
}

// unknown are the repositories to ask about. Those that the inventory no longer has are forgotten.
func (s *settings) unknown() []ref.Repository {
	var out []ref.Repository
	there := map[ref.Repository]bool{}
	for _, r := range s.Repositories {
		there[r.URI] = true
		if known, ok := s.repositories[r.URI]; (!ok || known.Partial) && s.Scope.Match(r.URI) && s.source(r.URI) != nil {
			out = append(out, r.URI)
		}
	}
	for uri := range s.repositories {
		if !there[uri] {
			delete(s.repositories, uri)
		}
	}
	s.total = len(out)
	return out
}

func (s *settings) source(r ref.Repository) SettingsSource {
	for _, source := range s.Sources {
		if source.Registry() == r.Registry {
			return source
		}
	}
	return nil
}

func (s *settings) registry(ctx context.Context, source SettingsSource) {
	found, err := source.RegistrySettings(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.fail(source.Registry().String(), err)
	}
	found.ReadAt, found.Partial = s.Now(), err != nil
	s.registries = append(s.registries, found)
}

func (s *settings) repository(ctx context.Context, r ref.Repository) {
	found, err := s.source(r).RepositorySettings(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	if s.Progress != nil {
		s.Progress(SettingsProgress{Done: s.done, Total: s.total})
	}
	if err != nil {
		s.fail(r.String(), err)
	}
	found.ReadAt, found.Partial = s.Now(), err != nil
	s.repositories[r] = found
}

// fail keeps each of the errors that err joins. s.mu is held.
func (s *settings) fail(source string, err error) {
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // only what joins is taken apart
		errs = joined.Unwrap()
	}
	for _, err := range errs {
		f := document.Failure{Source: source}
		f.Class, f.Error, f.Hint = registry.Explain(err)
		s.failures = append(s.failures, f)
	}
}
