package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// ListSource lists the source side alone: every repository, and the images of those in scope. The error says that every
// source failed; what failed of one is among the failures.
func ListSource(ctx context.Context, c Config) (document.SourceInventory, []document.Failure, error) {
	return listSource(ctx, c, func([]document.SourceRepository) {})
}

// listSource is ListSource that calls named once for each source, when its repositories are known.
func listSource(ctx context.Context, c Config, named func([]document.SourceRepository)) (document.SourceInventory, []document.Failure, error) {
	sweeps := make([]*sweep, len(c.Sources))
	progress := newMeter(registry.Source, c.Progress)
	var wg sync.WaitGroup
	for i, s := range c.Sources {
		sweeps[i] = &sweep{config: c, source: s, progress: progress, images: map[ref.Repository][]document.SourceImage{}}
		wg.Go(func() { sweeps[i].run(ctx, named) })
	}
	wg.Wait()
	inv := document.SourceInventory{Repositories: []document.SourceRepository{}, Images: []document.SourceImage{}}
	failures := []document.Failure{}
	var errs []error
	found := 0
	for _, w := range sweeps {
		inv.Repositories = append(inv.Repositories, w.repositories...)
		failures = append(failures, w.failures...)
		if err := w.failed(); err != nil {
			errs = append(errs, err)
		}
		for _, images := range w.images {
			found += len(images)
		}
	}
	inv.Images = slices.Grow(inv.Images, found)
	for _, w := range sweeps {
		for repo, images := range w.images {
			inv.Images = append(inv.Images, images...)
			delete(w.images, repo) // none is in memory twice for longer than it must
		}
	}
	slices.SortFunc(inv.Repositories, func(a, b document.SourceRepository) int { return a.URI.Compare(b.URI) })
	slices.SortFunc(inv.Images, compareImages)
	slices.SortFunc(failures, compareFailures)
	freeze(inv.Images, c.Previous)
	switch {
	case ctx.Err() != nil:
		return inv, failures, ctx.Err()
	case len(c.Sources) > 0 && len(errs) == len(c.Sources):
		return inv, failures, errors.Join(errs...)
	}
	return inv, failures, nil
}

func compareImages(a, b document.SourceImage) int {
	return cmp.Or(a.URI.Compare(b.URI), cmp.Compare(a.Digest, b.Digest))
}

func compareFailures(a, b document.Failure) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Error, b.Error))
}

// sweep is the listing of one registry.
type sweep struct {
	config   Config
	source   Source
	progress *meter

	mu           sync.Mutex
	repositories []document.SourceRepository
	caches       map[ref.Repository]string                 // that an earlier inventory knew of, where ECR cannot be asked
	images       map[ref.Repository][]document.SourceImage // of the repositories that were listed to the end
	failures     []document.Failure
	listErr      error // listing the repositories failed
	imagesErr    error // listing one repository's images failed: the first of its kind
	swept        int   // repositories in scope
}

// run lists the repositories, then the images of those in scope.
func (w *sweep) run(ctx context.Context, named func([]document.SourceRepository)) {
	var rules []document.PullThroughRule
	var asked sync.WaitGroup
	asked.Go(func() { rules = w.rules(ctx) })
	for r, err := range w.source.Repositories(ctx) {
		if err == nil && !ref.ValidRepositoryName(r.URI.Name) {
			w.fail(document.Failure{Source: r.URI.String()}, &registry.Error{Side: registry.Source, Op: "list repositories", Object: r.URI.String(),
				Class: registry.Invalid, Err: errors.New("the name is not one that ECR allows"), Hint: "it is left out; report this if ECR shows it"})
			continue
		}
		if err != nil {
			w.listErr = err
			w.fail(document.Failure{Source: w.source.Registry().String()}, err)
			break
		}
		w.progress.add(Progress{Repositories: 1})
		w.repositories = append(w.repositories, r)
	}
	named(w.repositories)
	g := w.crew()
	for _, r := range w.repositories {
		if w.config.Scope.Match(r.URI) {
			w.swept++
			g.run(func() { w.list(ctx, r.URI) })
		}
	}
	g.wait()
	asked.Wait()
	recognise(w.repositories, rules, w.caches)
	w.findReferrers(ctx)
}

