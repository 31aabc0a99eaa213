package inventory

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

var (
	virginia = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	ireland  = ref.Registry{Account: "123456789012", Region: "eu-west-1"}
	apps     = ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"}
	day      = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
)

func hash(name string) digest.Digest { return digest.FromString(name) }

// counter counts calls by kind.
type counter struct {
	mu    sync.Mutex
	calls map[string]int
}

func (c *counter) count(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[kind]++
}

// fakeSource is a registry in memory. An error under a repository's name fails its images after the first one.
type fakeSource struct {
	counter
	registry  ref.Registry
	images    map[string][]document.SourceImage
	referrers map[digest.Digest][]document.SourceImage
	errs      map[string]error // "" for the repositories; NAME; "referrers"
}

func newSource(r ref.Registry) *fakeSource {
	return &fakeSource{
		registry: r, images: map[string][]document.SourceImage{}, referrers: map[digest.Digest][]document.SourceImage{}, errs: map[string]error{},
	}
}

func (s *fakeSource) add(repository, name string, pushed int, tags ...string) *document.SourceImage {
	s.images[repository] = append(s.images[repository], document.SourceImage{
		Digest: hash(name), Tags: tags, Size: int64(pushed), PushedAt: day.AddDate(0, 0, pushed), MediaType: "x/y",
	})
	return &s.images[repository][len(s.images[repository])-1]
}

func (s *fakeSource) Registry() ref.Registry { return s.registry }

func (s *fakeSource) Repositories(ctx context.Context) iter.Seq2[document.SourceRepository, error] {
	return func(yield func(document.SourceRepository, error) bool) {
		s.count("repositories")
		names := make([]string, 0, len(s.images))
		for name := range s.images {
			names = append(names, name)
		}
		slices.Sort(names)
		slices.Reverse(names) // ECR promises no order
		for _, name := range names {
			if !yield(document.SourceRepository{Name: name, URI: s.registry.Repository(name)}, nil) {
				return
			}
		}
		if err := cmpErr(s.errs[""], ctx.Err()); err != nil {
			yield(document.SourceRepository{}, err)
		}
	}
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *fakeSource) Images(ctx context.Context, repo ref.Repository) iter.Seq2[document.SourceImage, error] {
	return func(yield func(document.SourceImage, error) bool) {
		s.count("images")
		for _, i := range s.images[repo.Name] {
			if !yield(i, nil) {
				return
			}
			if s.errs[repo.Name] != nil {
				break
			}
		}
		if err := cmpErr(s.errs[repo.Name], ctx.Err()); err != nil {
			yield(document.SourceImage{}, err)
		}
	}
}

func (s *fakeSource) Referrers(_ context.Context, _ ref.Repository, subject digest.Digest) ([]document.SourceImage, error) {
	s.count("referrers")
	return s.referrers[subject], s.errs["referrers"]
}

// fakeTarget is Artifact Registry in memory.
type fakeTarget struct {
	counter
	repositories map[ref.TargetRepository]document.TargetRepository
	images       map[ref.TargetRepository][]document.TargetImage
	err          error
	block        bool // until the context ends
}

func (t *fakeTarget) Repository(ctx context.Context, r ref.TargetRepository) (document.TargetRepository, error) {
	t.count("repository")
	if t.block {
		<-ctx.Done()
		return document.TargetRepository{}, ctx.Err()
	}
	if t.err != nil {
		return document.TargetRepository{}, t.err
	}
	found, ok := t.repositories[r]
	if !ok {
		return found, &registry.Error{Side: registry.Target, Class: registry.NoRepository, Err: errors.New("not found")}
	}
	return found, nil
}

func (t *fakeTarget) Images(_ context.Context, r ref.TargetRepository) iter.Seq2[document.TargetImage, error] {
	return func(yield func(document.TargetImage, error) bool) {
		t.count("images")
		for _, i := range t.images[r] {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func (t *fakeTarget) PackageImages(_ context.Context, image ref.TargetImage) iter.Seq2[document.TargetImage, error] {
	return func(yield func(document.TargetImage, error) bool) {
		t.count("package")
		for _, i := range t.images[image.Repository] {
			if i.URI == image && !yield(i, nil) {
				return
			}
		}
	}
}

func denied(what string) error {
	return &registry.Error{Side: registry.Source, Op: what, Class: registry.Denied, Err: errors.New("access denied"), Hint: "allow it"}
}

func config(sources ...*fakeSource) Config {
	c := Config{Mapping: ref.Mapping{Default: apps.Image("")}, Target: &fakeTarget{}}
	for _, s := range sources {
		c.Sources = append(c.Sources, s)
	}
	return c
}
