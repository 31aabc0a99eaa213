package stage

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/underrace"
)

// Whole runs (inventory, plan, provision, copy and a deep verify) through faults of the network and the clouds. The clock
// is a bubble's, so that back-offs of minutes take no time, and the faults are drawn by a seed.

// bubble runs f in a world of its own with a clock that waits for nobody.
func bubble(t *testing.T, o cloudsim.Options, spec corpus.Spec, f func(t *testing.T, w *cloudstest.World)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := cloudstest.New(t, o, spec)
		f(t, w)
		w.Sim.Faults.Clear()
		time.Sleep(time.Hour) // for what still runs on the other side of broken connections
	})
}

// streamed is the demo's corpus, of one release, with layers that are too large to be held in memory while they are pushed.
func streamed() corpus.Spec {
	spec := corpus.Demo()
	spec.Releases, spec.LayerBytes = 1, 100<<10
	return spec
}

// wantAll checks that everything was copied and found again.
func wantAll(t *testing.T, results document.Results, v document.Verification) {
	t.Helper()
	if results.Failed+len(results.Gone)+len(results.Kept) != 0 || results.Stopped || results.Success == 0 {
		t.Errorf("copied %d, failed %d, gone %d, kept %d: first %+v", results.Success, results.Failed, len(results.Gone), len(results.Kept), firstOf(results.Failures))
	}
	if v.Missing+v.Mismatched+v.Extra+len(v.Failures) != 0 || v.Verified != results.Success {
		t.Errorf("verified %d of %d, missing %d, mismatched %d, extra %d: first %+v, %+v",
			v.Verified, results.Success, v.Missing, v.Mismatched, v.Extra, firstOf(v.Cases), firstOf(v.Failures))
	}
}

func firstOf[T any](s []T) any {
	if len(s) == 0 {
		return "none"
	}
	return s[0]
}

// somewhere is a place within a blob that is the same for the same URL path.
func somewhere(r *http.Request) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.URL.Path))
	return int64(h.Sum64() % (64 << 10))
}

// at makes an action of one that wants a place within a body.
func at(action func(int64) cloudsim.Action) cloudsim.Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) { action(somewhere(r))(w, r, next) }
}

// flipped flips a byte of a body, of each blob twice at most: a third reader in a row that gets wrong bytes says that the
// source is corrupt, and chance must not make it so.
func flipped() cloudsim.Action {
	var mu sync.Mutex
	times := map[string]int{}
	flip := at(cloudsim.FlipByte)
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		times[r.URL.Path]++
		n := times[r.URL.Path]
		mu.Unlock()
		if n > 2 {
			next.ServeHTTP(w, r)
			return
		}
		flip(w, r, next)
	}
}

// stalledUpload takes n bytes, and then none for longer than a client waits. The server learns that a client has gone only
// when it reads on.
func stalledUpload(n int64) cloudsim.Action {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.CopyN(io.Discard, r.Body, n)
		time.Sleep(time.Minute)
		panic(http.ErrAbortHandler)
	}
}

// later answers 429 with a Retry-After in the form of a date.
func later(d time.Duration) cloudsim.Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		cloudsim.TooManyRequests(cloudsim.RetryAfterDate(time.Now().Add(d)))(w, r, next)
	}
}

// A share of all requests fails for a whole run, and the run does not.
func TestFaultsOfAWholeRun(t *testing.T) {
	const tenth = 0.1
	cases := map[string][]cloudsim.Fault{
		"429 with seconds":     {{Probability: tenth, Action: cloudsim.TooManyRequests("3")}},
		"429 with a date":      {{Probability: tenth, Action: later(3 * time.Second)}},
		"429 without a word":   {{Probability: tenth, Action: cloudsim.TooManyRequests("")}},
		"ThrottlingException":  {{Kind: "ecr.[A-Z]*", Probability: 3 * tenth, Action: cloudsim.Throttling()}},
		"reset before":         {{Probability: tenth, Action: cloudsim.Reset()}},
		"reset after the work": {{Probability: tenth, Action: cloudsim.ResetAfterWork()}},
		"reset after headers":  {{Probability: tenth, Action: cloudsim.ResetAfterHeaders()}},
		"bodies cut":           {{Kind: "s3.*", Probability: 3 * tenth, Action: at(cloudsim.CutBody)}},
		"bodies stalled":       {{Kind: "s3.*", Probability: tenth, Action: at(cloudsim.StallBody)}},
		"bytes flipped":        {{Kind: "s3.*", Probability: tenth, Action: flipped()}},
		"uploads cut":          {{Kind: "ar.v2.upload.put", Probability: tenth, Action: at(cloudsim.CutUpload)}},
		"uploads stalled":      {{Kind: "ar.v2.upload.put", Probability: tenth, Action: at(stalledUpload)}},
		"sessions lost":        {{Kind: "ar.v2.upload.put", Probability: 0.04, Action: cloudsim.Status(http.StatusNotFound)}},
	}
	for _, status := range []int{500, 502, 503, 504} {
		cases[fmt.Sprint(status)] = []cloudsim.Fault{{Probability: tenth, Action: cloudsim.Status(status)}}
	}
	if underrace.On { // one of each way that a request takes; all together come below
		maps.DeleteFunc(cases, func(name string, _ []cloudsim.Fault) bool {
			return !slices.Contains([]string{"429 with a date", "503", "reset after headers", "bodies cut", "uploads stalled"}, name)
		})
	}
	for name, faults := range cases {
		t.Run(name, func(t *testing.T) { throughFaults(t, 7, faults) })
	}
	seeds := uint64(3)
	if underrace.On {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("everything, seed ", seed), func(t *testing.T) {
			throughFaults(t, seed, []cloudsim.Fault{
				{Probability: 0.04, Action: cloudsim.TooManyRequests("1")},
				{Probability: 0.03, Action: cloudsim.Status(http.StatusServiceUnavailable)},
				{Probability: 0.03, Action: cloudsim.Reset()},
				{Kind: "s3.*", Probability: 0.05, Action: at(cloudsim.CutBody)},
				{Kind: "s3.*", Probability: 0.02, Action: flipped()},
				{Kind: "ar.v2.upload.put", Probability: 0.03, Action: at(cloudsim.CutUpload)},
			})
		})
	}
}

