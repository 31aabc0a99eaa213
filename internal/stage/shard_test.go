package stage

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/plan/shard"
	"transship/internal/ref"
	"transship/internal/workspace"
)

// worker is one of several machines that copy p's plan: a workspace and connections of its own, and nothing else.
func worker(t *testing.T, w *cloudstest.World, p *Pipeline) *Pipeline {
	t.Helper()
	ws, err := workspace.Open(filepath.Join(t.TempDir(), "w"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	source, err := clouds.OpenSource(t.Context(), cloudstest.Registry(), ref.HostForm{}, w.Options())
	if err != nil {
		t.Fatal(err)
	}
	target, err := clouds.OpenTarget(context.WithoutCancel(t.Context()), w.Options())
	if err != nil {
		t.Fatal(err)
	}
	out := *p
	out.Workspace, out.PlanFile, out.Sources, out.Target = ws, p.Workspace.Plan(), []*clouds.Source{source}, target
	return &out
}

// copyShards copies p's plan on count machines at once, or one after the other, and returns what each did.
func copyShards(t *testing.T, w *cloudstest.World, p *Pipeline, count int, atOnce bool) []document.Results {
	t.Helper()
	workers := make([]*Pipeline, count)
	for n := range workers {
		workers[n] = worker(t, w, p)
	}
	out := make([]document.Results, count)
	var all sync.WaitGroup
	for n, one := range workers {
		all.Go(func() {
			var err error
			if out[n], err = one.Copy(t.Context(), CopyOptions{Shard: shard.Part{Index: n, Count: count}}, Hooks{}); err != nil {
				t.Error(err)
			}
		})
		if !atOnce {
			all.Wait()
		}
	}
	all.Wait()
	return out
}

func TestTryShards(t *testing.T) {
	for name, spec := range map[string]corpus.Spec{"demo": corpus.Demo(), "standard": corpus.Standard()} {
		for _, count := range []int{8, 16, 64} {
			for _, atOnce := range []bool{true, false} {
				w := cloudstest.New(t, cloudsim.Options{}, spec)
				p := pipeline(t, w)
				prepare(t, p)
				made, _ := p.ReadPlan()
				cut := shard.Make(made, count)
				var max, sum, refs, blobs int64
				for _, l := range cut.Loads() {
					sum += l.Bytes
					if l.Bytes > max {
						max = l.Bytes
					}
				}
				var read, readBlobs, success, mounted int64
				for _, r := range copyShards(t, w, p, count, atOnce) {
					read += r.Traffic.BytesRead
					readBlobs += r.Traffic.BlobsRead
					mounted += r.Traffic.BlobsMounted
					success += int64(r.Success)
					if r.Failed > 0 {
						t.Error(r.Failures[0])
					}
				}
				_, _ = refs, blobs
				v, err := p.Verify(t.Context(), true, Hooks{})
				if err != nil || v.Missing+v.Mismatched > 0 {
					t.Error(v.Missing, v.Mismatched, err)
				}
				t.Logf("%s %d atonce=%v: images %d; cut growth %.3f max/share %.2f; read %d of %d = %.3f in %d blobs, mounted %d, success %d verified %d", name, count, atOnce, len(made.Images), cut.Growth(), float64(max)*float64(count)/float64(made.Difference.CopyBytes),
					read, made.Difference.CopyBytes, float64(read)/float64(made.Difference.CopyBytes), readBlobs, mounted, success, v.Verified)
			}
		}
	}
}
