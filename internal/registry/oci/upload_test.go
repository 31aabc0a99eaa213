package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/registry"
)

// copyBlob pushes a blob of ECR's repository app to AR, as a transfer does.
func copyBlob(ctx context.Context, source, target *Client, b registry.Blob, opened *int) error {
	return target.PushBlob(ctx, arRepo+"/app", b, Upload{}, func(ctx context.Context) (io.ReadCloser, error) {
		*opened++
		return source.OpenBlob(ctx, "app", b)
	})
}

func TestCopyThroughFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  cloudsim.Fault
		opened int // readers
		puts   int
		most   time.Duration
	}{
		{"none", cloudsim.Fault{Kind: "none"}, 1, 1, 0},
		{"source cut", cloudsim.Fault{Kind: "s3.get", Times: 1, Action: cloudsim.CutBody(1 << 20)}, 1, 1, time.Second},
		{"source flips a byte", cloudsim.Fault{Kind: "s3.get", Times: 1, Action: cloudsim.FlipByte(12345)}, 2, 2, time.Second},
		{"upload cut", cloudsim.Fault{Kind: "ar.v2.upload.put", Times: 1, Action: cloudsim.CutUpload(1 << 20)}, 2, 2, time.Second},
		{"upload stalls", cloudsim.Fault{Kind: "ar.v2.upload.put", Times: 1, Action: stalled30(1 << 20)}, 2, 2, 31 * time.Second},
		{"answer lost", cloudsim.Fault{Kind: "ar.v2.upload.put", Times: 1, Action: cloudsim.ResetAfterWork()}, 2, 2, time.Second},
		{"no answer", cloudsim.Fault{Kind: "ar.v2.upload.put", Times: 1, Action: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}}, 2, 2, 10*time.Minute + time.Second},
		{"500", cloudsim.Fault{Kind: "ar.v2.upload.put", Times: 2, Action: drained(500)}, 3, 3, 2 * time.Second},
		{"session lost", cloudsim.Fault{Kind: "ar.v2.upload.put", Times: 1, Action: drained(404)}, 2, 2, time.Second},
		{"start fails", cloudsim.Fault{Kind: "ar.v2.upload.post", Times: 1, Action: cloudsim.Status(502)}, 1, 1, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				blob, opened := noise(3<<20), 0
				w.inECR("app", registry.Manifest{}, "", blob)
				w.sim.Faults.Set(c.fault)
				source, target, start := w.source(), w.target(), time.Now()
				must(t, copyBlob(t.Context(), source, target, blobOf(blob), &opened))
				if took := time.Since(start); opened != c.opened || took > c.most {
					t.Errorf("%d readers in %s, want %d in at most %s", opened, took, c.opened, c.most)
				}
				counts := w.sim.Counts()
				if puts, posts := counts.Of("ar.v2.upload.put"), counts.Of("ar.v2.upload.post"); puts != c.puts || posts < puts {
					t.Errorf("%d PUTs in %d sessions, want %d, each in its own", puts, posts, c.puts)
				}
				must(t, target.HeadBlob(t.Context(), arRepo+"/app", blobOf(blob)))
				for _, client := range []*Client{source, target} {
					if s := client.Governor().Stats(); s.InFlight != 0 || s.Waiting != 0 {
						t.Errorf("afterwards: %+v", s)
					}
				}
			})
		})
	}
}

// stalled30 takes n bytes, and then none for longer than a client waits.
func stalled30(n int64) cloudsim.Action {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.CopyN(io.Discard, r.Body, n)
		time.Sleep(31 * time.Second)
		panic(http.ErrAbortHandler)
	}
}

// drained answers with a status once it has the whole request.
func drained(status int) cloudsim.Action {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
	}
}

// Bytes that stay wrong never complete an upload, whatever the target would take.
func TestCorruptSourceNeverCompletesAnUpload(t *testing.T) {
	for _, size := range []int{100, 3 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				blob, opened := noise(size), 0
				w.inECR("app", registry.Manifest{}, "", blob)
				w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Action: cloudsim.FlipByte(7)})
				completed := 0
				w.sim.Handle(arHost, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { // takes anything
					n, err := io.Copy(io.Discard, r.Body)
					if r.Method == http.MethodPut && err == nil && n == int64(size) {
						completed++
					}
					rw.Header().Set("Location", "/up")
					rw.WriteHeader(map[string]int{"POST": 202, "PUT": 201}[r.Method])
				}))
				err := copyBlob(t.Context(), w.source(), w.target(), blobOf(blob), &opened)
				wantClass(t, err, registry.Corrupt, "source: read blob", "its bytes have the digest")
				if opened != 1+corruptTries || completed != 0 {
					t.Errorf("%d readers, want %d; %d uploads were completed", opened, 1+corruptTries, completed)
				}
			})
		})
	}
}

