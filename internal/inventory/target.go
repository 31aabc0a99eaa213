package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// formatDocker and modeStandard are what an Artifact Registry repository must be to hold what we copy. FACTS B2 [S].
const (
	formatDocker = "DOCKER"
	modeStandard = "STANDARD_REPOSITORY"
)

// pageImages is how many images one request lists, at most. FACTS B3 [S].
const pageImages = 1000

// ListTarget lists the given repositories of the target side alone, and of their images those at the given paths: what
// else is there is nobody's concern, and may be much. A repository that does not exist is left out: it is to be created.
// Any other trouble is an error, and so is a repository that cannot hold images.
func ListTarget(ctx context.Context, c Config, repositories []ref.TargetRepository, paths []ref.TargetImage) (document.TargetInventory, error) {
	whole := func(Config, ref.TargetRepository, error) bool { return false }
	return listTarget(ctx, c, repositories, func() []ref.TargetImage { return paths }, whole)
}

// listTarget is ListTarget with paths that may not be known yet: it looks at the repositories first. What keeps an error
// has the others go on.
func listTarget(ctx context.Context, c Config, repositories []ref.TargetRepository, paths func() []ref.TargetImage,
	keeps func(Config, ref.TargetRepository, error) bool,
) (document.TargetInventory, error) {
	inv := document.TargetInventory{Repositories: []document.TargetRepository{}, Images: []document.TargetImage{}}
	wanted := sync.OnceValue(func() map[ref.TargetRepository]map[ref.TargetImage]int {
		out := map[ref.TargetRepository]map[ref.TargetImage]int{}
		for _, t := range paths() {
			if out[t.Repository] == nil {
				out[t.Repository] = map[ref.TargetImage]int{}
			}
			out[t.Repository][t] = 0
		}
		return out
	})
	progress := newMeter(registry.Target, c.Progress)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(c.Concurrency, DefaultConcurrency))
	var mu sync.Mutex
	for _, r := range repositories {
		g.Go(func() error {
			l := targetListing{Config: c, repository: r, wanted: wanted, progress: progress}
			found, err := l.run(ctx)
			switch {
			case registry.IsClass(err, registry.NoRepository), err != nil && keeps(c, r, err):
				return nil
			case err != nil:
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			inv.Repositories = append(inv.Repositories, found)
			if inv.Images = append(inv.Images, l.images...); len(inv.Images) == len(l.images) {
				inv.Images = l.images // the only ones, for most
			}
			return nil
		})
	}
	err := g.Wait()
	slices.SortFunc(inv.Repositories, func(a, b document.TargetRepository) int { return a.URI.Compare(b.URI) })
	slices.SortFunc(inv.Images, func(a, b document.TargetImage) int {
		return cmp.Or(a.URI.Compare(b.URI), cmp.Compare(a.Digest, b.Digest))
	})
	if inv.Images == nil {
		inv.Images = []document.TargetImage{}
	}
	return inv, err
}

// targetListing is the listing of one repository.
type targetListing struct {
	Config
	repository ref.TargetRepository
	wanted     func() map[ref.TargetRepository]map[ref.TargetImage]int
	seen       map[ref.TargetImage]int // how many images, for each path that matters
	progress   *meter

	mu     sync.Mutex
	images []document.TargetImage
}

func (l *targetListing) run(ctx context.Context) (document.TargetRepository, error) {
	found, err := l.Target.Repository(ctx, l.repository)
	if err == nil {
		err = usable(l.repository, found)
	}
	if err != nil {
		return found, err
	}
	l.progress.add(Progress{Repositories: 1})
	l.seen = l.wanted()[l.repository]
	whole, err := l.whole(ctx)
	if err == nil && !whole {
		l.progress.add(Progress{Images: -(len(l.images) / pageImages * pageImages)})
		l.images = nil
		err = l.byPath(ctx)
	}
	l.progress.add(Progress{Listed: 1, Images: len(l.images) % pageImages})
	return found, err
}

// whole lists the repository as a whole, or gives that up and reports false.
//
// Artifact Registry does not say how much a repository holds, and takes no filter. Listing path by path takes a request a
// path, and one more for each further page of it; that much is spent on the whole, as far as the paths have shown their
// size, before it is given up. So no listing takes more than twice the requests of that by path, plus one; and it
// takes those of the whole where the paths fill it.
func (l *targetListing) whole(ctx context.Context) (bool, error) {
	pages, read := len(l.seen), 0
	if pages == 0 {
		return true, nil // nothing matters
	}
	for i, err := range l.Target.Images(ctx, l.repository) {
		if err != nil {
			return false, err
		}
		if read++; read > pages*pageImages {
			return false, nil
		}
		n, matters := l.seen[i.URI]
		if !matters {
			continue
		}
		if l.seen[i.URI]++; n > 0 && n%pageImages == 0 {
			pages++
		}
		l.add(i)
	}
	return true, nil
}

// byPath lists the paths that matter, one by one.
func (l *targetListing) byPath(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(l.Concurrency, DefaultConcurrency))
	for path := range l.seen {
		g.Go(func() error {
			for i, err := range l.Target.PackageImages(ctx, path) {
				if err != nil {
					return err
				}
				l.mu.Lock()
				l.add(i)
				l.mu.Unlock()
			}
			return nil
		})
	}
	return g.Wait()
}

func (l *targetListing) add(i document.TargetImage) {
	if i.Tags == nil {
		i.Tags = []string{}
	}
	if !slices.IsSorted(i.Tags) {
		i.Tags = slices.Sorted(slices.Values(i.Tags))
	}
	if n := len(l.images); n > 0 {
		i.Share(&l.images[n-1])
	}
	if l.images = append(l.images, i); len(l.images)%pageImages == 0 {
		l.progress.add(Progress{Images: pageImages})
	}
}

// usable says why images cannot be pushed to a repository that exists, or nothing.
func usable(r ref.TargetRepository, found document.TargetRepository) error {
	what := ""
	switch {
	case found.Format != "" && found.Format != formatDocker:
		what = "its format is " + found.Format + ", not " + formatDocker
	case found.Mode != "" && found.Mode != modeStandard && found.Mode != "MODE_UNSPECIFIED":
		what = "its mode is " + found.Mode + ", which takes no pushes"
	default:
		return nil
	}
	return &registry.Error{Side: registry.Target, Op: "look at repository", Object: r.String(), Class: registry.Unsupported,
		Err: fmt.Errorf("%s", what), Hint: "name another repository as the target: Transship creates it"}
}
