package oci

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/registry"
)

// What breaks is asked for again from where it broke, at a fresh address; nothing else is asked for twice.
func TestRangesResume(t *testing.T) {
	nth := func(n int, a cloudsim.Action) cloudsim.Fault {
		return cloudsim.Fault{Kind: "s3.get", Nth: n, Action: a}
	}
	for name, c := range map[string]struct {
		fault cloudsim.Fault
		most  time.Duration // longer than without the fault
		ecr   int           // requests more
		s3    int
		bytes int64 // sent more, at most: what was on the way
	}{
		"cut first":   {nth(1, cloudsim.CutBody(part/2)), time.Second, 1, 1, part / 2},
		"cut":         {nth(5, cloudsim.CutBody(part/2)), time.Second, 1, 1, part / 2},
		"cut last":    {nth(16, cloudsim.CutBody(part/2)), time.Second, 1, 1, part / 2},
		"stalled":     {nth(5, cloudsim.StallBody(part/2)), 31 * time.Second, 1, 1, part / 2},
		"no answer":   {nth(5, cloudsim.Delay(time.Hour)), 61 * time.Second, 1, 1, 0},
		"unavailable": {nth(5, cloudsim.Status(503)), time.Second, 1, 1, 1000},
		"throttled":   {nth(5, cloudsim.TooManyRequests("7")), 9 * time.Second, 1, 1, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, far(), func(t *testing.T, w *world) {
				client, blob := w.finely()
				plain, err := drain(t, client, blob)
				must(t, err)
				before := w.sim.Counts()
				w.sim.Faults.Set(c.fault)
				w.requests(map[string]int{"ecr.v2.blob.get": 1 + c.ecr, "s3.get": 16 + c.s3}, func() {
					took, err := drain(t, client, blob)
					must(t, err)
					if took > plain+c.most {
						t.Errorf("took %s, and %s without the fault", took, plain)
					}
				})
				if more := w.sim.Counts().Sub(before)["s3.get"].Sent - blob.Size; more > c.bytes {
					t.Errorf("%d bytes were sent twice", more)
				}
				idle(t, client)
			})
		})
	}
}

// The signed URL expires while the blob is read: the chunks that find out get a fresh one, without a wait.
func TestRangesOutliveTheirURL(t *testing.T) {
	opts := far()
	opts.ECR.URLLife, opts.HostBandwidth = time.Second, map[string]int64{"*.s3.*": 500_000}
	bubble(t, opts, func(t *testing.T, w *world) {
		c := fine(w.source(), part)
		blob := w.generated(1, 60*part) // 3 s
		took, err := drain(t, c, blob)
		must(t, err)
		counts := w.sim.Counts()
		if n := counts.Of("ecr.v2.blob.get"); n < 3 || n > 1+5*poolChunks || took > 5*time.Second {
			t.Errorf("%d redirects in %s", n, took)
		}
		idle(t, c)
	})
}

// An address that is refused once may have expired, whatever the refusal says; a fresh one that is refused has not.
func TestRefusedAddresses(t *testing.T) {
	bubble(t, far(), func(t *testing.T, w *world) {
		c, blob := w.finely()
		w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Nth: 5, Action: cloudsim.Status(403)})
		took, err := drain(t, c, blob)
		must(t, err)
		if n := w.sim.Counts().Of("ecr.v2.blob.get"); n < 2 || n > 1+poolChunks || took > time.Second {
			t.Errorf("%d redirects in %s", n, took)
		}
		asked := 0
		w.sim.Faults.Set(cloudsim.Fault{
			Kind: "s3.get", Match: func(*http.Request) bool { asked++; return asked > 4 }, Action: cloudsim.Status(403),
		})
		_, err = drain(t, c, blob)
		wantClass(t, err, registry.Denied, "where the registry redirected to, answered 403")
		idle(t, c)
	})
}

func TestRangesKeepTheLastByte(t *testing.T) {
	for name, n := range map[string]int{"first": 1, "middle": 7, "last": 16} {
		t.Run(name, func(t *testing.T) {
			bubble(t, far(), func(t *testing.T, w *world) {
				c, blob := w.finely()
				w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Nth: n, Action: cloudsim.FlipByte(part - 1)})
				r, err := c.OpenBlob(t.Context(), "app", blob)
				must(t, err)
				got, err := io.Copy(io.Discard, r)
				wantClass(t, err, registry.Corrupt, "its bytes have the digest sha256:")
				if got != blob.Size-1 {
					t.Errorf("%d of %d bytes came out", got, blob.Size)
				}
				idle(t, c) // though it is not closed yet
				must(t, r.Close())
				_, err = drain(t, c, blob)
				must(t, err)
			})
		})
	}
}