func TestReaderErrorsAreTheirOwn(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob, broken := noise(1<<20), errors.New("the reader broke")
		missing := &registry.Error{Side: registry.Source, Op: "read blob", Class: registry.NotFound, Err: errors.New("gone")}
		for _, c := range []struct {
			open Opener
			want error
		}{
			{func(context.Context) (io.ReadCloser, error) { return nil, missing }, missing},
			{func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(bytes.NewReader(blob[:1000]), failing{broken})), nil
			}, broken},
		} {
			opened := 0
			counting := func(ctx context.Context) (io.ReadCloser, error) { opened++; return c.open(ctx) }
			for _, b := range []registry.Blob{blobOf(blob), blobOf(blob[:2000])} {
				opened = 0
				err := w.target().PushBlob(t.Context(), arRepo+"/app", b, Upload{}, counting)
				if !errors.Is(err, c.want) || opened != 1 {
					t.Errorf("after %d readers: %v, want %v", opened, err, c.want)
				}
			}
		}
		opened := 0
		err := w.target().PushBlob(t.Context(), arRepo+"/app", blobOf(blob), Upload{}, opener(blob[:1000], &opened))
		wantClass(t, err, registry.Corrupt, "ends too early")
		if opened != 3 {
			t.Errorf("%d readers", opened)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestSessionsThatAreAlwaysLost(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob, opened := noise(100<<10), 0
		w.sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.upload.put", Action: drained(404)})
		err := w.target().PushBlob(t.Context(), arRepo+"/app", blobOf(blob), Upload{}, opener(blob, &opened))
		wantClass(t, err, registry.Invalid, "404")
		if opened != maxLostSessions+1 {
			t.Errorf("the bytes were sent %d times", opened)
		}
	})
}

// While it is not known whether a host takes blobs in one request, one push finds out.
func TestOnePushFindsOut(t *testing.T) {
	bubble(t, cloudsim.Options{AR: arsim.Options{SinglePost: arsim.SinglePostRefused}}, func(t *testing.T, w *world) {
		c := w.target()
		w.requests(map[string]int{"ar.v2.upload.post": 21, "ar.v2.upload.put": 20}, func() {
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					b, opened := noise(100+i), 0
					if err := c.PushBlob(t.Context(), arRepo+"/app", blobOf(b), Upload{}, opener(b, &opened)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	})
	// A failure that says nothing about it leaves the question open.
	bubble(t, cloudsim.Options{AR: arsim.Options{SinglePost: arsim.SinglePostAccepted}}, func(t *testing.T, w *world) {
		c, b, opened := w.target(), noise(100), 0
		w.sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.upload.post", Times: 2, Action: cloudsim.Status(500)})
		w.requests(map[string]int{"ar.v2.upload.post": 3}, func() {
			must(t, c.PushBlob(t.Context(), arRepo+"/app", blobOf(b), Upload{}, opener(b, &opened)))
		})
	})
}

func TestStoredDigestIsCompared(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob, opened := noise(100<<10), 0
		c := w.scripted(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodPost {
				w.Header().Set("Location", "/up")
				w.WriteHeader(202)
				return
			}
			w.Header().Set("Docker-Content-Digest", "sha256:other")
			w.WriteHeader(201)
		})
		err := c.PushBlob(t.Context(), "app", blobOf(blob), Upload{}, opener(blob, &opened))
		wantClass(t, err, registry.Corrupt, "the registry says that it stored")
		if opened != 1+corruptTries {
			t.Errorf("%d readers", opened)
		}
		wantClass(t, c.PutManifest(t.Context(), "app", "v1", image(nil, blob)), registry.Corrupt)
	})
}

// Both hosts at their narrowest: copies wait for each other, and all end.
func TestCopiesDoNotDeadlock(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		narrow := func(o *Options) { o.Governor, o.Elsewhere = oneSlot(), oneSlot() }
		source, target := w.source(narrow), w.target(narrow)
		w.sim.Faults.Set(
			cloudsim.Fault{Kind: "s3.get", Probability: 0.3, Action: cloudsim.CutBody(50 << 10)},
			cloudsim.Fault{Kind: "ar.v2.upload.put", Probability: 0.2, Action: cloudsim.CutUpload(10 << 10)},
		)
		var wg sync.WaitGroup
		for i := range 10 {
			blob := noise(150<<10 + i)
			w.inECR("app", registry.Manifest{}, "", blob)
			wg.Go(func() {
				opened := 0
				if err := copyBlob(t.Context(), source, target, blobOf(blob), &opened); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}
