package content_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudstest"
	"transship/internal/content"
	"transship/internal/document"
	"transship/internal/inventory"
	"transship/internal/plan"
	"transship/internal/ref"
)

// pipeline runs inventory and content on a world.
func pipeline(t *testing.T, w *cloudstest.World) (document.Inventory, document.Content, []document.Failure) {
	t.Helper()
	inv, err := inventory.Run(t.Context(), inventory.Config{
		Sources: []inventory.Source{w.Source}, Target: w.Target, Mapping: ref.Mapping{Default: cloudstest.Default()},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, failures, err := content.Read(t.Context(), content.Config{Sources: []content.Source{w.Source}, Fallback: w.Source, Inventory: inv})
	if err != nil {
		t.Fatal(err)
	}
	return inv, got, failures
}

// Whatever BatchGetImage does with indexes, all manifests are read, and the plan holds all that is not archived.
func TestTheEmbeddedCloudsAreRead(t *testing.T) {
	spec := corpus.Demo()
	c := corpus.Generate(spec)
	for name, quirks := range map[string]ecrsim.Quirks{
		"indexes are served":       {},
		"index types are refused":  {Indexes: ecrsim.IndexTypesRefused},
		"indexes are failures":     {Indexes: ecrsim.IndexesFailed},
		"referrers are not listed": {HideReferrers: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := cloudstest.New(t, cloudsim.Options{ECR: ecrsim.Options{Quirks: quirks}}, spec)
			inv, got, failures := pipeline(t, w)
			if len(failures) != 0 {
				t.Errorf("%+v", failures)
			}
			counts := w.Sim.Counts()
			t.Log(counts)
			if n := counts.Of("ecr.BatchGetImage"); quirks == (ecrsim.Quirks{}) && n > len(c.Repositories) {
				t.Errorf("%d bulk reads of %d repositories", n, len(c.Repositories))
			}
			rules := plan.Rules{Mapping: ref.Mapping{Default: cloudstest.Default()}}
			checkPlan(t, c, plan.Make(rules, inv, got))
		})
	}
}

func checkPlan(t *testing.T, c *corpus.Corpus, p document.Plan) {
	t.Helper()
	archived := map[digest.Digest]bool{}
	var want, got []string
	for _, r := range c.Repositories {
		for _, i := range r.Images {
			if i.Archived {
				archived[i.Digest] = true
				continue
			}
			want = append(want, fmt.Sprint(r.Name, " ", i.Digest, slices.Sorted(slices.Values(i.Tags))))
		}
	}
	for _, image := range p.Images {
		for _, r := range image.References {
			got = append(got, fmt.Sprint(image.Target.Path, " ", r.Digest, r.Tags))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(archived) == 0 {
		t.Error("the corpus has nothing archived")
	}
	for _, r := range p.Refused {
		if !archived[r.Digest] || r.Rule != document.RuleArchived {
			t.Errorf("%+v", r)
		}
	}
	var bytes int64
	for _, b := range p.Blobs {
		if int64(len(c.Blobs[b.Digest])) != b.Size {
			t.Errorf("%s has %d bytes, not %d", b.Digest, len(c.Blobs[b.Digest]), b.Size)
		}
		bytes += b.Size
	}
	d := p.Difference
	if d.CopyBytes != bytes || d.CopyBlobs != len(p.Blobs) || d.CopyManifests != len(got) || d.PresentManifests != 0 {
		t.Errorf("%+v", d)
	}
}
