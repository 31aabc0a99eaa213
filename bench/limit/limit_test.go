package limit_test

import (
	"testing"
	"time"

	"transship/bench/limit"
	"transship/bench/need"
	"transship/bench/world"
	"transship/internal/cloudsim/corpus"
)

// TestFormula holds the yardstick to the formula: not one request more, and nothing missing.
func TestFormula(t *testing.T) {
	t.Parallel()
	small := corpus.Standard()
	small.LayerBytes = 1 << 10
	for name, spec := range map[string]corpus.Spec{
		"standard": small, "flat": corpus.Flat(4, 20), "pages": corpus.Flat(1, 1001), "odd": corpus.Case("every-oddity-of-the-others"),
		"empty and repeated layers": corpus.Case("empty-and-repeated-layers"), "nested": corpus.Case("indexes-in-indexes"),
		"foreign": corpus.Case("foreign-layers"), "tags": corpus.Case("tags-on-one-digest"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := corpus.Generate(spec)
			formula, err := need.Of(c)
			if err != nil {
				t.Fatal(err)
			}
			w, err := world.New(t.Context(), c, world.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			plan, err := need.Plan(c, world.Sides())
			if err != nil {
				t.Fatal(err)
			}
			before := w.Sim.Counts()
			client := limit.NewClient(w.Sim.Transport())
			if err := limit.Run(t.Context(), plan, limit.Options{Client: client, Credentials: w.Credentials()}); err != nil {
				t.Fatal(err)
			}
			client.CloseIdleConnections()
			got := w.Sim.Counts().Sub(before)
			if got.Total() != formula.Requests() {
				t.Errorf("%d requests, the formula says %s\n%s", got.Total(), formula, got)
			}
			if n := got.Of("ar.v2.upload", "ar.v2.mount", "ar.v2.manifest.put"); n != formula.Writes() {
				t.Errorf("%d writes, the formula says %d", n, formula.Writes())
			}
			if n := got.Tally("s3.get").Sent; n != formula.Bytes {
				t.Errorf("%d bytes left ECR, the unique blobs have %d", n, formula.Bytes)
			}
			if a := w.Arrived(); !a.All() || a.AllManifests != formula.Manifests || a.AllTags != formula.Tags {
				t.Errorf("arrived: %+v; the corpus has %+v", a, formula)
			}
		})
	}
}

// TestStopsAtAnError sees that an error ends the run, whatever waits.
func TestStopsAtAnError(t *testing.T) {
	t.Parallel()
	c := corpus.Generate(corpus.Flat(2, 3))
	w, err := world.New(t.Context(), c, world.Options{RTT: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	plan, err := need.Plan(c, world.Sides())
	if err != nil {
		t.Fatal(err)
	}
	plan.Manifests[0].MediaType = "text/plain"
	client := limit.NewClient(w.Sim.Transport())
	if err := limit.Run(t.Context(), plan, limit.Options{Client: client, Workers: 2, Credentials: w.Credentials()}); err == nil {
		t.Error("no error, although a manifest was refused")
	}
	client.CloseIdleConnections()
}
