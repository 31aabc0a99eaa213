package stage

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/plan"
	"transship/internal/ref"
	"transship/internal/underrace"
	"transship/internal/workspace"
)

// pipeline is a migration of a world in a fresh workspace.
func pipeline(t testing.TB, w *cloudstest.World) *Pipeline {
	t.Helper()
	ws, err := workspace.Open(filepath.Join(t.TempDir(), "w"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	m := ref.Mapping{Default: cloudstest.Default()}
	return &Pipeline{
		Workspace: ws, Rules: plan.Rules{Migration: plan.NewMigration([]ref.Registry{cloudstest.Registry()}, m), Mapping: m},
		Sources: []*clouds.Source{w.Source}, Target: w.Target, Now: cloudstest.Clock, Logger: slog.New(slog.DiscardHandler),
	}
}

// migrate runs all stages and returns what the last two found.
func migrate(t testing.TB, p *Pipeline, deep bool) (document.Results, document.Verification) {
	t.Helper()
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Plan(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Provision(t.Context(), ProvisionOptions{}, Hooks{}); err != nil {
		t.Fatal(err)
	}
	results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Verify(t.Context(), deep, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return results, v
}

// Everything arrives, a second run copies nothing and leaves the same documents.
func TestMigrateTwice(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Demo())
	p := pipeline(t, w)
	results, v := migrate(t, p, true)
	if results.Failed != 0 || v.Missing+v.Mismatched+v.Extra+len(v.Failures) != 0 || v.Verified == 0 || v.Verified != results.Success {
		t.Fatalf("copied %d, failed %d, verified %d, missing %d, mismatched %d, extra %d: %+v %+v",
			results.Success, results.Failed, v.Verified, v.Missing, v.Mismatched, v.Extra, v.Cases, v.Failures)
	}
	if v.Excluded == 0 || v.Blobs == 0 {
		t.Errorf("excluded %d, blobs %d: the corpus has an archived image, and blobs", v.Excluded, v.Blobs)
	}
	first := map[string]string{}
	for _, path := range []string{p.Workspace.Content(), p.Workspace.Verification()} {
		first[path] = read(t, path)
	}
	before := w.Sim.Counts()
	results, v = migrate(t, p, true)
	if results.Success != 0 || results.Failed != 0 || !strings.Contains(read(t, p.Workspace.Results()), `"failures": []`) {
		t.Errorf("a second run copied %d, failed %d", results.Success, results.Failed)
	}
	if v.Missing != 0 {
		t.Error("a second verification misses something")
	}
	got := w.Sim.Counts().Sub(before)
	if n := got.Of("ar.v2.manifest.put", "ar.v2.upload", "ar.v2.mount", "ecr.BatchGetImage", "s3"); n != 0 {
		t.Errorf("a second run wrote or read content:\n%s", got)
	}
	for path, was := range first {
		if read(t, path) != was {
			t.Errorf("%s changed in a second run over unchanged registries", filepath.Base(path))
		}
	}
	inventory := read(t, p.Workspace.Inventory())
	made := read(t, p.Workspace.Plan())
	migrate(t, p, false)
	if read(t, p.Workspace.Inventory()) != inventory || read(t, p.Workspace.Plan()) != made {
		t.Error("inventory.json or plan.json differ between two runs over unchanged registries")
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A second copy over 1,000 unchanged tags in 10 repositories needs at most 30 requests; the listings are all it asks.
func TestRequestsOfASecondCopy(t *testing.T) {
	each := 100
	if underrace.On { // whose first copy would take ten times as long
		each = 20
	}
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(10, each))
	p := pipeline(t, w)
	if results, v := migrate(t, p, false); results.Failed != 0 || v.Verified != 10*each {
		t.Fatalf("failed %d, verified %d", results.Failed, v.Verified)
	}
	before := w.Sim.Counts()
	if _, err := p.Copy(t.Context(), CopyOptions{}, Hooks{}); err != nil {
		t.Fatal(err)
	}
	got := w.Sim.Counts().Sub(before)
	if got.Total() > 30 {
		t.Errorf("a second copy took %d requests:\n%s", got.Total(), got)
	}
	if other := got.Total() - got.Of("ar.api"); other != 0 {
		t.Errorf("a second copy asked for more than listings:\n%s", got)
	}
}

// A tag that was deleted and one that was moved within its repository are named by verify and mended by copy.
func TestCopyMendsWhatVerifyNames(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(2, 3))
	p := pipeline(t, w)
	migrate(t, p, false)
	c := corpus.Generate(corpus.Flat(2, 3))
	name := c.Repositories[0].Name
	images := c.Repositories[0].Images
	at := w.AR.Image(cloudstest.Default().Join(name).String())
	at.Untag(images[0].Tags[0])
	at.Tag(images[1].Tags[0], images[2].Digest)

	v, err := p.Verify(t.Context(), false, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Missing != 1 || v.Mismatched != 1 || v.Cases[0].Tag != images[0].Tags[0] || v.Cases[1].Tag != images[1].Tags[0] ||
		v.Cases[1].SourceDigest != images[1].Digest || v.Cases[1].TargetDigest != images[2].Digest {
		t.Fatalf("cases: %+v", v.Cases)
	}
	r, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
	if err != nil || r.Success != 2 {
		t.Fatalf("copied %d: %v", r.Success, err)
	}
	if v, err := p.Verify(t.Context(), true, Hooks{}); err != nil || v.Missing+v.Mismatched != 0 {
		t.Fatalf("after mending: %+v, %v", v.Cases, err)
	}
}

// --retry-failed takes up what failed, and nothing else.
func TestRetryFailed(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(2, 3))
	p := pipeline(t, w)
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Plan(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.manifest.put", Nth: 2, Action: cloudsim.Status(403)})
	r, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
	if err != nil || r.Failed != 1 {
		t.Fatalf("failed %d: %v", r.Failed, err)
	}
	w.Sim.Faults.Clear()
	r, err = p.Copy(t.Context(), CopyOptions{RetryFailed: true}, Hooks{})
	if err != nil || r.Success != 1 || r.Failed != 0 || r.Skipped != 0 {
		t.Errorf("the retry copied %d, failed %d, skipped %d: %v", r.Success, r.Failed, r.Skipped, err)
	}
}

// Documents that are missing, of another migration, or of another format end in an error that says what to do.
func TestDocumentsThatDoNotFit(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	p := pipeline(t, w)
	_, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
	if missing, is := errors.AsType[*MissingError](err); !is || missing.Command != "plan" {
		t.Errorf("a copy without a plan: %v", err)
	}
	if _, err := p.Plan(t.Context(), Hooks{}); err == nil || !strings.Contains(err.Error(), "transship inventory") {
		t.Errorf("a plan without an inventory: %v", err)
	}
	migrate(t, p, false)
	other := *p
	other.Rules.Mapping = ref.Mapping{Default: cloudstest.Default().Join("elsewhere")}
	other.Rules.Migration = plan.NewMigration([]ref.Registry{cloudstest.Registry()}, other.Rules.Mapping)
	if _, err := other.Copy(t.Context(), CopyOptions{}, Hooks{}); err == nil || !strings.Contains(err.Error(), "another migration") {
		t.Errorf("a copy with the plan of another target: %v", err)
	}
	newer := strings.Replace(read(t, p.Workspace.Plan()), `"formatVersion": 1`, `"formatVersion": 99`, 1)
	if err := os.WriteFile(p.Workspace.Plan(), []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Copy(t.Context(), CopyOptions{}, Hooks{}); err == nil || !strings.Contains(err.Error(), "format 99") {
		t.Errorf("a copy with a plan of a newer format: %v", err)
	}
}

// A target repository that is not there is said before anything is copied, and provision creates it.
func TestProvisionCreatesTheRepository(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 2))
	p := pipeline(t, w)
	p.Rules.Mapping.Default.Repository.ID = "not-yet"
	p.Rules.Migration = plan.NewMigration([]ref.Registry{cloudstest.Registry()}, p.Rules.Mapping)
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Plan(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Copy(t.Context(), CopyOptions{}, Hooks{}); err == nil || !strings.Contains(err.Error(), "transship provision") {
		t.Fatalf("copied into nowhere: %v", err)
	}
	r, err := p.Provision(t.Context(), ProvisionOptions{}, Hooks{})
	if err != nil || len(r.Created) != 1 {
		t.Fatalf("created %v: %v", r.Created, err)
	}
	if again, err := p.Provision(t.Context(), ProvisionOptions{}, Hooks{}); err != nil || len(again.Created) != 0 || len(again.Unchanged) != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	found, ok := w.AR.Repository("us", "my-gcp-project", "not-yet")
	if !ok || found.Format != "DOCKER" || found.Description != plan.Description {
		t.Errorf("created %+v", found)
	}
	if _, v := migrate(t, p, true); v.Verified != 2 || v.Missing != 0 {
		t.Errorf("verified %d, missing %d", v.Verified, v.Missing)
	}
}

// What is not confirmed of ECR ends right either way.
func TestVariantsOfECR(t *testing.T) {
	for name, q := range map[string]ecrsim.Quirks{
		"referrers hidden": {HideReferrers: true},
		"indexes refused":  {Indexes: ecrsim.IndexTypesRefused},
		"indexes failed":   {Indexes: ecrsim.IndexesFailed},
		"sparse pages":     {SparsePages: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := cloudstest.New(t, cloudsim.Options{ECR: ecrsim.Options{Quirks: q}, AR: arsim.Options{Quotas: arsim.NoQuotas()}}, corpus.Demo())
			results, v := migrate(t, pipeline(t, w), true)
			if results.Failed+v.Missing+v.Mismatched+len(v.Failures) != 0 || v.Verified != results.Success {
				t.Errorf("copied %d, verified %d, missing %d, first cases %+v", results.Success, v.Verified, v.Missing, v.Cases[:min(3, len(v.Cases))])
			}
		})
	}
}
