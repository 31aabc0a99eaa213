package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/underrace"
)

// longRun is how many images a long run has, in repositories of a hundred. 20,000 are what is promised; the race detector
// makes a tenth of that take as long, and -short is for whoever waits.
func longRun() int {
	if underrace.On || testing.Short() {
		return 2000
	}
	return 20000
}

// gauge is what a process holds at one moment.
type gauge struct {
	goroutines, connections int
	heap                    uint64 // bytes that are alive
}

// gauged is a target that measures at each hundredth manifest, and at the two that bound the run what is alive.
type gauged struct {
	Target
	connections *atomic.Int64
	written     atomic.Int64
	images      int64
	mu          sync.Mutex
	first, last gauge // the highest of the first and of the last twentieth
}

func (w *gauged) PutManifest(ctx context.Context, t ref.TargetImage, reference string, m registry.Manifest) error {
	err := w.Target.PutManifest(ctx, t, reference, m)
	if err != nil {
		return err
	}
	n := w.written.Add(1)
	part := w.images / 20
	if n%(part/20) != 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case n <= part:
		w.first.measure(w.connections, n == part)
	case n > w.images-part:
		w.last.measure(w.connections, n == w.images-part/20)
	}
	return nil
}

// measure raises the gauge to what there is now.
func (g *gauge) measure(connections *atomic.Int64, heap bool) {
	g.goroutines = max(g.goroutines, runtime.NumGoroutine())
	g.connections = max(g.connections, int(connections.Load()))
	if heap {
		g.heap = alive()
	}
}

// alive is how many bytes survive a collection.
func alive() uint64 {
	runtime.GC()
	runtime.GC() // what pools keep survives one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// countedConn tells when it is closed.
type countedConn struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// counting opens both sides of w anew, over connections that are counted while they are open.
func counting(t *testing.T, w *cloudstest.World, open *atomic.Int64) {
	t.Helper()
	o := w.Options()
	o.Transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := w.Sim.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &countedConn{Conn: conn, open: open}, nil
	}
	var err error
	if w.Source, err = clouds.OpenSource(t.Context(), cloudstest.Registry(), ref.HostForm{}, o); err != nil {
		t.Fatal(err)
	}
	if w.Target, err = clouds.OpenTarget(context.WithoutCancel(t.Context()), o); err != nil {
		t.Fatal(err)
	}
}

// troubles spoil one request in twenty of both data planes and of ECR's API, each in a way of its own, by a seed. Some
// have everybody wait, as the hosts ask for.
func troubles() []cloudsim.Fault {
	out := []cloudsim.Fault{
		{Kind: "s3.get", Probability: 0.01, Action: cloudsim.CutBody(20)},
		{Kind: "ecr.BatchGetImage", Probability: 0.1, Action: cloudsim.Throttling()},
	}
	for _, kind := range []string{"ecr.v2.*", "s3.*", "ar.v2.*"} {
		out = append(out,
			cloudsim.Fault{Kind: kind, Probability: 0.001, Action: cloudsim.TooManyRequests("1")},
			cloudsim.Fault{Kind: kind, Probability: 0.015, Action: cloudsim.Status(http.StatusServiceUnavailable)},
			cloudsim.Fault{Kind: kind, Probability: 0.01, Action: cloudsim.Status(http.StatusInternalServerError)},
			cloudsim.Fault{Kind: kind, Probability: 0.01, Action: cloudsim.Reset()},
			cloudsim.Fault{Kind: kind, Probability: 0.01, Action: cloudsim.ResetAfterWork()})
	}
	return out
}

// tiny is a corpus of images in repositories of a hundred, each of one layer of its own and a config that all share: with
// five requests an image, the fewest that there can be.
func tiny(images int) *corpus.Corpus {
	c := &corpus.Corpus{Blobs: map[digest.Digest][]byte{}}
	content := func(mediaType, text string) ocispec.Descriptor {
		d := digest.FromString(text)
		c.Blobs[d] = []byte(text)
		return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(text))}
	}
	config := content(ocispec.MediaTypeImageConfig, "{}")
	for r := range images / 100 {
		repo := corpus.Repository{Name: fmt.Sprintf("tiny/app-%04d", r), Blobs: []digest.Digest{config.Digest}}
		for i := range 100 {
			layer := content(ocispec.MediaTypeImageLayer, fmt.Sprintf("the only layer of image %d in repository %d", i, r))
			raw, err := json.Marshal(ocispec.Manifest{
				Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
				Config: config, Layers: []ocispec.Descriptor{layer},
			})
			if err != nil {
				panic(err) // these types can all be written
			}
			repo.Blobs = append(repo.Blobs, layer.Digest)
			repo.Images = append(repo.Images, corpus.Image{
				Digest: digest.FromBytes(raw), MediaType: ocispec.MediaTypeImageManifest, Manifest: raw, Tags: []string{fmt.Sprintf("v%d", i)},
			})
		}
		c.Repositories = append(c.Repositories, repo)
	}
	return c
}

