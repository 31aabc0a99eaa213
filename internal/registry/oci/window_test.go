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
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
	"transship/internal/registry"
)

const mib = 1 << 20

// far is a registry at a distance whose storage gives each connection 20 MB/s: the world of the contract.
func far() cloudsim.Options {
	return cloudsim.Options{
		RTT: 40 * time.Millisecond, HostBandwidth: map[string]int64{"*.s3.*": 20e6},
		AR: arsim.Options{ForgetBlobsOver: 1},
	}
}

// generated puts a blob of that size into ECR that takes no memory.
func (w *world) generated(seed uint64, size int64) registry.Blob {
	repo := w.ecr.Repository("app")
	if repo == nil {
		repo = w.ecr.CreateRepository("app", ecrsim.RepositorySettings{})
	}
	content := store.Generated(seed, size)
	b := registry.Blob{Digest: store.Digest(content), Size: size}
	repo.Content.PutBlob(b.Digest, content)
	return b
}

// drain reads a blob to its end, and says how long that took.
func drain(t testing.TB, c *Client, b registry.Blob) (time.Duration, error) {
	t.Helper()
	start := time.Now()
	r, err := c.OpenBlob(t.Context(), "app", b)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	if err == nil && n != b.Size {
		t.Errorf("%d of %d bytes, and no error", n, b.Size)
	}
	return time.Since(start), err
}

func single(o *Options) { o.LargeBlob = -1 }

// fine makes the sizes of the ranges small, so that small blobs test them: a chunk has that many bytes, and a blob of
// eight chunks is large.
func fine(c *Client, chunk int) *Client {
	c.opts.LargeBlob = int64(8 * chunk)
	c.pool.size, c.segment = chunk, int64(4*chunk)
	return c
}

// finely is fine with chunks of a sixteenth of chunkSize, and a blob of sixteen chunks for it.
func (w *world) finely() (*Client, registry.Blob) {
	return fine(w.source(), part), w.generated(1, 16*part)
}

const part = chunkSize / 16

// idle checks that c holds nothing any more.
func idle(t *testing.T, c *Client) {
	t.Helper()
	if own, other := c.Governor().Stats(), c.Elsewhere().Stats(); own.InFlight != 0 || other.InFlight != 0 {
		t.Errorf("%d and %d slots are taken", own.InFlight, other.InFlight)
	}
	if c.pool.readers != 0 || c.pool.taken != 0 || len(c.pool.free) != 0 {
		t.Errorf("%d readers, %d buffers taken, %d free", c.pool.readers, c.pool.taken, len(c.pool.free))
	}
}

// The contract: where each connection carries 20 MB/s, a large layer comes at least four times as fast as by a single
// stream, with one request to the registry, each byte once, and in bounded memory. Small ones pay nothing.
func TestLargeBlobsComeInParallel(t *testing.T) {
	bubble(t, far(), func(t *testing.T, w *world) {
		const size = 64 * mib
		blob := w.generated(1, size)
		plain, err := drain(t, w.source(single), blob)
		must(t, err)
		c := w.source()
		before := w.sim.Counts()
		var took time.Duration
		w.requests(map[string]int{"ecr.v2.blob.get": 1, "s3.get": size / chunkSize}, func() {
			took, err = drain(t, c, blob)
			must(t, err)
		})
		t.Logf("%d MiB: %s by one stream, %s in ranges", size/mib, plain, took)
		if took > plain/4 {
			t.Errorf("took %s, and %s by a single stream", took, plain)
		}
		if sent := w.sim.Counts().Sub(before)["s3.get"].Sent; sent != size {
			t.Errorf("%d bytes were sent for %d", sent, size)
		}
		if c.pool.peak != poolChunks {
			t.Errorf("%d chunks at once, want %d", c.pool.peak, poolChunks)
		}
		idle(t, c)

		small := w.generated(2, largeBlob-1)
		w.requests(map[string]int{"ecr.v2.blob.get": 1, "s3.get": 1}, func() {
			_, err := drain(t, c, small)
			must(t, err)
		})
		r, err := c.OpenBlob(t.Context(), "app", small)
		must(t, err)
		if _, plain := r.(*blobReader).from.(*stretch); !plain { // which starts no goroutine and takes no buffer
			t.Error("a small blob is not read by a single stream")
		}
		must(t, r.Close())
		if c.pool.peak != poolChunks || c.pool.readers != 0 {
			t.Error("a small blob took part in the pool")
		}
	})
}

