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

// ListTarget lists the given repositories of the target side alone. One that does not exist is left out: it is to be
// created. Any other trouble is an error, and so is a repository that cannot hold images.
func ListTarget(ctx context.Context, c Config, repositories []ref.TargetRepository) (document.TargetInventory, error) {
	inv := document.TargetInventory{Repositories: []document.TargetRepository{}, Images: []document.TargetImage{}}
	progress := newMeter(registry.Target, c.Progress)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(c.Concurrency, DefaultConcurrency))
	var mu sync.Mutex
	for _, r := range repositories {
		g.Go(func() error {
			found, images, err := listTarget(ctx, c.Target, r, progress)
			switch {
			case registry.IsClass(err, registry.NoRepository):
				return nil
			case err != nil:
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			inv.Repositories = append(inv.Repositories, found)
			inv.Images = append(inv.Images, images...)
			return nil
		})
	}
	err := g.Wait()
	slices.SortFunc(inv.Repositories, func(a, b document.TargetRepository) int { return a.URI.Compare(b.URI) })
	slices.SortFunc(inv.Images, func(a, b document.TargetImage) int {
		return cmp.Or(a.URI.Compare(b.URI), cmp.Compare(a.Digest, b.Digest))
	})
	return inv, err
}

func listTarget(ctx context.Context, t Target, r ref.TargetRepository, progress *meter) (document.TargetRepository, []document.TargetImage, error) {
	found, err := t.Repository(ctx, r)
	if err == nil {
		err = usable(r, found)
	}
	if err != nil {
		return found, nil, err
	}
	progress.add(Progress{Repositories: 1})
	var images []document.TargetImage
	for i, err := range t.Images(ctx, r) {
		if err != nil {
			return found, nil, err
		}
		i.Tags = slices.Sorted(slices.Values(i.Tags))
		if i.Tags == nil {
			i.Tags = []string{}
		}
		images = append(images, i)
		if len(images)%1000 == 0 {
			progress.add(Progress{Images: 1000})
		}
	}
	progress.add(Progress{Listed: 1, Images: len(images) % 1000})
	return found, images, nil
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