// crew does what it is given, a bounded number of things at a time. Failures are kept where they happen.
type crew struct{ group errgroup.Group }

func (w *sweep) crew() *crew {
	c := &crew{}
	c.group.SetLimit(cmp.Or(w.config.Concurrency, DefaultConcurrency))
	return c
}

// run waits for its turn and starts f.
func (c *crew) run(f func()) {
	c.group.Go(func() error {
		f()
		return nil
	})
}

func (c *crew) wait() { _ = c.group.Wait() }

// list keeps the images of repo, all or none: half a listing would look like deleted images.
func (w *sweep) list(ctx context.Context, repo ref.Repository) {
	var images []document.SourceImage
	for i, err := range w.source.Images(ctx, repo) {
		if err != nil {
			w.mu.Lock()
			w.imagesErr = cmp.Or(w.imagesErr, err)
			w.mu.Unlock()
			w.fail(document.Failure{Source: repo.String()}, err)
			w.progress.add(Progress{Listed: 1})
			return
		}
		images = append(images, complete(i, repo))
		if n := len(images); n > 1 {
			images[n-1].Share(&images[n-2])
		}
		if len(images)%1000 == 0 {
			w.progress.add(Progress{Images: 1000})
		}
	}
	w.progress.add(Progress{Images: len(images) % 1000, Listed: 1})
	images = settle(images)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.images[repo] = images
}

// complete fills in what every image in the document has.
func complete(i document.SourceImage, repo ref.Repository) document.SourceImage {
	i.Name, i.URI = repo.Name, repo
	i.Tags = slices.Sorted(slices.Values(i.Tags))
	if i.Tags == nil {
		i.Tags = []string{}
	}
	i.Status = cmp.Or(i.Status, document.StatusActive)
	return i
}

// settle sorts the images of one repository and sees that each digest and each tag is there once. While pages are
// read, a tag may move from an image on a later page to one on an earlier page; the image that was pushed last keeps it.
func settle(images []document.SourceImage) []document.SourceImage {
	slices.SortStableFunc(images, func(a, b document.SourceImage) int { return cmp.Compare(a.Digest, b.Digest) })
	out := images[:0]
	for _, i := range images {
		if n := len(out); n > 0 && out[n-1].Digest == i.Digest {
			tags := slices.Concat(out[n-1].Tags, i.Tags)
			slices.Sort(tags)
			out[n-1].Tags = slices.Compact(tags)
			continue
		}
		out = append(out, i)
	}
	holder := map[string]int{}
	for n, i := range out {
		for _, tag := range i.Tags {
			if m, ok := holder[tag]; !ok || out[m].PushedAt.Before(i.PushedAt) {
				holder[tag] = n
			}
		}
	}
	for n := range out {
		out[n].Tags = slices.DeleteFunc(out[n].Tags, func(tag string) bool { return holder[tag] != n })
	}
	return out
}

// fail keeps what went wrong without ending the run.
func (w *sweep) fail(f document.Failure, err error) {
	f.Class, f.Error, f.Hint = registry.Explain(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, f)
}

// failed says why the registry could not be listed at all, or nothing.
func (w *sweep) failed() error {
	switch {
	case w.listErr != nil && len(w.images) == 0:
		return w.listErr
	case w.swept > 0 && len(w.images) == 0 && w.imagesErr != nil:
		return fmt.Errorf("list the images of every repository of %s: %w", w.source.Registry(), w.imagesErr)
	}
	return nil
}

func (w *sweep) log() *slog.Logger {
	if w.config.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return w.config.Logger
}

// freeze gives every known image the pull time that it had when it was first seen: later pulls may be the migration's
// own, and pull times are evidence of who still uses an image.
func freeze(images []document.SourceImage, previous func(each func(document.SourceImage))) {
	if previous == nil {
		return
	}
	previous(func(seen document.SourceImage) {
		if n, ok := slices.BinarySearchFunc(images, seen, compareImages); ok {
			images[n].LastPulledAt = seen.LastPulledAt
		}
	})
}
