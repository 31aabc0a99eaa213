package stage

import (
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/governance"
	"transship/internal/plan"
	"transship/internal/underrace"
)

// What the estimate says of a cold copy is what the clouds see: each kind of request at the source and all writes at the
// target to the last one, all of the target's requests but for what a registry is asked once.
func TestTheEstimateOfAColdCopyIsRight(t *testing.T) {
	if underrace.On { // it counts requests of stages that other tests run, too
		t.Skip("it takes ten times as long under the race detector")
	}
	spec := corpus.Standard()
	spec.LayerBytes = 1 << 10
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	p := pipeline(t, w)
	p.Costs = &Costs{}
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	made, err := p.Plan(t.Context(), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.ReadEstimate()
	if err != nil {
		t.Fatal(err)
	}
	if d, m := made.Difference, e.Move; d.CopyBytes != m.Bytes || d.CopyBlobs != m.Blobs || d.MountBlobs != m.Mounts || m.Bytes == 0 {
		t.Errorf("the estimate moves %+v, the plan %+v", m, d)
	}
	if _, err := p.Provision(t.Context(), ProvisionOptions{}, Hooks{}); err != nil {
		t.Fatal(err)
	}
	before := w.Sim.Counts()
	results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
	if err != nil || results.Failed > 0 {
		t.Fatalf("%v, %d failed", err, results.Failed)
	}
	counts := w.Sim.Counts().Sub(before)
	t.Logf("%+v\n%s", e.Loads, counts)
	loads := map[string]int{}
	for _, l := range e.Loads {
		loads[l.Side+" "+l.Kind] += int(l.Requests)
	}
	for kind, got := range map[string]int{
		"source BatchGetImage": counts.Of("ecr.BatchGetImage"), "source GetDownloadUrlForLayer": counts.Of("ecr.v2.blob"),
		"source S3 GetObject": counts.Of("s3"), "target writes": counts.Of("ar.v2.upload", "ar.v2.mount", "ar.v2.manifest.put"),
	} {
		if want := loads[kind]; got != want || want == 0 {
			t.Errorf("%s: the estimate says %d, the clouds saw %d", kind, want, got)
		}
	}
	if got, said := counts.Of("ar"), loads["target requests"]; got < said*99/100 || got > said*101/100 {
		t.Errorf("the estimate says %d requests at the target, the clouds saw %d", said, got)
	}
	again(t, p, results)
}

// again plans once more: nothing is left to move, and all that was stored is there.
func again(t *testing.T, p *Pipeline, results document.Results) {
	t.Helper()
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Plan(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	e, err := p.ReadEstimate()
	if err != nil {
		t.Fatal(err)
	}
	m := e.Move
	if m.Bytes != 0 || m.Blobs != 0 || m.References != 0 || m.PresentBytes != m.UniqueBytes || m.UniqueBytes != results.Traffic.BytesRead {
		t.Errorf("after a copy of %d bytes the estimate says %+v", results.Traffic.BytesRead, m)
	}
	for _, s := range e.Storage {
		if s.Before != s.After || s.Before == 0 {
			t.Errorf("%s: %d bytes before, %d after, though nothing is left to do", s.Target, s.Before, s.After)
		}
	}
}

// What the estimate says that leaving out saves is what a plan that leaves it out does not copy.
func TestWhatIsSavedIsNotCopied(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Demo())
	w.ECR.Guard()
	p := pipeline(t, w)
	p.Guards, p.Costs = &governance.Options{}, &Costs{}
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	all, err := p.Plan(t.Context(), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.ReadEstimate()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range e.Savings {
		switch p.Rules.Selection = (plan.Selection{}); s.Reason {
		case document.SavingUntagged:
			p.Rules.Selection.TaggedOnly = true
		case document.SavingExpired:
			p.Rules.Selection.WithoutExpired = true
		default:
			continue // the flag leaves out younger images too, as an assumption says
		}
		less, err := p.Plan(t.Context(), Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		images, bytes := all.Difference.CopyManifests-less.Difference.CopyManifests, all.Difference.CopyBytes-less.Difference.CopyBytes
		if s.Images != images || s.Bytes != bytes || bytes == 0 {
			t.Errorf("%s saves %d images of %d bytes, the estimate says %+v", s.Flag, images, bytes, s)
		}
	}
}
