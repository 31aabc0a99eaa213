package inventory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/inventory"
	"transship/internal/ref"
)

// put puts n images at a path of the target.
func put(t *testing.T, w *cloudstest.World, path string, n int) {
	t.Helper()
	at, err := w.AR.EnsureImage(cloudstest.Default().Join(path).String())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		b := fmt.Appendf(nil, `{"schemaVersion":2,"path":%q,"n":%d}`, path, i)
		at.PutManifest(store.Manifest{Digest: digest.FromBytes(b), MediaType: "application/vnd.oci.image.manifest.v1+json", Bytes: b, PushedAt: time.Unix(1, 0)})
	}
}

// The listing costs what is mapped into a repository, not what else is there: at most twice the requests that the mapped
// paths take one by one, and one more. One request each is for the repository's settings.
func TestTheTargetListingCostsWhatIsMapped(t *testing.T) {
	for name, test := range map[string]struct {
		foreign       int // paths of 1,000 images that nothing leads to
		mapped        []int
		whole, byPath int // pages
	}{
		"nothing is mapped":         {foreign: 2},
		"an empty repository":       {mapped: []int{0, 0, 0}, whole: 1},
		"a small one":               {mapped: []int{10, 20, 0}, whole: 1},
		"one more than that":        {foreign: 1, mapped: []int{1000, 1000}, whole: 3, byPath: 2},
		"exactly what is mapped":    {mapped: []int{1000, 1000, 1000}, whole: 3},
		"exactly full":              {foreign: 2, mapped: []int{500, 500, 0}, whole: 3},
		"much larger than mapped":   {foreign: 50, mapped: []int{10, 20, 0}, whole: 4, byPath: 3},
		"large paths alone":         {mapped: []int{5000, 1, 1}, whole: 6},
		"large paths among foreign": {foreign: 50, mapped: []int{2500, 1}, whole: 5, byPath: 4},
	} {
		t.Run(name, func(t *testing.T) {
			w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
			for i := range test.foreign {
				put(t, w, fmt.Sprintf("m-foreign/%02d", i), 1000) // in the midst of the mapped paths
			}
			var paths []ref.TargetImage
			want := 0
			for i, n := range test.mapped {
				path := fmt.Sprintf("a-mapped/%02d", i)
				if i > 0 {
					path = fmt.Sprintf("z-mapped/%02d", i)
				}
				put(t, w, path, n)
				want += n
				paths = append(paths, cloudstest.Default().Join(path))
			}
			before := w.Sim.Counts()
			c := configOf(w)
			var shown int
			c.Progress = func(p inventory.Progress) { shown = p.Images }
			inv, err := inventory.ListTarget(t.Context(), c, []ref.TargetRepository{cloudstest.Default().Repository}, paths)
			if err != nil || len(inv.Repositories) != 1 || len(inv.Images) != want || shown != want {
				t.Fatalf("%d images, %d shown, want %d: %v", len(inv.Images), shown, want, err)
			}
			got := w.Sim.Counts().Sub(before)
			if whole, byPath := got.Of("ar.api.dockerImages.list"), got.Of("ar.api.versions.list"); whole != test.whole || byPath != test.byPath || got.Total() != 1+whole+byPath {
				t.Errorf("%d pages of the whole and %d of paths, want %d and %d:\n%s", whole, byPath, test.whole, test.byPath, got)
			}
		})
	}
}
