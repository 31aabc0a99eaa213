package transfer

import (
	"bytes"
	"cmp"
	"io"
	"log/slog"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// planOf plans a corpus without the planner, so that these tests stand on their own.
func planOf(t testing.TB, c *corpus.Corpus) document.Plan {
	t.Helper()
	plan := document.Plan{Header: document.NewHeader(document.KindPlan, document.Migration{})}
	blobs, manifests := map[digest.Digest]int{}, map[digest.Digest]bool{}
	for _, d := range slices.Sorted(func(yield func(digest.Digest) bool) {
		for d := range c.Blobs {
			if !yield(d) {
				return
			}
		}
	}) {
		blobs[d] = len(plan.Blobs)
		plan.Blobs = append(plan.Blobs, document.PlannedBlob{Digest: d, Size: int64(len(c.Blobs[d]))})
	}
	for _, r := range c.Repositories {
		image := document.PlannedImage{
			Target:  cloudstest.Default().Join(r.Name),
			Sources: []ref.Repository{cloudstest.Registry().Repository(r.Name)},
		}
		for _, i := range r.Images {
			if i.Archived {
				continue
			}
			image.References = append(image.References, document.PlannedReference{Digest: i.Digest, Tags: i.Tags})
			if manifests[i.Digest] {
				continue
			}
			manifests[i.Digest] = true
			content, err := registry.ParseManifest(registry.Manifest{Digest: i.Digest, MediaType: i.MediaType, Bytes: i.Manifest})
			if err != nil {
				t.Fatal(err)
			}
			m := document.PlannedManifest{Digest: i.Digest, MediaType: i.MediaType, Size: int64(len(i.Manifest)), Subject: content.Subject}
			for _, child := range content.Children {
				m.Children = append(m.Children, child.Digest)
			}
			for _, b := range content.Blobs {
				m.Blobs = append(m.Blobs, blobs[b.Digest])
			}
			plan.Manifests = append(plan.Manifests, m)
		}
		plan.Images = append(plan.Images, image)
	}
	slices.SortFunc(plan.Manifests, func(a, b document.PlannedManifest) int { return cmp.Compare(a.Digest, b.Digest) })
	return plan
}

// listing is what the target holds, as its API tells.
func listing(t testing.TB, w *cloudstest.World) document.TargetInventory {
	t.Helper()
	var inv document.TargetInventory
	for image, err := range w.Target.Images(t.Context(), cloudstest.Default().Repository) {
		if err != nil {
			t.Fatal(err)
		}
		inv.Images = append(inv.Images, image)
	}
	return inv
}

func run(t testing.TB, w *cloudstest.World, plan document.Plan, change func(*Config)) document.Results {
	t.Helper()
	c := Config{
		Plan: plan, Listing: listing(t, w), Source: func(ref.Registry) Source { return w.Source }, Target: w.Target,
		Now: cloudstest.Clock, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	return Run(t.Context(), c)
}

// references is how many tags and untagged digests a plan has.
func references(plan document.Plan) (n int) {
	for _, image := range plan.Images {
		for _, r := range image.References {
			n += max(1, len(r.Tags))
		}
	}
	return n
}

// checkArrived compares every byte of the plan's images with the target.
func checkArrived(t *testing.T, w *cloudstest.World, c *corpus.Corpus) {
	t.Helper()
	for _, r := range c.Repositories {
		name := cloudstest.Default().Join(r.Name).String()
		at := w.AR.Image(name)
		for _, i := range r.Images {
			if i.Archived {
				continue
			}
			if at == nil {
				t.Fatalf("%s is not there", name)
			}
			if m, ok := at.Manifest(i.Digest); !ok || string(m.Bytes) != string(i.Manifest) || m.MediaType != i.MediaType {
				t.Errorf("%s@%s did not arrive as it was", name, i.Digest)
			}
			for _, tag := range i.Tags {
				if d, ok := at.TagDigest(tag); !ok || d != i.Digest {
					t.Errorf("%s:%s is %q, want %s", name, tag, d, i.Digest)
				}
			}
		}
		for _, i := range r.Images {
			if !i.Archived {
				checkBlobs(t, name, at, i, c)
			}
		}
	}
}

func checkBlobs(t *testing.T, name string, at *store.Repository, i corpus.Image, c *corpus.Corpus) {
	t.Helper()
	content, err := registry.ParseManifest(registry.Manifest{Digest: i.Digest, MediaType: i.MediaType, Bytes: i.Manifest})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range content.Blobs {
		b, ok := at.Blob(want.Digest)
		if !ok {
			t.Errorf("%s lacks the blob %s", name, want.Digest)
			continue
		}
		got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
		if err != nil || !bytes.Equal(got, c.Blobs[want.Digest]) {
			t.Errorf("%s: the blob %s is not what it was (%v)", name, want.Digest, err)
		}
	}
}

// A cold copy costs what the design says, to the request, and a second run costs nothing.
func TestColdCopy(t *testing.T) {
	spec := corpus.Demo()
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	c := corpus.Generate(spec)
	plan := planOf(t, c)
	before := w.Sim.Counts()
	results := run(t, w, plan, nil)
	if results.Failed != 0 || results.Success != references(plan) || results.Skipped != 0 {
		t.Fatalf("success %d, failed %d, skipped %d; want %d, 0, 0: %+v", results.Success, results.Failed, results.Skipped, references(plan), results.Failures)
	}
	checkArrived(t, w, c)

	used := map[int]bool{} // blobs that the plan needs
	places := 0
	batches, writes := 0, 0
	for _, image := range plan.Images {
		here := map[int]bool{}
		for _, r := range image.References {
			i, _ := slices.BinarySearchFunc(plan.Manifests, r.Digest, func(m document.PlannedManifest, d digest.Digest) int { return cmp.Compare(m.Digest, d) })
			for _, b := range plan.Manifests[i].Blobs {
				here[b], used[b] = true, true
			}
			writes += max(1, len(r.Tags))
		}
		places += len(here)
		batches += (len(image.References) + 99) / 100
	}
	var size int64
	for b := range used {
		size += plan.Blobs[b].Size
	}
	got := w.Sim.Counts().Sub(before)
	unique := len(used)
	if n := got.Of("s3.get"); n != unique {
		t.Errorf("%d blobs were read from S3, want %d\n%s", n, unique, got)
	}
	if n := got.Tally("s3.get"); n.Sent != size {
		t.Errorf("%d bytes left ECR, want %d", n.Sent, size)
	}
	if n := got.Of("ar.v2.mount"); n != places-unique {
		t.Errorf("%d mounts, want %d\n%s", n, places-unique, got)
	}
	if n := got.Of("ar.v2.upload"); n > 2*unique {
		t.Errorf("%d upload requests, want at most %d", n, 2*unique)
	}
	if n := got.Of("ecr.BatchGetImage"); n > batches {
		t.Errorf("%d bulk reads of manifests, want at most %d", n, batches)
	}
	if n := got.Of("ar.v2.manifest.put"); n < writes || n > writes+writes/20 { // what is described goes by digest first
		t.Errorf("%d manifests were put, want %d and few more", n, writes)
	}
	if n := got.Of("ar.v2.blob.head", "ar.v2.manifest.head", "ar.v2.manifest.get"); n != 0 {
		t.Errorf("%d needless questions\n%s", n, got)
	}

	before = w.Sim.Counts()
	results = run(t, w, plan, nil)
	if results.Skipped != references(plan) || results.Success != 0 || results.Failed != 0 {
		t.Errorf("a second run: success %d, failed %d, skipped %d", results.Success, results.Failed, results.Skipped)
	}
	got = w.Sim.Counts().Sub(before)
	if n := got.Total(); n != got.Of("ar.api.dockerImages.list") {
		t.Errorf("a second run asked for more than the listing:\n%s", got)
	}
}

// Both variants of what is not known of Artifact Registry end right.
func TestVariants(t *testing.T) {
	for name, o := range map[string]arsim.Options{
		"single POST taken":     {SinglePost: arsim.SinglePostAccepted},
		"mount needs a landing": {Mount: arsim.MountNeedsManifest},
		"absolute locations":    {AbsoluteLocations: true},
		"no referrers API":      {NoReferrers: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := corpus.Demo()
			w := cloudstest.New(t, cloudsim.Options{AR: o}, spec)
			c := corpus.Generate(spec)
			plan := planOf(t, c)
			if r := run(t, w, plan, nil); r.Failed != 0 || r.Success != references(plan) {
				t.Fatalf("success %d of %d, failures %+v", r.Success, references(plan), r.Failures)
			}
			checkArrived(t, w, c)
		})
	}
}