// A long run under faults holds no more at its end than at its beginning: no goroutine, no connection and no memory stays
// behind for an image that is done. Its time is that of a bubble, so that the way and the waits between tries cost none.
func TestALongRunDoesNotGrow(t *testing.T) {
	images := longRun()
	c := tiny(images)
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		t.Cleanup(func() { time.Sleep(time.Second) }) // after the clouds have closed: what is under way arrives
		w := cloudstest.New(t, cloudsim.Options{RTT: 40 * time.Millisecond}, corpus.Flat(1, 1))
		w.ECR.Load(c)
		var open atomic.Int64
		counting(t, w, &open)
		plan := planOf(t, c)
		at := &gauged{Target: w.Target, connections: &open, images: int64(images)}
		w.Sim.Faults.SetSeeded(20, troubles()...)
		began := time.Now()
		r := Run(t.Context(), Config{
			Plan: plan, Source: func(ref.Registry) Source { return w.Source }, Target: at, Listing: document.TargetInventory{},
			Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		})
		t.Logf("%d images in %v of the bubble, %d requests spoiled of %d", images, time.Since(began), w.Sim.Faults.Fired(), w.Sim.Counts().Total())
		if r.Failed != 0 || r.Success != images {
			t.Fatalf("success %d, failed %d: %.3v", r.Success, r.Failed, r.Failures)
		}
		if fired, all := w.Sim.Faults.Fired(), w.Sim.Counts().Total(); fired*25 < all {
			t.Errorf("%d of %d requests were spoiled, too few", fired, all)
		}
		w.Sim.Faults.Clear()
		end := alive()
		forget(t, w)
		kept := int64(end) - int64(alive()) // by the embedded cloud, of all images
		at.check(t, kept*19/20)
		time.Sleep(5 * time.Minute) // until the connections are idle for too long
		if n := runtime.NumGoroutine() - before; n > 40 {
			t.Errorf("%d goroutines are left", n)
		}
	})
}

// check compares the beginning with the end. Of the memory the embedded cloud's own share comes off: it keeps what it got.
func (w *gauged) check(t *testing.T, kept int64) {
	t.Helper()
	grown := int64(w.last.heap) - int64(w.first.heap) - kept
	t.Logf("the first %+v, the last %+v, of which the embedded cloud keeps %d B: grown by %d B", w.first, w.last, kept, grown)
	if w.first.heap == 0 || w.last.heap == 0 {
		t.Fatal("nothing was measured")
	}
	// How many are under way varies by some dozens, whatever there is to do; one for each image that is done would be two
	// thousand at the least.
	const chance = 64
	if w.last.goroutines > w.first.goroutines+max(w.first.goroutines/4, chance) {
		t.Errorf("%d goroutines at the end, %d at the beginning", w.last.goroutines, w.first.goroutines)
	}
	if w.last.connections > w.first.connections+max(w.first.connections/4, chance) {
		t.Errorf("%d connections at the end, %d at the beginning", w.last.connections, w.first.connections)
	}
	if grown > 4<<20 { // 200 B an image: less than the least that could be forgotten
		t.Errorf("%d B of memory were not given back", grown)
	}
}

// forget deletes the repository, so that the embedded Artifact Registry forgets all that it holds: a map that is emptied
// would keep its room.
func forget(t *testing.T, w *cloudstest.World) {
	t.Helper()
	r := cloudstest.Default().Repository
	url := fmt.Sprintf("https://artifactregistry.googleapis.com/v1/projects/%s/locations/%s/repositories/%s", r.Project, r.Location, r.ID)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+cloudstest.Token)
	transport := w.Sim.Transport()
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the repository was not deleted: %s (%v)", answer.Status, err)
	}
}
