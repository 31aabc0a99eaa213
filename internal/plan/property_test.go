package plan

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	gocmp "github.com/google/go-cmp/cmp"

	"transship/internal/document"
	"transship/internal/ref"
)

func TestMakeDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := encode(t, w.inv)
		first := encode(t, w.plan())
		if !bytes.Equal(before, encode(t, w.inv)) {
			t.Fatal("Make changed the inventory")
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shuffle(r, w.inv.Source.Repositories)
		shuffle(r, w.inv.Source.Images)
		shuffle(r, w.inv.Failures)
		for _, i := range w.inv.Source.Images {
			shuffle(r, i.Tags)
		}
		if second := encode(t, w.plan()); !bytes.Equal(first, second) {
			t.Fatal(gocmp.Diff(string(first), string(second)))
		}
	})
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func encode(t *rapid.T, v any) []byte {
	var b bytes.Buffer
	if err := document.Encode(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// place is a reference of the source: a digest in a repository, or a tag of it.
type place struct {
	source ref.Repository
	digest digest.Digest
	tag    string
}

// fates counts, for each place, how often it is planned or refused.
func fates(w *world, p document.Plan) map[place]int {
	out := map[place]int{}
	whole := map[ref.Repository]int{}
	for _, r := range p.Refused {
		if r.Digest == "" {
			whole[r.Source]++
		} else {
			out[place{r.Source, r.Digest, r.Tag}]++
		}
	}
	planned := map[place]bool{}
	for _, image := range p.Images {
		for _, r := range image.References {
			for _, s := range image.Sources {
				for _, tag := range append([]string{""}, r.Tags...) {
					planned[place{s, r.Digest, tag}] = true
				}
			}
		}
	}
	for _, i := range w.inv.Source.Images {
		for _, tag := range append([]string{""}, i.Tags...) {
			at := place{i.URI, i.Digest, tag}
			out[at] += whole[i.URI]
			if planned[at] {
				out[at]++
			}
		}
	}
	return out
}

func TestEveryReferenceIsPlannedOrRefusedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := w.plan()
		for at, n := range fates(w, p) {
			if n != 1 {
				t.Errorf("%v is planned or refused %d times", at, n)
			}
		}
		whole := map[ref.Repository]bool{}
		for _, r := range p.Refused {
			if r.Reason == "" || r.Rule == "" {
				t.Errorf("%+v says nothing", r)
			}
			whole[r.Source] = whole[r.Source] || r.Digest == ""
		}
		for _, f := range w.inv.Failures {
			var repo ref.Repository
			if err := repo.UnmarshalText([]byte(f.Source)); err != nil || !whole[repo] {
				t.Errorf("%s could not be listed and is not refused", f.Source)
			}
		}
	})
}

func TestPlansAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := w.plan()
		known := map[digest.Digest]document.PlannedManifest{}
		for _, m := range p.Manifests {
			known[m.Digest] = m
			for _, b := range m.Blobs {
				if b < 0 || b >= len(p.Blobs) {
					t.Fatalf("%s needs the blob at %d of %d", m.Digest, b, len(p.Blobs))
				}
			}
		}
		repositories := map[ref.TargetRepository]bool{}
		for _, r := range p.Repositories {
			repositories[r.URI] = true
		}
		active := map[place]bool{}
		listed := map[place]bool{}
		for _, i := range w.inv.Source.Images {
			listed[place{i.URI, i.Digest, ""}] = true
			active[place{i.URI, i.Digest, ""}] = i.Status == document.StatusActive
		}
		used := map[digest.Digest]bool{}
		for n, image := range p.Images {
			if n > 0 && p.Images[n-1].Target.Compare(image.Target) >= 0 {
				t.Errorf("%s is not after %s", image.Target, p.Images[n-1].Target)
			}
			if !repositories[image.Target.Repository] || image.Target.Validate() != nil {
				t.Errorf("%s cannot be written to", image.Target)
			}
			here, tags := map[digest.Digest]bool{}, map[string]bool{}
			for _, r := range image.References {
				if here[r.Digest] {
					t.Errorf("%s is twice in %s", r.Digest, image.Target)
				}
				here[r.Digest], used[r.Digest] = true, true
				at := place{image.Sources[r.Source], r.Digest, ""}
				if listed[at] && !active[at] {
					t.Errorf("%s is to be read where it is archived", r.Digest)
				}
				for _, tag := range r.Tags {
					if tags[tag] {
						t.Errorf("the tag %s is twice in %s", tag, image.Target)
					}
					tags[tag] = true
				}
			}
			for d := range here {
				m, ok := known[d]
				if !ok {
					t.Errorf("%s is planned and not described", d)
				}
				for _, c := range m.Children {
					if !here[c] {
						t.Errorf("%s needs %s, which is not planned in %s", d, c, image.Target)
					}
				}
			}
		}
		if len(used) != len(p.Manifests) {
			t.Errorf("%d manifests are described, %d are planned", len(p.Manifests), len(used))
		}
		sorted := slices.IsSortedFunc(p.Blobs, func(a, b document.PlannedBlob) int { return cmp.Compare(a.Digest, b.Digest) })
		if !sorted {
			t.Error("the blobs are not sorted")
		}
	})
}

// apply makes the target hold what p wants, in any order.
func apply(inv document.Inventory, p document.Plan) document.Inventory {
	inv.Target = document.TargetInventory{}
	for _, r := range p.Repositories {
		inv.Target.Repositories = append(inv.Target.Repositories, document.TargetRepository{URI: r.URI, Format: "DOCKER"})
	}
	for _, image := range slices.Backward(p.Images) {
		for _, r := range image.References {
			inv.Target.Images = append(inv.Target.Images, document.TargetImage{URI: image.Target, Digest: r.Digest, Tags: r.Tags})
		}
	}
	return inv
}

func TestAnAppliedPlanLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		first := w.plan()
		d := first.Difference
		if d.CopyManifests+d.SetTags < len(first.Images) || d.PresentManifests+d.PresentTags+d.MoveTags+d.ExtraImages > 0 {
			t.Errorf("the target is empty, and yet: %+v", d)
		}
		var unique int64
		for _, b := range first.Blobs {
			unique += b.Size
		}
		if first.Difference.CopyBytes < unique {
			t.Errorf("%d bytes are to be copied of %d", d.CopyBytes, unique)
		}
		w.inv = apply(w.inv, first)
		second := w.plan()
		want := document.Difference{
			PresentManifests: d.CopyManifests, PresentTags: d.SetTags, TotalBytes: d.TotalBytes, ForeignTags: []document.Tag{},
		}
		if diff := gocmp.Diff(want, second.Difference); diff != "" {
			t.Error(diff)
		}
		for n := range first.Repositories {
			first.Repositories[n].Exists = true
		}
		ignore := cmpopts.IgnoreFields(document.Plan{}, "Difference")
		if diff := gocmp.Diff(first, second, ignore); diff != "" {
			t.Errorf("the desired state depends on the target: %s", diff)
		}
	})
}
