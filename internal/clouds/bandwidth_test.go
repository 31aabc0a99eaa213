package clouds_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// arrivals are the bytes that came, by when.
type arrivals struct {
	mu    sync.Mutex
	times []time.Time
	sizes []int
}

func (a *arrivals) note(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times, a.sizes = append(a.times, time.Now()), append(a.sizes, n)
}

// perSecond is the most bytes that came within a second.
func (a *arrivals) perSecond() (most int) {
	for i, t := range a.times {
		sum := 0
		for _, n := range a.sizes[i : i+sortedBefore(a.times[i:], t.Add(time.Second))] {
			sum += n
		}
		most = max(most, sum)
	}
	return most
}

// open stands up a world whose source is read within perSecond bytes, and returns its blobs of at least that size.
func open(t *testing.T, perSecond int64, least int) (*cloudstest.World, *clouds.Source, ref.Repository, []registry.Blob) {
	t.Helper()
	spec := corpus.Spec{Seed: 5, Releases: 3, LayerBytes: 64 << 10}
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	o := w.Options()
	o.Limits = &clouds.Limits{MaxBandwidth: perSecond}
	source, err := clouds.OpenSource(t.Context(), cloudstest.Registry(), ref.HostForm{}, o)
	if err != nil {
		t.Fatal(err)
	}
	c := corpus.Generate(spec)
	for _, r := range c.Repositories {
		var blobs []registry.Blob
		for _, d := range r.Blobs {
			if n := len(c.Blobs[d]); n >= least {
				blobs = append(blobs, registry.Blob{Digest: d, Size: int64(n)})
			}
		}
		if len(blobs) >= 4 {
			return w, source, cloudstest.Registry().Repository(r.Name), blobs
		}
	}
	t.Fatal("there is no repository with blobs of that size")
	return nil, nil, ref.Repository{}, nil
}

// Many readers together get the cap and no more, whatever the cap and the size of their reads.
func TestMaxBandwidth(t *testing.T) {
	for _, perSecond := range []int{3_000, 50_000, 1_000_000} {
		synctest.Test(t, func(t *testing.T) {
			_, source, repo, blobs := open(t, int64(perSecond), 16<<10)
			start, got, total := time.Now(), new(arrivals), int64(0)
			var all sync.WaitGroup
			for i, b := range slices.Concat(blobs, blobs, blobs) {
				total += b.Size
				all.Go(func() {
					r, err := source.PrepareBlob(t.Context(), repo, b)(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					defer r.Close()
					verifier := b.Digest.Verifier()
					for buf := make([]byte, 1<<(10+i%8)); ; { // 1 to 128 KiB
						n, err := r.Read(buf)
						_, _ = verifier.Write(buf[:n])
						got.note(n)
						if err != nil {
							if !errors.Is(err, io.EOF) || !verifier.Verified() {
								t.Errorf("%s: %v", b.Digest, err)
							}
							return
						}
					}
				})
			}
			all.Wait()
			burst := max(4<<10, perSecond/10)
			if n := got.perSecond(); n > perSecond+burst {
				t.Errorf("%d bytes came in a second, want at most %d and a burst of %d", n, perSecond, burst)
			}
			took, least := time.Since(start), time.Duration(float64(total)/float64(perSecond)*float64(time.Second))
			if took > least+least/10+time.Second {
				t.Errorf("%d bytes at %d a second took %s, want about %s", total, perSecond, took, least)
			}
		})
	}
}

// A read that waits for bandwidth is no stall, on neither side: a blob that takes many times the stall timeout arrives,
// and is read once.
func TestBandwidthIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, source, repo, blobs := open(t, 1_000, 100<<10) // 100 s and more each
		before := w.Sim.Counts()
		start := time.Now()
		var all sync.WaitGroup
		for _, b := range blobs[:3] {
			all.Go(func() {
				err := w.Target.PushBlob(t.Context(), cloudstest.Default().Join(repo.Name), b, oci.Upload{},
					func(ctx context.Context) (io.ReadCloser, error) { return source.PrepareBlob(ctx, repo, b)(ctx) })
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took < 5*time.Minute {
			t.Errorf("it took %s", took)
		}
		got := w.Sim.Counts().Sub(before)
		if got.Of("s3.get") != 3 || got.Of("ar.v2.upload") != 6 {
			t.Errorf("3 blobs were not read and sent once each:\n%s", got)
		}
	})
}

// The waits end with the context, and with the reader.
func TestBandwidthWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, source, repo, blobs := open(t, 1_000, 100<<10)
		ctx, cancel := context.WithCancel(t.Context())
		first, err := source.PrepareBlob(ctx, repo, blobs[0])(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() { _, err := io.Copy(io.Discard, first); ended <- err }()
		go func() { _, err := source.PrepareBlob(ctx, repo, blobs[1])(ctx); ended <- err }() // waits for the first to be closed
		time.Sleep(10 * time.Second)
		cancel()
		for range 2 {
			if err := <-ended; registry.ClassOf(err) != registry.Canceled {
				t.Errorf("got %v, want one of class canceled", err)
			}
		}
		_ = first.Close()
		_ = first.Close() // twice gives the place back once

		r, err := source.PrepareBlob(t.Context(), repo, blobs[2])(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, err := io.Copy(io.Discard, r); ended <- err }()
		time.Sleep(10 * time.Second)
		_ = r.Close()
		if err := <-ended; err == nil {
			t.Error("a reader that was closed went on")
		}
		if _, err := source.PrepareBlob(t.Context(), repo, registry.Blob{Digest: digest.FromString("nothing"), Size: 7})(t.Context()); registry.ClassOf(err) != registry.NotFound {
			t.Errorf("a blob that does not exist: %v", err)
		}
		r, err = source.PrepareBlob(t.Context(), repo, blobs[3])(t.Context()) // the one that failed did not keep the place
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
	})
}
