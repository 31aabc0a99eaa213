package world_test

import (
	"net/http"
	"testing"

	"transship/bench/world"
	"transship/internal/cloudsim/corpus"
)

// TestComplete sees that the judge finds everything where it was put, and misses what moved or is gone.
func TestComplete(t *testing.T) {
	t.Parallel()
	small := corpus.Standard()
	small.LayerBytes = 1 << 10
	w, err := world.New(t.Context(), corpus.Generate(small), world.Options{Complete: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	whole := w.Arrived()
	if !whole.All() || whole.AllManifests == 0 || whole.AllTags == 0 {
		t.Fatalf("a complete target: %+v", whole)
	}
	image := w.Sim.AR().Image(world.Target + "/team/api")
	image.Untag("latest")
	for _, d := range image.Blobs() {
		image.DeleteBlob(d)
	}
	if a := w.Arrived(); a.Tags != whole.Tags-1 || a.Manifests >= whole.Manifests || a.All() {
		t.Errorf("without a tag and blobs: %+v, was %+v", a, whole)
	}
}

func TestLimitSource(t *testing.T) {
	t.Parallel()
	w, err := world.New(t.Context(), corpus.Generate(corpus.Flat(1, 1)), world.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.LimitSource(1)
	client := w.Sim.HTTPClient()
	defer client.CloseIdleConnections()
	refused := 0
	for range 5 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+world.Source+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if counted := w.Sim.Counts().Tally("ecr").Refused; refused < 2 || counted != refused {
		t.Errorf("%d of 5 requests refused, %d counted", refused, counted)
	}
}
