package oci

import (
	"io"
	"net/http"
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
