package verify_test

import (
	"slices"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/content"
	"transship/internal/document"
	"transship/internal/inventory"
	"transship/internal/plan"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/verify"
)

// arrived is a world whose target holds the corpus as if a perfect copy had been made.
func arrived(t *testing.T, spec corpus.Spec) (*cloudstest.World, *corpus.Corpus) {
	t.Helper()
	w, c := cloudstest.New(t, cloudsim.Options{}, spec), corpus.Generate(spec)
	c.Load(func(name string) *store.Repository {
		image, err := w.AR.EnsureImage(cloudstest.Default().Join(name).String())
		if err != nil {
			t.Fatal(err)
		}
		return image
	}, corpus.Hooks{})
	return w, c
}

// look takes a fresh look at both sides and says what it cost at the data plane of the target.
func look(t *testing.T, w *cloudstest.World, deep bool) (document.Verification, cloudsim.Counts) {
	t.Helper()
	mapping := ref.Mapping{Default: cloudstest.Default()}
	inv, err := inventory.Run(t.Context(), inventory.Config{Sources: []inventory.Source{w.Source}, Target: w.Target, Mapping: mapping})
	if err != nil {
		t.Fatal(err)
	}
	read, unread, err := content.Read(t.Context(), content.Config{Sources: []content.Source{w.Source}, Fallback: w.Source, Inventory: inv})
	if err != nil {
		t.Fatal(err)
	}
	before := w.Sim.Counts()
	v, err := verify.Run(t.Context(), verify.Config{
		Plan:      plan.Make(plan.Rules{Mapping: mapping, Unread: unread}, inv, read),
		Inventory: inv, Target: w.Target, Deep: deep, Now: cloudstest.Clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v, w.Sim.Counts().Sub(before)
}

// References are counted, the archived ones apart; blobs are counted in each repository that needs them.
func references(c *corpus.Corpus) (active, archived, manifests int) {
	for _, r := range c.Repositories {
		for _, i := range r.Images {
			if i.Archived {
				archived += max(1, len(i.Tags))
				continue
			}
			manifests++
			active += max(1, len(i.Tags))
		}
	}
	return active, archived, manifests
}

func TestTheEmbeddedCloudsAreVerified(t *testing.T) {
	w, c := arrived(t, corpus.Demo())
	active, archived, manifests := references(c)
	v, cost := look(t, w, false)
	if !verify.OK(v) || v.Verified != active || v.Excluded != archived || archived == 0 || v.Extra != 0 {
		t.Errorf("verified %d of %d, excluded %d of %d, extra %d: %+v", v.Verified, active, v.Excluded, archived, v.Extra, v.Cases)
	}
	filled := slices.DeleteFunc(slices.Clone(c.Repositories), func(r corpus.Repository) bool { return len(r.Images) == 0 })
	if len(v.Repositories) != len(filled) {
		t.Errorf("%d repositories, not %d", len(v.Repositories), len(filled))
	}
	if cost.Total() != 0 {
		t.Errorf("the listing shows all, and it was asked:\n%s", cost)
	}
	v, cost = look(t, w, true)
	if !verify.OK(v) || v.Verified != active || !v.Deep {
		t.Errorf("%+v %+v", v.Cases, v.Failures)
	}
	t.Log(cost)
	if n := cost.Of("ar.v2"); n != manifests+v.Blobs || v.Blobs == 0 {
		t.Errorf("%d requests for %d manifests and %d blobs", n, manifests, v.Blobs)
	}
}

// One tag is deleted, one is moved within its repository, somebody pushes another one, and a layer is lost.
func TestTheEmbeddedCloudsAreSpoiled(t *testing.T) {
	w, c := arrived(t, corpus.Flat(3, 4))
	at := func(n int) *store.Repository {
		return w.AR.Image(cloudstest.Default().Join(c.Repositories[n].Name).String())
	}
	images := func(n int) []corpus.Image { return c.Repositories[n].Images }
	at(0).Untag(images(0)[0].Tags[0])
	at(1).Tag(images(1)[0].Tags[0], images(1)[1].Digest)
	at(1).Tag("theirs", images(1)[2].Digest)
	last := images(2)[3]
	parsed, err := registry.ParseManifest(registry.Manifest{Digest: last.Digest, MediaType: last.MediaType, Bytes: last.Manifest})
	if err != nil {
		t.Fatal(err)
	}
	own := parsed.Blobs[slices.IndexFunc(parsed.Blobs, func(b registry.Blob) bool { return !shared(c, 2, last, b) })]
	at(2).DeleteBlob(own.Digest)

	v, cost := look(t, w, false)
	if v.Missing != 1 || v.Mismatched != 1 || v.Extra != 1 || v.Verified != 10 || verify.OK(v) {
		t.Errorf("missing %d, mismatched %d, extra %d, verified %d: %+v", v.Missing, v.Mismatched, v.Extra, v.Verified, v.Cases)
	}
	if n := cost.Total(); n != 2 {
		t.Errorf("%d questions for two doubts:\n%s", n, cost)
	}
	v, _ = look(t, w, true)
	if v.Missing != 2 || v.Verified != 9 {
		t.Fatalf("missing %d, verified %d: %+v", v.Missing, v.Verified, v.Cases)
	}
	if c := v.Cases[1]; c.Blob != own.Digest || c.Tag != last.Tags[0] || c.SourceDigest != last.Digest {
		t.Errorf("%+v", c)
	}
}

// shared reports whether another image of the repository needs b as well.
func shared(c *corpus.Corpus, n int, image corpus.Image, b registry.Blob) bool {
	return slices.ContainsFunc(c.Repositories[n].Images, func(i corpus.Image) bool {
		parsed, err := registry.ParseManifest(registry.Manifest{Digest: i.Digest, MediaType: i.MediaType, Bytes: i.Manifest})
		return err == nil && i.Digest != image.Digest && slices.Contains(parsed.Blobs, b)
	})
}