// The bytes reach one ordered upload as fast as they come.
func TestLargeBlobsAreCopiedInParallel(t *testing.T) {
	opts := far()
	opts.RTT /= 4 // and a quarter of the bytes
	bubble(t, opts, func(t *testing.T, w *world) {
		blob := w.generated(1, 24*mib)
		var took [2]time.Duration
		for i, change := range []func(*Options){single, func(*Options) {}} {
			source, opened := w.source(change), 0
			if i == 1 {
				source = fine(source, chunkSize/4)
			}
			start := time.Now()
			must(t, copyBlob(t.Context(), source, w.target(), blob, &opened))
			took[i] = time.Since(start)
		}
		t.Logf("24 MiB: %s by one stream, %s in ranges", took[0], took[1])
		if took[1] > took[0]/4 {
			t.Errorf("took %s, and %s by a single stream", took[1], took[0])
		}
	})
}

// However many large blobs are read at once, their memory is that of the pool, and all of them get on: also those whose
// reader came late, and while others are not read at all.
func TestManyLargeBlobsShareThePool(t *testing.T) {
	bubble(t, far(), func(t *testing.T, w *world) {
		c := fine(w.source(), part)
		var idlers []io.ReadCloser
		for i := range 3 { // whoever reads these has stopped: their buffers fill, and stay
			r, err := c.OpenBlob(t.Context(), "app", w.generated(uint64(100+i), 12*part))
			must(t, err)
			idlers = append(idlers, r)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			blob := w.generated(uint64(i), 10*part)
			wg.Go(func() {
				if _, err := drain(t, c, blob); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if c.pool.peak > poolChunks {
			t.Errorf("%d chunks at once", c.pool.peak)
		}
		for _, r := range idlers {
			must(t, r.Close())
		}
		idle(t, c)
	})
}

func TestShares(t *testing.T) {
	p := &pool{size: 1, total: 12}
	for _, c := range []struct{ readers, share int }{{1, 12}, {2, 6}, {3, 4}, {4, 3}, {6, 2}, {7, 0}, {50, 0}} {
		p.readers = c.readers
		held := 0
		var buffers [][]byte
		for b := p.take(held); b != nil; b = p.take(held) {
			buffers = append(buffers, b)
			held++
		}
		if held != c.share {
			t.Errorf("each of %d readers may have %d buffers, want %d", c.readers, held, c.share)
		}
		for _, b := range buffers {
			p.give(b)
		}
	}
}

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

// However the connections break, and however small the pool is, the reader gives the right bytes.
func TestAnyBreaksOfRanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(800, 5000).Draw(rt, "size")
		cuts := rapid.MapOf(rapid.IntRange(1, 30), rapid.Int64Range(0, 120)).Draw(rt, "cuts")
		ignore := rapid.IntRange(0, 30).Draw(rt, "ranges are known up to the request")
		buffers := rapid.IntRange(0, 12).Draw(rt, "buffers")
		small := rapid.Bool().Draw(rt, "small reads")
		bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
			blob := noise(size)
			w.inECR("app", registry.Manifest{}, "", blob)
			var faults []cloudsim.Fault
			for n, at := range cuts {
				faults = append(faults, cloudsim.Fault{Kind: "s3.get", Nth: n, Action: cloudsim.CutBody(at)})
			}
			asked := 0
			if ignore > 0 {
				faults = append(faults, cloudsim.Fault{
					Kind: "s3.get", Match: func(*http.Request) bool { asked++; return asked > ignore },
					Action: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
						r.Header.Del("Range")
						next.ServeHTTP(w, r)
					},
				})
			}
			w.sim.Faults.Set(faults...)
			c := fine(w.source(), 100)
			c.pool.total = buffers
			r, err := c.OpenBlob(t.Context(), "app", blobOf(blob))
			if err != nil {
				rt.Fatal(err)
			}
			var from io.Reader = r
			if small {
				from = iotest.OneByteReader(r)
			}
			if err := iotest.TestReader(from, blob); err != nil {
				rt.Fatal(err)
			}
			must(t, r.Close())
			idle(t, c)
		})
	})
}