// throughFaults migrates the demo's corpus through faults, and wants all of it at the target.
func throughFaults(t *testing.T, seed uint64, faults []cloudsim.Fault) {
	t.Helper()
	bubble(t, cloudsim.Options{}, streamed(), func(t *testing.T, w *cloudstest.World) {
		w.Sim.Faults.SetSeeded(seed, faults...)
		start := time.Now()
		results, v := migrate(t, pipeline(t, w), true)
		t.Logf("%d references in %s, %d faults, %d requests", results.Success, time.Since(start).Round(time.Second), w.Sim.Faults.Fired(), w.Sim.Counts().Total())
		wantAll(t, results, v)
		if w.Sim.Faults.Fired() == 0 {
			t.Error("nothing was tested")
		}
	})
}

// outage spoils all requests of some kinds for a time, which begins with the nth of them.
func outage(kind string, nth int, d time.Duration, action cloudsim.Action) cloudsim.Fault {
	var mu sync.Mutex
	var until time.Time
	n := 0
	return cloudsim.Fault{Kind: kind, Action: action, Match: func(*http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if n++; n == nth {
			until = time.Now().Add(d)
		}
		return time.Now().Before(until)
	}}
}

// One side is away for a minute, and the run waits for it, wherever it is.
func TestOutages(t *testing.T) {
	const minute = time.Minute
	for side, kinds := range map[string][]string{"source": {"ecr.*", "s3.*"}, "target": {"ar.*"}} {
		for how, action := range map[string]cloudsim.Action{"reset": cloudsim.Reset(), "503": cloudsim.Status(http.StatusServiceUnavailable)} {
			for when, nth := range map[string]int{"from the start": 1, "in the midst of it": 20} {
				if underrace.On && (nth == 1 || how == "503") { // the same retries, by fewer goroutines
					continue
				}
				t.Run(side+", "+how+", "+when, func(t *testing.T) {
					bubble(t, cloudsim.Options{}, streamed(), func(t *testing.T, w *cloudstest.World) {
						var faults []cloudsim.Fault
						for _, kind := range kinds {
							faults = append(faults, outage(kind, nth, minute, action))
						}
						w.Sim.Faults.Set(faults...)
						start := time.Now()
						results, v := migrate(t, pipeline(t, w), true)
						wantAll(t, results, v)
						if took := time.Since(start); took < minute || took > 4*minute {
							t.Errorf("it took %s, with a minute of outage", took)
						}
					})
				})
			}
		}
	}
}

// How long things are tried without success is one number for both planes of both sides, and it bounds them.
func TestRetryHorizon(t *testing.T) {
	const horizon = 45 * time.Second
	for name, c := range map[string]struct {
		fault cloudsim.Fault
		stage func(p *Pipeline, ctx context.Context) (failed int, why string, err error)
	}{
		"ECR's API":                      {cloudsim.Fault{Kind: "ecr.DescribeRepositories", Action: cloudsim.Status(http.StatusServiceUnavailable)}, (*Pipeline).inventoryFails},
		"Artifact Registry's API":        {cloudsim.Fault{Kind: "ar.api.*", Action: cloudsim.Reset()}, (*Pipeline).inventoryFails},
		"ECR's data plane":               {cloudsim.Fault{Kind: "ecr.v2.blob.*", Action: cloudsim.Reset()}, (*Pipeline).copyFails},
		"S3":                             {cloudsim.Fault{Kind: "s3.*", Action: cloudsim.Status(http.StatusInternalServerError)}, (*Pipeline).copyFails},
		"Artifact Registry's data plane": {cloudsim.Fault{Kind: "ar.v2.manifest.put", Action: cloudsim.TooManyRequests("5")}, (*Pipeline).copyFails},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, corpus.Flat(1, 2), func(t *testing.T, w *cloudstest.World) {
				o := w.Options()
				o.Limits = &clouds.Limits{RetryHorizon: horizon}
				p := pipeline(t, w)
				source, err := clouds.OpenSource(t.Context(), cloudstest.Registry(), ref.HostForm{}, o)
				if err != nil {
					t.Fatal(err)
				}
				if p.Target, err = clouds.OpenTarget(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				p.Sources = []*clouds.Source{source}
				prepare(t, p)
				w.Sim.Faults.Set(c.fault)
				start := time.Now()
				failed, why, err := c.stage(p, t.Context())
				if took := time.Since(start); took < horizon/2 || took > 3*horizon {
					t.Errorf("it took %s, with a horizon of %s", took, horizon)
				}
				if failed == 0 && err == nil {
					t.Error("it did not fail")
				}
				if text := fmt.Sprint(why, err); !strings.Contains(text, "gave up") && !strings.Contains(text, "503") {
					t.Errorf("it says %s", text)
				}
			})
		})
	}
}

func (p *Pipeline) inventoryFails(ctx context.Context) (int, string, error) {
	inv, err := p.Inventory(ctx, Hooks{})
	return len(inv.Failures), fmt.Sprint(firstOf(inv.Failures)), err
}

func (p *Pipeline) copyFails(ctx context.Context) (int, string, error) {
	results, err := p.Copy(ctx, CopyOptions{}, Hooks{})
	return results.Failed, fmt.Sprint(firstOf(results.Failures)), err
}
