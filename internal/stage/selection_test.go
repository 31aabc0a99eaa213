package stage

import (
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/plan"
	"transship/internal/ref"
)

// A selection goes through all stages: what it takes is copied and verified, what it leaves is counted, and nothing that
// is there from before is in its way.
func TestASelectionIsMigrated(t *testing.T) {
	spec := corpus.Flat(2, 5)
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	p := pipeline(t, w)
	p.Rules.Selection = plan.Selection{Newest: 2}
	results, v := migrate(t, p, true)
	if results.Success != 4 || results.Failed != 0 || v.Verified != 4 || v.Excluded != 6 || v.Missing+v.Mismatched+v.Extra != 0 {
		t.Errorf("copied %d, verified %d, excluded %d, missing %d", results.Success, v.Verified, v.Excluded, v.Missing)
	}
	for _, c := range v.Cases {
		if c.Rule != document.RuleNotSelected {
			t.Errorf("%+v", c)
		}
	}
	if v.Scope.Selection.Newest != 2 || results.Scope.Selection.Newest != 2 {
		t.Errorf("the documents do not say what was selected: %+v, %+v", v.Scope, results.Scope)
	}
	p.Rules.Selection = plan.Selection{}
	if results, v := migrate(t, p, true); results.Success != 6 || v.Verified != 10 || v.Excluded != 0 {
		t.Errorf("then all: copied %d, verified %d, excluded %d", results.Success, v.Verified, v.Excluded)
	}
	// A tag that is, at the target, at an image of the source that the selection leaves is moved: nobody else's.
	repo := corpus.Generate(spec).Repositories[0]
	path := cloudstest.Default().Join(repo.Name).String()
	if err := w.AR.SetTag(path, repo.Images[4].Tags[0], repo.Images[0].Digest); err != nil {
		t.Fatal(err)
	}
	fresh := pipeline(t, w)
	fresh.Rules.Selection = plan.Selection{Newest: 2}
	results, v = migrate(t, fresh, false)
	if results.Success != 1 || len(results.Kept) != 0 || v.Mismatched+v.Missing+v.Extra != 0 || v.Verified != 4 {
		t.Errorf("moved %d, kept %v, mismatched %d, extra %d", results.Success, results.Kept, v.Mismatched, v.Extra)
	}
}

// Pull-through caches are left and counted, neither listed as failures nor read, and can be taken along.
func TestPullThroughCachesAreLeft(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 2))
	w.ECR.AddPullThroughCacheRule(ecrsim.PullThroughCacheRule{Prefix: "flat", UpstreamURL: "registry-1.docker.io"})
	p := pipeline(t, w)
	results, v := migrate(t, p, false)
	if results.Success+results.Failed != 0 || v.Excluded != 1 || v.Cases[0].Rule != document.RulePullThrough || len(v.Failures) != 0 {
		t.Errorf("copied %d, excluded %+v, failures %+v", results.Success, v.Cases, v.Failures)
	}
	if n := w.Sim.Counts().Of("ecr.BatchGetImage", "s3"); n != 0 {
		t.Errorf("a cache was read %d times", n)
	}
	p.Rules.Selection.PullThrough = true
	if results, v := migrate(t, p, false); results.Success != 2 || v.Verified != 2 {
		t.Errorf("with caches: copied %d, verified %d", results.Success, v.Verified)
	}
}

// An image and what describes it come together, whichever tag selects it.
func TestASignedImageIsSelected(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Case("signature-tags"))
	p := pipeline(t, w)
	glob, err := ref.ParseGlob("1.*")
	if err != nil {
		t.Fatal(err)
	}
	p.Rules.Selection.Tags = []ref.Glob{glob}
	results, v := migrate(t, p, true)
	source := w.ECR.Repository("case/signature-tags").Content
	target := w.AR.Image(cloudstest.Default().Join("case/signature-tags").String())
	if results.Failed+v.Missing+v.Extra != 0 || v.Excluded != 1 || len(target.Tags()) != len(source.Tags())-1 || len(target.Manifests()) != len(source.Manifests()) {
		t.Errorf("excluded %d: of %v came %v", v.Excluded, source.Tags(), target.Tags())
	}
}
