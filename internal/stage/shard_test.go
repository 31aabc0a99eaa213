package stage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/plan"
	"transship/internal/plan/shard"
	"transship/internal/ref"
	"transship/internal/underrace"
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

// bytesRead is what all of them read from ECR.
func bytesRead(all []document.Results) (sum int64) {
	for _, r := range all {
		sum += r.Traffic.BytesRead
	}
	return sum
}

// Shards bring everything, whether they run at once or one after the other; with 16 of them, ECR is read less than a
// tenth more than by one; and whoever comes when others are done reads nothing that is at the target already.
func TestShards(t *testing.T) {
	for name, spec := range map[string]corpus.Spec{"demo": corpus.Demo(), "standard": corpus.Standard()} {
		if name == "standard" && (testing.Short() || underrace.On) {
			continue
		}
		for _, atOnce := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " at once ", atOnce), func(t *testing.T) {
				w := cloudstest.New(t, cloudsim.Options{}, spec)
				p := pipeline(t, w)
				prepare(t, p)
				made, err := p.ReadPlan()
				if err != nil {
					t.Fatal(err)
				}
				results := copyShards(t, w, p, 16, atOnce)
				one, all := made.Difference.CopyBytes, bytesRead(results)
				t.Logf("%d bytes are read, %.3f times what one machine reads", all, float64(all)/float64(one))
				if !atOnce && all != one || all >= one*11/10 {
					t.Errorf("%d bytes were read, and one machine reads %d", all, one)
				}
				success := 0
				for _, r := range results {
					success += r.Success
					if r.Failed > 0 {
						t.Error(r.Failures[0])
					}
				}
				v, err := p.Verify(t.Context(), true, Hooks{})
				if err != nil || v.Missing+v.Mismatched+v.Extra > 0 || v.Verified != success {
					t.Errorf("verified %d of %d, missing %d, mismatched %d, extra %d: %v", v.Verified, success, v.Missing, v.Mismatched, v.Extra, err)
				}
			})
		}
	}
}

// Two workers with one index at once, each with a workspace of its own, both end right; and one that comes when all is
// done does nothing.
func TestOneShardTwice(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Demo())
	p := pipeline(t, w)
	prepare(t, p)
	parts := []shard.Part{{Index: 0, Count: 2}, {Index: 1, Count: 2}, {Index: 1, Count: 2}}
	var all sync.WaitGroup
	for _, part := range parts {
		one := worker(t, w, p)
		all.Go(func() {
			r, err := one.Copy(t.Context(), CopyOptions{Shard: part}, Hooks{})
			if err != nil || r.Failed > 0 || len(r.Kept) > 0 {
				t.Errorf("%v: failed %d, kept %d: %v", part, r.Failed, len(r.Kept), err)
			}
		})
	}
	all.Wait()
	v, err := p.Verify(t.Context(), true, Hooks{})
	if err != nil || v.Missing+v.Mismatched > 0 {
		t.Fatalf("missing %d, mismatched %d: %v", v.Missing, v.Mismatched, err)
	}
	before := w.Sim.Counts()
	late, err := worker(t, w, p).Copy(t.Context(), CopyOptions{Shard: parts[1]}, Hooks{})
	if err != nil || late.Success+late.Failed > 0 || late.Skipped == 0 {
		t.Errorf("the late one copied %d, failed %d, skipped %d: %v", late.Success, late.Failed, late.Skipped, err)
	}
	if n := w.Sim.Counts().Sub(before).Of("s3", "ar.v2"); n > 0 {
		t.Errorf("the late one sent %d requests for images", n)
	}
}

// Join adds up by shard, whatever the order of the workspaces, and names what is missing.
func TestJoin(t *testing.T) {
	at := func(minute int) time.Time { return cloudstest.Clock().Add(time.Duration(minute) * time.Minute) }
	m := plan.NewMigration([]ref.Registry{cloudstest.Registry()}, ref.Mapping{Default: cloudstest.Default()})
	one := func(dir string, index int, of string, minute, success, failed int) WorkerResults {
		r := document.Results{
			Header: document.NewHeader(document.KindResults, m), StartedAt: at(minute - 1), EndedAt: at(minute), Success: success, Failed: failed,
			Shard: &document.Shard{Index: index, Count: 5, Plan: digest.FromString(of)}, Traffic: document.Traffic{BytesRead: 100},
		}
		for range failed {
			r.Failures = append(r.Failures, document.Failure{Source: dir})
		}
		return WorkerResults{Workspace: dir, Results: r}
	}
	stopped := one("d", 3, "plan", 4, 1, 0)
	stopped.Results.Stopped = true
	all := []WorkerResults{
		one("a", 0, "plan", 1, 10, 0), one("b", 1, "plan", 2, 20, 1), one("b-again", 1, "plan", 9, 1, 0), stopped, one("e", 4, "older plan", 20, 50, 1),
	}
	for range 10 {
		rand.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
		j, err := Join(all)
		if err != nil {
			t.Fatal(err)
		}
		var states []ShardState
		for _, s := range j.Shards {
			states = append(states, s.State)
		}
		if want := []ShardState{ShardDone, ShardDone, ShardMissing, ShardStopped, ShardStale}; !slices.Equal(states, want) {
			t.Fatalf("the states are %q", states)
		}
		if j.Success != 12 || j.Failed != 0 || len(j.Failures) != 0 || j.Traffic.BytesRead != 500 || j.Open() != 3 || j.Plan != digest.FromString("plan") {
			t.Fatalf("joined: %+v", j)
		}
		if j.Shards[1].Workspaces[0] != "b-again" || !j.EndedAt.Equal(at(20)) || !j.StartedAt.Equal(at(0)) {
			t.Fatalf("the latest of two does not count: %+v", j)
		}
	}
	whole, other, damaged := one("whole", 0, "plan", 1, 1, 0), one("other", 0, "plan", 1, 1, 0), one("damaged", 7, "plan", 1, 1, 0)
	whole.Results.Shard = nil
	other.Results.Migration.Target = "elsewhere"
	for _, with := range []WorkerResults{whole, other, damaged} {
		for _, two := range [][]WorkerResults{{all[0], with}, {with, all[0]}} {
			if _, err := Join(two); err == nil || !strings.Contains(err.Error(), with.Workspace) {
				t.Errorf("with %s: %v", with.Workspace, err)
			}
		}
	}
	if _, err := Join(nil); err == nil {
		t.Error("nothing adds up")
	}
}
