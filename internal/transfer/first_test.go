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
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// watched is a Target that tells when something is written for whom.
type watched struct {
	Target
	begin func(t ref.TargetImage, d digest.Digest, manifest bool) (end func())
}

func (w *watched) PutManifest(ctx context.Context, t ref.TargetImage, reference string, m registry.Manifest) error {
	defer w.begin(t, m.Digest, true)()
	return w.Target.PutManifest(ctx, t, reference, m)
}

func (w *watched) MountBlob(ctx context.Context, t ref.TargetImage, b registry.Blob, from ref.TargetImage) (oci.Upload, bool, error) {
	defer w.begin(t, b.Digest, false)()
	return w.Target.MountBlob(ctx, t, b, from)
}

func (w *watched) PushBlob(ctx context.Context, t ref.TargetImage, b registry.Blob, u oci.Upload, open oci.Opener) error {
	defer w.begin(t, b.Digest, false)()
	return w.Target.PushBlob(ctx, t, b, u, open)
}

// closureOf is everything of an image path that belongs to an image: children, and what describes any of them.
func closureOf(plan document.Plan, image document.PlannedImage, d digest.Digest) map[digest.Digest]bool {
	in := map[digest.Digest]bool{d: true}
	for grown := true; grown; {
		grown = false
		for _, r := range image.References {
			m := manifestOf(plan, r.Digest)
			belongs := in[m.Subject] || slices.ContainsFunc(r.Tags, func(tag string) bool {
				subject, ok := registry.SubjectOfTag(tag)
				return ok && in[subject]
			})
			for i, more := range append(slices.Clone(m.Children), m.Digest) {
				if !in[more] && (in[m.Digest] || belongs && i == len(m.Children)) {
					in[more], grown = true, true
				}
			}
		}
	}
	return in
}

func manifestOf(plan document.Plan, d digest.Digest) document.PlannedManifest {
	i := slices.IndexFunc(plan.Manifests, func(m document.PlannedManifest) bool { return m.Digest == d })
	return plan.Manifests[i]
}

// pick returns the positions of n images of the plan, from different repositories at its end, that have children.
func pick(plan document.Plan, n int) (picked []struct{ image, reference int }) {
	for i := len(plan.Images) - 1; i >= 0 && len(picked) < n; i-- {
		for j, r := range plan.Images[i].References {
			if len(manifestOf(plan, r.Digest).Children) > 0 && len(r.Tags) > 0 {
				picked = append(picked, struct{ image, reference int }{i, j})
				break
			}
		}
	}
	return picked
}

// The manifests of the first ones land in their order, each with all that belongs to it, before anything of the rest is
// written; nothing costs more for it.
func TestFirst(t *testing.T) {
	t.Parallel()
	spec := corpus.Demo()
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	c := corpus.Generate(spec)
	plan := planOf(t, c)
	picked := pick(plan, 3)
	ranks := map[ref.TargetImage]map[digest.Digest]int{}
	closures := map[ref.TargetImage]map[digest.Digest]bool{}
	for i, at := range picked {
		image := plan.Images[at.image]
		d := image.References[at.reference].Digest
		ranks[image.Target], closures[image.Target] = map[digest.Digest]int{d: i + 1}, closureOf(plan, image, d)
	}
	var mu sync.Mutex
	type write struct {
		target   ref.TargetImage
		digest   digest.Digest
		manifest bool
	}
	var writes []write
	target := &watched{Target: w.Target, begin: func(t ref.TargetImage, d digest.Digest, manifest bool) func() {
		mu.Lock()
		defer mu.Unlock()
		writes = append(writes, write{t, d, manifest})
		return func() {}
	}}
	results := run(t, w, plan, func(c *Config) {
		c.Units, c.Target = 1, target
		c.First = func(t ref.TargetImage, d digest.Digest) int { return ranks[t][d] }
	})
	if results.Failed != 0 || results.Success != references(plan) {
		t.Fatalf("success %d of %d, failures %+v", results.Success, references(plan), results.Failures)
	}
	checkArrived(t, w, c)

	var order []ref.TargetImage // of the first ones, by their last manifest
	rest, left := false, 0
	for _, in := range closures {
		left += len(in)
	}
	landed := map[write]bool{}
	for _, x := range writes {
		_, first := closures[x.target]
		if x.manifest && closures[x.target][x.digest] {
			if rest {
				t.Errorf("%s@%s was written after something of the rest", x.target, x.digest)
			}
			if !landed[x] {
				landed[x] = true
				left--
			}
			if ranks[x.target][x.digest] > 0 && !slices.Contains(order, x.target) {
				order = append(order, x.target)
			}
		}
		rest = rest || !first || x.manifest && !closures[x.target][x.digest]
	}
	if left != 0 {
		t.Errorf("%d manifests of the first ones were not written by the run", left)
	}
	for i, at := range picked {
		if order[i] != plan.Images[at.image].Target {
			t.Errorf("the order is %v", order)
		}
	}
}

