package clouds_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/ref"
	"transship/internal/registry"
)

// watch sees the requests of a Sim: when they came to each host, and how many were there at once. Every one takes hold.
type watch struct {
	hold time.Duration

	mu    sync.Mutex
	now   map[string]int
	most  map[string]int
	times map[string][]time.Time
}

func (w *watch) see(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	w.mu.Lock()
	if w.now == nil {
		w.now, w.most, w.times = map[string]int{}, map[string]int{}, map[string][]time.Time{}
	}
	w.now[r.Host]++
	w.most[r.Host] = max(w.most[r.Host], w.now[r.Host])
	w.times[r.Host] = append(w.times[r.Host], time.Now())
	w.mu.Unlock()
	time.Sleep(w.hold) // of the bubble's clock
	w.mu.Lock()
	w.now[r.Host]-- // before the answer: the client cannot have gone on
	w.mu.Unlock()
	next.ServeHTTP(rw, r)
}

// perSecond is the most requests that came to a host within a second.
func (w *watch) perSecond(host string) (most int) {
	times := w.times[host]
	for i, t := range times {
		most = max(most, sortedBefore(times[i:], t.Add(time.Second)))
	}
	return most
}

func sortedBefore(times []time.Time, end time.Time) int {
	n, _ := slices.BinarySearchFunc(times, end, time.Time.Compare)
	return n
}

// The hosts of a migration.
const (
	ecrAPI  = "api.ecr.us-east-1.amazonaws.com"
	ecrData = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	s3      = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
	arAPI   = "artifactregistry.googleapis.com"
	arData  = "us-docker.pkg.dev"
)

// limited stands up a world whose clients share limits.
func limited(t *testing.T, seen *watch, l *clouds.Limits) (*clouds.Source, *clouds.Target, *corpus.Corpus) {
	t.Helper()
	spec := corpus.Flat(3, 40)
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	w.Sim.Faults.Set(cloudsim.Fault{Action: seen.see})
	o := w.Options()
	o.Limits = l
	source, err := clouds.OpenSource(t.Context(), cloudstest.Registry(), ref.HostForm{}, o)
	if err != nil {
		t.Fatal(err)
	}
	target, err := clouds.OpenTarget(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	return source, target, corpus.Generate(spec)
}

// askAll makes many requests to every host at once.
func askAll(t *testing.T, source *clouds.Source, target *clouds.Target, c *corpus.Corpus) {
	t.Helper()
	var all sync.WaitGroup
	ask := func(f func() error) {
		all.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, r := range c.Repositories {
		repo := cloudstest.Registry().Repository(r.Name)
		for i, image := range r.Images {
			ask(func() error {
				for _, err := range source.Images(t.Context(), repo) {
					return err
				}
				return nil
			})
			ask(func() error { _, err := source.Manifest(t.Context(), repo, image.Digest); return err })
			ask(func() error {
				d := r.Blobs[i%len(r.Blobs)]
				return readAll(t.Context(), source, repo, registry.Blob{Digest: d, Size: int64(len(c.Blobs[d]))})
			})
			ask(func() error { _, err := target.Repository(t.Context(), cloudstest.Default().Repository); return err })
			ask(func() error {
				_, err := target.HeadManifest(t.Context(), cloudstest.Default().Join(r.Name), image.Digest.String())
				if registry.IsClass(err, registry.NotFound) {
					return nil
				}
				return err
			})
		}
	}
	all.Wait()
}

func readAll(ctx context.Context, source *clouds.Source, repo ref.Repository, b registry.Blob) error {
	r, err := source.PrepareBlob(ctx, repo, b)(ctx)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	_ = r.Close()
	return err
}

// No host gets more requests in a second than the cap and its burst, on either side and on either plane.
func TestMaxRequestsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 20
		seen := new(watch)
		source, target, c := limited(t, seen, &clouds.Limits{MaxRequestsPerSecond: most})
		askAll(t, source, target, c)
		for _, host := range []string{ecrAPI, ecrData, s3, arAPI, arData} {
			got, n := seen.perSecond(host), len(seen.times[host])
			if n < 100 {
				t.Errorf("%s got only %d requests: %v", host, n, seen.most)
			}
			if got > most+most/10 {
				t.Errorf("%s got %d requests in a second, want at most %d and a burst of %d", host, got, most, most/10)
			}
			if got < most/2 {
				t.Errorf("%s got at most %d requests in a second: the cap of %d is not used", host, got, most)
			}
		}
	})
}

// No host has more requests under way than the cap, on either side and on either plane.
func TestMaxConcurrency(t *testing.T) {
	for _, most := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			seen := &watch{hold: 50 * time.Millisecond}
			source, target, c := limited(t, seen, &clouds.Limits{MaxConcurrency: most})
			askAll(t, source, target, c)
			for _, host := range []string{ecrAPI, ecrData, s3, arAPI, arData} {
				if got := seen.most[host]; got > most || got == 0 || most > 1 && got == 1 && host != s3 {
					t.Errorf("%s had %d requests under way, want at most %d: %v", host, got, most, seen.most)
				}
			}
		})
	}
}

// Each of several workers takes its part of the caps, and something of each.
func TestWorkersShareTheCaps(t *testing.T) {
	for _, c := range []struct{ concurrency, each int }{{12, 3}, {2, 1}} {
		synctest.Test(t, func(t *testing.T) {
			seen := &watch{hold: 50 * time.Millisecond}
			l := &clouds.Limits{MaxConcurrency: c.concurrency, MaxRequestsPerSecond: 160, Workers: 4}
			source, target, content := limited(t, seen, l)
			askAll(t, source, target, content)
			for _, host := range []string{ecrAPI, ecrData, s3, arAPI, arData} {
				if got := seen.most[host]; got > c.each || got == 0 {
					t.Errorf("%s had %d requests under way, want at most %d", host, got, c.each)
				}
				if got := seen.perSecond(host); got > 44 {
					t.Errorf("%s got %d requests in a second, want at most a fourth of 160 and a burst", host, got)
				}
			}
		})
	}
}

// Two registries of one region share the cap on the hosts that both use.
func TestLimitsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &watch{hold: 50 * time.Millisecond}
		w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
		w.Sim.Faults.Set(cloudsim.Fault{Action: seen.see})
		o := w.Options()
		o.Limits = &clouds.Limits{MaxConcurrency: 1}
		var all sync.WaitGroup
		for range 4 {
			source, err := clouds.OpenSource(t.Context(), cloudstest.Registry(), ref.HostForm{}, o)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				for _, err := range source.Repositories(t.Context()) {
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if seen.most[ecrAPI] != 1 {
			t.Errorf("%d requests were under way, want 1", seen.most[ecrAPI])
		}
	})
}
