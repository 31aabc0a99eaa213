package inventory_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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

// R/1000 + R + N/1000 requests at the source and one for its rules, N/1000 at the target.
func TestRequestsAreFew(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(10, 100))
	inv, err := inventory.Run(t.Context(), configOf(w))
	if err != nil || len(inv.Source.Images) != 1000 {
		t.Fatal(len(inv.Source.Images), err)
	}
	counts := w.Sim.Counts()
	t.Log(counts)
	for kind, most := range map[string]int{"ecr.DescribeRepositories": 1, "ecr.DescribePullThroughCacheRules": 1, "ecr.DescribeImages": 10, "ecr.ListImageReferrers": 10} {
		if n := counts.Of(kind); n > most {
			t.Errorf("%d requests %s, more than %d", n, kind, most)
		}
	}
	if n := counts.Total(); n > 1+10+10+1+3 {
		t.Errorf("%d requests", n)
	}
}

// Repositories that ECR fills from other registries are recognised by the rules' prefixes.
func TestPullThroughCachesAreRecognised(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	for prefix, upstream := range map[string]string{"hub": "registry-1.docker.io", "hub/quay": "quay.io", "ROOT": "public.ecr.aws", "gone": "ghcr.io"} {
		w.ECR.AddPullThroughCacheRule(ecrsim.PullThroughCacheRule{Prefix: prefix, UpstreamURL: upstream})
	}
	for _, name := range []string{"hub/library/nginx", "hub/quay/podman", "hubble", "hub"} {
		w.ECR.CreateRepository(name, ecrsim.RepositorySettings{})
	}
	inv, err := inventory.Run(t.Context(), configOf(w))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range inv.Source.Repositories {
		got[r.Name] = r.PullThrough
	}
	want := map[string]string{"hub/library/nginx": "registry-1.docker.io", "hub/quay/podman": "quay.io", "hubble": "", "hub": "", "flat/app-0000": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	known := func() map[ref.Repository]string {
		out := map[ref.Repository]string{}
		for _, r := range inv.Source.Repositories {
			out[r.URI] = r.PullThrough
		}
		return out
	}
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.DescribePullThroughCacheRules", Action: cloudsim.Status(403)})
	c := configOf(w)
	c.Caches = known
	later, err := inventory.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(inv.Source.Repositories, later.Source.Repositories); diff != "" {
		t.Errorf("what was known of the caches is lost where ECR cannot be asked: %s", diff)
	}
	if caches := inventory.Summarize(inv).PullThrough; len(caches) != 2 || caches[0].Upstream != "registry-1.docker.io" {
		t.Errorf("the summary has %+v", caches)
	}
}

// Who may not see the rules has an inventory nevertheless, and is told.
func TestPullThroughRulesThatMayNotBeSeen(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.DescribePullThroughCacheRules", Action: cloudsim.Status(403)})
	var told bytes.Buffer
	c := configOf(w)
	c.Logger = slog.New(slog.NewTextHandler(&told, nil))
	inv, err := inventory.Run(t.Context(), c)
	if err != nil || len(inv.Failures) != 0 || len(inv.Source.Images) != 1 {
		t.Fatal(err, inv.Failures)
	}
	if !strings.Contains(told.String(), "ecr:DescribePullThroughCacheRules") {
		t.Errorf("nobody is told: %s", &told)
	}
}
