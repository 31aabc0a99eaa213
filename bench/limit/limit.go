// Package limit is the bare minimum client: the yardstick that the bench holds all others to. It knows beforehand what
// there is, keeps a number of requests under way, and sends nothing that could be left out. It checks no digest, tries
// nothing twice and is of no use to anybody else.
//
// Vocabulary: a Plan is all that it knows; a step is one piece of work, ready when the steps before it are done:
//
//	page of an inventory
//	blob (GET ECR, GET S3 ═▶ POST, PUT at its first place) ─▶ mount at each further place ─▶ manifest ─▶ index
//	                                                                     manifest by its first reference ─▶ further tags
//
// A step sends its requests one after the other, so that as many requests are under way as there are workers; only the
// read from S3 streams into the PUT, and counts as one with it.
package limit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/opencontainers/go-digest"
)

// Plan is what the client is told.
type Plan struct {
	Source       string // host of the ECR registry
	TargetHost   string
	TargetPath   string // PROJECT/REPOSITORY
	Repositories []Repository
	Blobs        []Blob
	Manifests    []Manifest
}

// Repository is a source repository. Its images go to the image of the same name at the target.
type Repository struct {
	Name  string
	Pages int // of its listing
}

// Blob is a unique blob and the repositories that need it, by position; the first is where it is read and uploaded.
type Blob struct {
	Digest digest.Digest
	Places []int
}

// Manifest is a manifest at one repository.
type Manifest struct {
	Repository int
	MediaType  string
	Body       []byte
	References []string // tags, or the digest
	Blobs      []digest.Digest
	Children   []int // positions of the manifests that must be there first
}

// Credentials open both sides.
type Credentials struct {
	AccessKey   string // for ECR's API; the embedded one does not check the signature
	ECRPassword string // of the user AWS at the data plane
	TargetToken string
}

// Options say how to go about it.
type Options struct {
	// Client sends the requests; it must not follow redirects (see NewClient).
	Client *http.Client
	// Workers is how many requests are under way; 0 is 128.
	Workers int
	Credentials
}

// DefaultWorkers is how many requests are under way unless Options say something else.
const DefaultWorkers = 128

// step is one piece of work.
type step struct {
	do    func(context.Context) error
	after []*step // what waits for it
	waits int     // for how many others it waits
}

// Run copies all of the plan. The first error ends it: there are no retries.
func Run(ctx context.Context, plan Plan, opts Options) error {
	if opts.Workers <= 0 {
		opts.Workers = DefaultWorkers
	}
	c := &client{plan: plan, opts: opts}
	return work(ctx, c.steps(), opts.Workers)
}

// steps makes the graph. Pages and blobs come first: all else waits for them.
func (c *client) steps() []*step {
	steps := c.pageSteps()
	type spot struct {
		blob digest.Digest
		repo int
	}
	there := map[spot]*step{}
	for _, b := range c.plan.Blobs {
		up := &step{do: func(ctx context.Context) error { return c.copyBlob(ctx, b) }}
		steps = append(steps, up)
		there[spot{b.Digest, b.Places[0]}] = up
		for _, place := range b.Places[1:] {
			mount := &step{do: func(ctx context.Context) error { return c.mount(ctx, b, place) }}
			follow(mount, up)
			steps = append(steps, mount)
			there[spot{b.Digest, place}] = mount
		}
	}
	written := make([]*step, len(c.plan.Manifests))
	for i := range c.plan.Manifests {
		m := &c.plan.Manifests[i]
		written[i] = &step{do: func(ctx context.Context) error { return c.put(ctx, m, m.References[0]) }}
		for _, d := range m.Blobs {
			follow(written[i], there[spot{d, m.Repository}])
		}
		for _, child := range m.Children {
			follow(written[i], written[child])
		}
		steps = append(steps, written[i])
		for _, tag := range m.References[1:] {
			further := &step{do: func(ctx context.Context) error { return c.put(ctx, m, tag) }}
			follow(further, written[i])
			steps = append(steps, further)
		}
	}
	return steps
}

func follow(later, earlier *step) {
	earlier.after = append(earlier.after, later)
	later.waits++
}

// work does all steps with so many workers, each step once those before it are done.
func work(ctx context.Context, steps []*step, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ready := make(chan *step, len(steps)) // holds them all: no send ever waits
	left := len(steps)
	for _, s := range steps {
		if s.waits == 0 {
			ready <- s
		}
	}
	if left == 0 {
		return nil
	}
	var mu sync.Mutex
	done := func(s *step) {
		mu.Lock()
		defer mu.Unlock()
		for _, next := range s.after {
			if next.waits--; next.waits == 0 {
				ready <- next
			}
		}
		if left--; left == 0 {
			close(ready)
		}
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				select {
				case s, more := <-ready:
					if !more {
						return
					}
					if err := s.do(ctx); err != nil {
						cancel(err)
						return
					}
					done(s)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	wg.Wait()
	if left > 0 {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return fmt.Errorf("the plan is no graph without cycles: %w", errors.ErrUnsupported)
	}
	return nil
}
