package content_test

import (
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudstest"
	"transship/internal/content"
	"transship/internal/inventory"
	"transship/internal/ref"
)

// The layers of schema 1 have the sizes that ECR knows, asked for once a manifest and never again.
func TestLayersOfSchema1AreMeasured(t *testing.T) {
	spec := corpus.Case(corpus.CaseSchema1)
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	_, got, failures := pipeline(t, w)
	if len(failures) != 0 || len(got) != 2 {
		t.Fatalf("%+v %+v", got, failures)
	}
	blobs := corpus.Generate(spec).Blobs
	for _, entry := range got {
		if entry.Problem != "" || len(entry.Blobs) != 3 {
			t.Errorf("%+v", entry)
		}
		for _, b := range entry.Blobs {
			if b.Size != int64(len(blobs[b.Digest])) {
				t.Errorf("%s has %d bytes, not %d", b.Digest, len(blobs[b.Digest]), b.Size)
			}
		}
	}
	if n := w.Sim.Counts().Of("ecr.BatchCheckLayerAvailability"); n != 2 {
		t.Errorf("%d questions about sizes", n)
	}
}

// A layer that ECR does not have is a failure that names it, and the other images go on.
func TestALayerOfSchema1IsGone(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Case(corpus.CaseSchema1))
	store := w.ECR.Repository("case/" + corpus.CaseSchema1).Content
	_, got, failures := pipeline(t, w)
	gone := ""
	for _, b := range got[store.Manifests()[0].Digest].Blobs {
		gone = b.Digest.String()
		store.DeleteBlob(b.Digest) // the empty layer is in both images: the last one is not
	}
	if len(failures) != 0 {
		t.Fatal(failures)
	}
	_, got, failures = pipeline(t, w)
	if len(got)+len(failures) != 2 || len(failures) == 0 || failures[0].Class != "not-found" || failures[0].Hint == "" {
		t.Errorf("%+v, %+v (%s)", got, failures, gone)
	}
	if !strings.Contains(failures[0].Error, "sha256:") {
		t.Errorf("which layer? %s", failures[0].Error)
	}
}

// Pull-through caches are not read, so that ECR need not ask their upstreams, unless they are wanted.
func TestPullThroughCachesAreNotRead(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(2, 3))
	w.ECR.AddPullThroughCacheRule(ecrsim.PullThroughCacheRule{Prefix: "flat", UpstreamURL: "quay.io"})
	inv, err := inventory.Run(t.Context(), inventory.Config{
		Sources: []inventory.Source{w.Source}, Target: w.Target, Mapping: ref.Mapping{Default: cloudstest.Default()},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []bool{false, true} {
		got, failures, err := content.Read(t.Context(), content.Config{Sources: []content.Source{w.Source}, Inventory: inv, PullThrough: wanted})
		if err != nil || len(failures) != 0 || len(got) != map[bool]int{false: 0, true: 6}[wanted] {
			t.Errorf("wanted %t, read %d, %+v, %v", wanted, len(got), failures, err)
		}
		if n := w.Sim.Counts().Of("ecr.BatchGetImage"); !wanted && n != 0 {
			t.Errorf("%d reads", n)
		}
	}
}