// While one of the first ones is still on its way the rest goes on, but only a little of it at a time.
func TestFirstIsNoBarrier(t *testing.T) {
	t.Parallel()
	spec := corpus.Flat(4, 60)
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	c := corpus.Generate(spec)
	plan := planOf(t, c)
	named := plan.Images[3]
	first := named.References[7]
	own := manifestOf(plan, first.Digest)
	var mu sync.Mutex
	now, most, done := 0, 0, 0
	enough, landed := make(chan struct{}), false
	target := &watched{Target: w.Target, begin: func(t ref.TargetImage, d digest.Digest, manifest bool) func() {
		if t == named.Target && manifest && d == first.Digest {
			<-enough // the rest goes on meanwhile
			return func() { mu.Lock(); defer mu.Unlock(); landed = true }
		}
		mu.Lock()
		defer mu.Unlock()
		if t == named.Target && slices.ContainsFunc(own.Blobs, func(i int) bool { return plan.Blobs[i].Digest == d }) {
			return func() {}
		}
		if now++; !landed {
			most = max(most, now)
		}
		return func() {
			mu.Lock()
			defer mu.Unlock()
			now--
			if done++; done == 100 {
				close(enough)
			}
		}
	}}
	results := run(t, w, plan, func(c *Config) {
		c.Target = target
		c.First = func(t ref.TargetImage, d digest.Digest) int {
			if t == named.Target && d == first.Digest {
				return 1
			}
			return 0
		}
	})
	if results.Failed != 0 || results.Success != references(plan) {
		t.Fatalf("success %d of %d, failures %+v", results.Success, references(plan), results.Failures)
	}
	checkArrived(t, w, c)
	if most > maxBeside {
		t.Errorf("%d requests of the rest were under way beside the first, want at most %d", most, maxBeside)
	}
}

// A platform of an image that is not named is brought for its own sake, and nothing is brought twice.
func TestFirstChild(t *testing.T) {
	t.Parallel()
	spec := corpus.Demo()
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	c := corpus.Generate(spec)
	plan := planOf(t, c)
	at := pick(plan, 1)[0]
	image := plan.Images[at.image]
	child := manifestOf(plan, image.References[at.reference].Digest).Children[0]
	var mu sync.Mutex
	var manifests []digest.Digest
	target := &watched{Target: w.Target, begin: func(_ ref.TargetImage, d digest.Digest, manifest bool) func() {
		mu.Lock()
		defer mu.Unlock()
		if manifest {
			manifests = append(manifests, d)
		}
		return func() {}
	}}
	progress := new(Progress)
	results := run(t, w, plan, func(c *Config) {
		c.Target, c.Units, c.Progress = target, 1, progress
		c.First = func(t ref.TargetImage, d digest.Digest) int {
			if t == image.Target && d == child {
				return 1
			}
			return 0
		}
	})
	if results.Failed != 0 || results.Success != references(plan) {
		t.Fatalf("success %d of %d, failures %+v", results.Success, references(plan), results.Failures)
	}
	if progress.ImagesDone.Load() != progress.ImagesTotal.Load() {
		t.Errorf("%d of %d images done", progress.ImagesDone.Load(), progress.ImagesTotal.Load())
	}
	if manifests[0] != child {
		t.Errorf("the first manifest is %s, want %s", manifests[0], child)
	}
	checkArrived(t, w, c)
}
