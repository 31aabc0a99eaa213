package oci

import (
	"io"
	"net/http"
	"path"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/registry"
	"transship/internal/registry/governor"
)

// One slot of the registry is enough for any number of streams from where it redirects to.
func TestStreamsHoldNoSlotOfTheRegistry(t *testing.T) {
	bubble(t, cloudsim.Options{RTT: 40 * time.Millisecond}, func(t *testing.T, w *world) {
		const streams = 12
		c := w.source(func(o *Options) { o.Governor = oneSlot() })
		var readers []io.ReadCloser
		for i := range streams {
			blob := noise(1<<20 + i) // more than connections buffer
			w.inECR("app", registry.Manifest{}, "", blob)
			r, err := c.OpenBlob(t.Context(), "app", blobOf(blob))
			must(t, err)
			var first [1]byte
			if _, err := r.Read(first[:]); err != nil {
				t.Fatal(err)
			}
			readers = append(readers, r)
		}
		if own, other := c.Governor().Stats(), c.Elsewhere().Stats(); own.InFlight != 0 || other.InFlight != streams {
			t.Errorf("%d slots of ECR and %d of S3 are taken by %d streams", own.InFlight, other.InFlight, streams)
		}
		var wg sync.WaitGroup
		for _, r := range readers {
			wg.Go(func() {
				if _, err := io.Copy(io.Discard, r); err != nil {
					t.Error(err)
				}
				must(t, r.Close())
			})
		}
		wg.Wait()
		own, other := c.Governor().Stats(), c.Elsewhere().Stats()
		if own.InFlight != 0 || other.InFlight != 0 || own.Requests != streams || other.Requests != streams {
			t.Errorf("afterwards ECR's governor says %+v and S3's %+v", own, other)
		}
	})
}

// Each host's governor hears of what that host refused, and of nothing else.
func TestRefusalsElsewhereAreNotTheRegistrys(t *testing.T) {
	for name, c := range map[string]struct {
		action cloudsim.Action
		least  time.Duration // until the blob is there
		own    governor.Stats
		other  governor.Stats
	}{
		"overload": {cloudsim.Status(503), 0, governor.Stats{}, governor.Stats{Overloaded: 1}},
		"throttle": {cloudsim.TooManyRequests("20"), 19 * time.Second, governor.Stats{}, governor.Stats{Throttled: 1}},
		"cut":      {cloudsim.Reset(), 0, governor.Stats{}, governor.Stats{Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				blob := noise(1000)
				m := image(nil, blob)
				w.inECR("app", m, "v1", blob)
				w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Times: 1, Action: c.action})
				client, start := w.source(), time.Now()
				var wg sync.WaitGroup
				wg.Go(func() {
					_, err := readAll(client, t, "app", blobOf(blob))
					must(t, err)
				})
				time.Sleep(5 * time.Second)
				before := time.Now()
				_, err := client.Manifest(t.Context(), "app", "v1")
				must(t, err)
				if took := time.Since(before); took != 0 {
					t.Errorf("the registry was asked %s later, for what another host said", took)
				}
				wg.Wait()
				if took := time.Since(start); took < c.least {
					t.Errorf("the blob was there after %s, want at least %s", took, c.least)
				}
				for side, got := range map[string][2]governor.Stats{
					"ECR": {client.Governor().Stats(), c.own}, "S3": {client.Elsewhere().Stats(), c.other},
				} {
					if got[0].Overloaded != got[1].Overloaded || got[0].Throttled != got[1].Throttled || got[0].Failed != got[1].Failed {
						t.Errorf("%s: %+v, want %+v", side, got[0], got[1])
					}
				}
			})
		})
	}
}

// A registry that sends blobs itself is asked for each once, however many are prepared before that is known; one that
// redirects is asked for each once, too.
func TestPreparingCostsNoRequest(t *testing.T) {
	for name, redirects := range map[string]bool{"sends them itself": false, "redirects": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{RTT: 40 * time.Millisecond}, func(t *testing.T, w *world) {
				const blobs = 20
				var asked atomic.Int64
				content := map[string][]byte{}
				serve := func(rw http.ResponseWriter, r *http.Request) {
					b := content[path.Base(r.URL.Path)]
					rw.Header().Set("Content-Length", strconv.Itoa(len(b)))
					_, _ = rw.Write(b)
				}
				w.sim.Handle("bytes.example", http.HandlerFunc(serve))
				c := w.scripted(func(rw http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					if redirects {
						http.Redirect(rw, r, "https://bytes.example/"+path.Base(r.URL.Path), http.StatusTemporaryRedirect)
						return
					}
					serve(rw, r)
				})
				var all []registry.Blob
				for i := range blobs {
					b := noise(SmallBlob + 1000 + i)
					all = append(all, blobOf(b))
					content[blobOf(b).Digest.String()] = b
				}
				var wg sync.WaitGroup
				for i, b := range all {
					open := c.PrepareBlob(t.Context(), "app", b)
					wg.Go(func() {
						time.Sleep(time.Duration(i) * 20 * time.Millisecond)
						r, err := open(t.Context())
						if err != nil {
							t.Error(err)
							return
						}
						defer r.Close()
						if _, err := io.Copy(io.Discard, r); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if n := asked.Load(); n != blobs {
					t.Errorf("the registry was asked %d times for %d blobs", n, blobs)
				}
			})
		})
	}
}
