package inventory_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/inventory"
	"transship/internal/ref"
)

func configOf(w *cloudstest.World) inventory.Config {
	return inventory.Config{
		Migration: document.Migration{Sources: []ref.Registry{cloudstest.Registry()}, Target: cloudstest.Default().String()},
		Sources:   []inventory.Source{w.Source}, Target: w.Target, Mapping: ref.Mapping{Default: cloudstest.Default()},
	}
}

// Whatever ECR's listings show, the inventory has every image of the corpus.
func TestTheEmbeddedCloudsAreListed(t *testing.T) {
	spec := corpus.Demo()
	c := corpus.Generate(spec)
	var want []string
	for _, r := range c.Repositories {
		for _, i := range r.Images {
			status := document.StatusActive
			if i.Archived {
				status = document.StatusArchived
			}
			want = append(want, fmt.Sprintf("%s %s %s %s %s %s", r.Name, i.Digest, slices.Sorted(slices.Values(i.Tags)), status, i.MediaType, i.Subject))
		}
	}
	slices.Sort(want)
	for name, test := range map[string]struct {
		quirks    ecrsim.Quirks
		mode      inventory.ReferrersMode
		referrers int // at most as many requests
	}{
		"as documented":               {},
		"hidden referrers":            {quirks: ecrsim.Quirks{HideReferrers: true}, referrers: 1000},
		"hidden referrers, asked for": {quirks: ecrsim.Quirks{HideReferrers: true}, mode: inventory.ReferrersAlways, referrers: 1000},
		"sparse pages":                {quirks: ecrsim.Quirks{SparsePages: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := cloudstest.New(t, cloudsim.Options{ECR: ecrsim.Options{Quirks: test.quirks}}, spec)
			config := configOf(w)
			config.Referrers = test.mode
			inv, err := inventory.Run(t.Context(), config)
			if err != nil || len(inv.Failures) != 0 {
				t.Fatal(err, inv.Failures)
			}
			var got []string
			for _, i := range inv.Source.Images {
				got = append(got, fmt.Sprintf("%s %s %s %s %s %s", i.Name, i.Digest, i.Tags, i.Status, i.MediaType, i.Subject))
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			counts := w.Sim.Counts()
			if n := counts.Of("ecr.ListImageReferrers"); n > test.referrers {
				t.Errorf("%d questions about referrers", n)
			}
			t.Log(counts)
		})
	}
}

// R/1000 + R + N/1000 requests at the source, N/1000 at the target.
func TestRequestsAreFew(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(10, 100))
	inv, err := inventory.Run(t.Context(), configOf(w))
	if err != nil || len(inv.Source.Images) != 1000 {
		t.Fatal(len(inv.Source.Images), err)
	}
	counts := w.Sim.Counts()
	t.Log(counts)
	for kind, most := range map[string]int{"ecr.DescribeRepositories": 1, "ecr.DescribeImages": 10, "ecr.ListImageReferrers": 10} {
		if n := counts.Of(kind); n > most {
			t.Errorf("%d requests %s, more than %d", n, kind, most)
		}
	}
	if n := counts.Total(); n > 1+10+10+3 {
		t.Errorf("%d requests", n)
	}
}
