package transfer

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/plan/shard"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// mounts is a Target that notes what was mounted or pushed, in order.
type mounts struct {
	Target
	mu     sync.Mutex
	asked  []digest.Digest // for a mount
	pushed []digest.Digest
}

func (m *mounts) MountBlob(ctx context.Context, t ref.TargetImage, b registry.Blob, from ref.TargetImage) (oci.Upload, bool, error) {
	m.mu.Lock()
	m.asked = append(m.asked, b.Digest)
	m.mu.Unlock()
	return m.Target.MountBlob(ctx, t, b, from)
}

func (m *mounts) PushBlob(ctx context.Context, t ref.TargetImage, b registry.Blob, u oci.Upload, open oci.Opener) error {
	m.mu.Lock()
	m.pushed = append(m.pushed, b.Digest)
	m.mu.Unlock()
	return m.Target.PushBlob(ctx, t, b, u, open)
}

// byTurns gives image paths to workers by turns, whatever they share.
func byTurns(plan document.Plan, count int) func(ref.Repository, digest.Digest) int {
	turn := map[ref.Repository]int{}
	for n, image := range plan.Images {
		for _, s := range image.Sources {
			turn[s] = n % count
		}
	}
	return func(r ref.Repository, _ digest.Digest) int { return turn[r] }
}

// What a peer has brought since the target was listed is mounted, not read: a worker asks for it where it should be by
// then, and that is no request more than an upload takes.
func TestWhatPeersBroughtIsMounted(t *testing.T) {
	c := corpus.Generate(corpus.Demo())
	plan := planOf(t, c)
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Demo())
	empty := listing(t, w)
	brings := byTurns(plan, 2)
	var read int64
	for self := range 2 {
		m := &mounts{Target: w.Target}
		r := run(t, w, plan, func(c *Config) {
			c.Listing, c.Target, c.Peers = empty, m, &Peers{Self: self, Brings: brings}
		})
		if r.Failed > 0 {
			t.Fatal(r.Failures[0])
		}
		read += r.Traffic.BytesRead
		for d := range counts(m.pushed) {
			if n := counts(m.pushed)[d]; n > 1 {
				t.Errorf("worker %d pushed %s %d times", self, d, n)
			}
		}
	}
	checkArrived(t, w, c)
	alone := run(t, cloudstest.New(t, cloudsim.Options{}, corpus.Demo()), plan, nil).Traffic.BytesRead
	if read != alone {
		t.Errorf("%d bytes were read, and one worker reads %d", read, alone)
	}
}

func counts(ds []digest.Digest) map[digest.Digest]int {
	out := map[digest.Digest]int{}
	for _, d := range ds {
		out[d]++
	}
	return out
}

// A worker begins with the blobs that it brings for others, and ends with those that others bring.
func TestOthersBlobsComeLast(t *testing.T) {
	c := corpus.Generate(corpus.Demo())
	plan := planOf(t, c)
	brings := byTurns(plan, 4)
	e := &engine{Config: Config{Plan: plan, Peers: &Peers{Self: 1, Brings: brings}, Progress: new(Progress)}, there: arrived()}
	e.problems.progress = e.Progress
	e.build()
	units := e.units()
	s := e.sharing[cloudstest.Default().Repository.Host()]
	if len(s.all) == 0 {
		t.Fatal("the workers share nothing")
	}
	if !slices.IsSortedFunc(units, func(a, b *node) int { return int(e.owed(a, s) - e.owed(b, s)) }) || e.owed(units[0], s) >= e.owed(units[len(units)-1], s) {
		t.Error("the units are in another order")
	}
	bringers := map[int32]int{}
	for i, all := range s.all {
		if !slices.IsSortedFunc(all, func(a, b needer) int { return int(a.worker - b.worker) }) || len(all) < 2 {
			t.Fatalf("blob %d is needed by %v", i, all)
		}
		bringers[all[bringer(i, all)].worker]++
	}
	if len(bringers) != 4 {
		t.Errorf("not every worker brings some of what is shared: %v", bringers)
	}
}

// The tags of others are theirs: one that somebody else moved is told once, by whom it belongs to.
func TestKeptTagsAreToldOnce(t *testing.T) {
	spec := corpus.Flat(6, 3)
	plan := planOf(t, corpus.Generate(spec))
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	name := plan.Images[0].Target.String()
	foreign := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}`)
	tag := plan.Images[0].References[0].Tags[0]
	if err := w.AR.Record("us", "my-gcp-project", "app-images", plan.Images[0].Sources[0].Name, tag, "application/vnd.oci.image.manifest.v1+json", foreign); err != nil {
		t.Fatal(err)
	}
	cut := shard.Make(plan, 3)
	kept, copied := 0, 0
	for self := range 3 {
		r := run(t, w, plan, func(c *Config) { c.Peers = &Peers{Self: self, Brings: cut.Of} })
		kept, copied = kept+len(r.Kept), copied+r.Success
		if len(r.Kept) > 0 && cut.Of(plan.Images[0].Sources[0], plan.Images[0].References[0].Digest) != self {
			t.Errorf("worker %d tells of the tag of another", self)
		}
	}
	if kept != 1 || copied != references(plan)-1 {
		t.Errorf("%s: %d tags were kept, %d references copied of %d", name, kept, copied, references(plan))
	}
}