// A server that sends the whole blob to who asks for a part is asked so once a Client.
func TestRangesIgnored(t *testing.T) {
	bubble(t, far(), func(t *testing.T, w *world) {
		c, blob := w.finely()
		w.ecr.SetQuirks(ecrsim.Quirks{IgnoreRange: true})
		for range 2 {
			w.requests(map[string]int{"ecr.v2.blob.get": 1, "s3.get": 1}, func() {
				_, err := drain(t, c, blob)
				must(t, err)
			})
		}
		idle(t, c)
	})
	// One that changes its mind in the middle is read on by one stream.
	bubble(t, far(), func(t *testing.T, w *world) {
		c, blob := w.finely()
		asked := 0
		w.sim.Faults.Set(cloudsim.Fault{
			Kind: "s3.get", Match: func(*http.Request) bool { asked++; return asked > 6 },
			Action: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				r.Header.Del("Range")
				next.ServeHTTP(w, r)
			},
		})
		_, err := drain(t, c, blob)
		must(t, err)
		idle(t, c)
	})
}

// The address of a blob is asked without the credential, and one on the registry's own host is not taken for one.
func TestAddressesGetNoCredential(t *testing.T) {
	blob := noise(5000)
	for _, other := range []bool{true, false} {
		bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
			var own, elsewhere seen
			serve := func(rw http.ResponseWriter, r *http.Request) {
				http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(blob))
			}
			w.sim.Handle("other.example", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				elsewhere.note(r)
				if !other { // it sends us back, where the credential must not go
					http.Redirect(rw, r, "https://registry.example/back", http.StatusTemporaryRedirect)
					return
				}
				serve(rw, r)
			}))
			c := fine(w.scripted(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/back" {
					own.note(r)
					serve(rw, r)
					return
				}
				http.Redirect(rw, r, "https://other.example/x?sig=1", http.StatusTemporaryRedirect)
			}), 100)
			got, err := readAll(c, t, "app", blobOf(blob))
			must(t, err)
			if !bytes.Equal(got, blob) {
				t.Error("the bytes differ")
			}
			for _, header := range append(own.auth, elsewhere.auth...) {
				if header != "" {
					t.Fatalf("the credential went astray: %s %s", &own, &elsewhere)
				}
			}
			if len(elsewhere.auth) < 40 {
				t.Errorf("%d requests", len(elsewhere.auth))
			}
		})
	}
}

// Closing, and the end of the context, end all workers at once, whatever they wait for.
func TestRangesEndAtOnce(t *testing.T) {
	for _, action := range []cloudsim.Action{cloudsim.Delay(time.Hour), cloudsim.StallBody(part / 2), cloudsim.Reset(), cloudsim.TooManyRequests("500")} {
		for _, closing := range []bool{true, false} {
			bubble(t, far(), func(t *testing.T, w *world) {
				w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Match: func(r *http.Request) bool {
					return !strings.HasPrefix(r.Header.Get("Range"), "bytes=0-")
				}, Action: action})
				c, blob := w.finely()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, err := c.OpenBlob(ctx, "app", blob)
				must(t, err)
				var wg sync.WaitGroup
				wg.Go(func() {
					n, err := io.Copy(io.Discard, r)
					wantClass(t, err, registry.Canceled)
					if n < part {
						t.Errorf("only %d bytes before that", n)
					}
				})
				time.Sleep(5 * time.Second)
				start := time.Now()
				if closing {
					must(t, r.Close())
				} else {
					cancel()
				}
				wg.Wait()
				if took := time.Since(start); took != 0 {
					t.Errorf("that took %s", took)
				}
				must(t, r.Close())
				idle(t, c)
			})
		}
	}
}

// A chunk that never comes is given up when a single stream would be.
func TestRangesGiveUpWithoutProgress(t *testing.T) {
	bubble(t, far(), func(t *testing.T, w *world) {
		c, blob := w.finely()
		w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Match: func(r *http.Request) bool {
			return strings.HasPrefix(r.Header.Get("Range"), fmt.Sprintf("bytes=%d-", 2*part))
		}, Action: cloudsim.Status(500)})
		start := time.Now()
		_, err := drain(t, c, blob)
		wantClass(t, err, registry.Unavailable, "500 Internal Server Error", "gave up after")
		took, requests := time.Since(start), w.sim.Counts().Of("s3.get")
		if took < 10*time.Minute || took > 11*time.Minute || requests > 60 {
			t.Errorf("gave up after %s and %d requests", took, requests)
		}
		idle(t, c)
	})
}
