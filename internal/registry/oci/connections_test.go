package oci

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/registry"
)

const s3Host = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"

// A connection serves one blob after the other: a handshake costs more than a small blob does.
func TestConnectionsAreReused(t *testing.T) {
	bubble(t, cloudsim.Options{RTT: 40 * time.Millisecond}, func(t *testing.T, w *world) {
		const streams, each = 16, 25
		c := w.source()
		first := noise(10)
		w.inECR("app", registry.Manifest{}, "", first)
		must(t, c.HeadBlob(t.Context(), "app", blobOf(first))) // fetches the token: whoever waits for a mutex stops the clock
		var wg sync.WaitGroup
		for i := range streams {
			var blobs []registry.Blob
			for j := range each {
				b := noise(1000 + i*each + j*1000)
				w.inECR("app", registry.Manifest{}, "", b)
				blobs = append(blobs, blobOf(b))
			}
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 7 * time.Millisecond)
				for _, b := range blobs {
					r, err := c.OpenBlob(t.Context(), "app", b)
					must(t, err)
					_, err = io.Copy(io.Discard, r)
					must(t, err)
					must(t, r.Close())
				}
			})
		}
		wg.Wait()
		for _, host := range []string{ecrHost, s3Host} {
			// http.Transport dials for a request that an idle connection then serves sooner: not for each, though.
			if got := w.sim.Dials(host); got > 2*streams {
				t.Errorf("%d connections to %s for %d blobs, %d at once", got, host, streams*each, streams)
			}
		}
	})
}

// Messages share one connection where the host speaks HTTP/2, from the first moment; else each has its own while it lasts.
func TestMessagesShareAConnection(t *testing.T) {
	for _, c := range []struct {
		name  string
		http1 bool
		most  int
	}{{"HTTP/2", false, 1}, {"HTTP/1.1", true, 32 * 10}} {
		t.Run(c.name, func(t *testing.T) {
			sim := cloudsim.New(cloudsim.Options{DisableHTTP2: c.http1})
			defer sim.Close()
			if err := sim.StartMemory(); err != nil {
				t.Fatal(err)
			}
			sim.Handle("registry.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
			transport := NewMessageTransport(sim.Transport())
			defer transport.CloseIdleConnections()
			var wg sync.WaitGroup
			for range 32 {
				wg.Go(func() {
					for range 10 {
						req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://registry.example/", nil)
						must(t, err)
						res, err := transport.RoundTrip(req)
						if err != nil {
							t.Error(err)
							return
						}
						discard(res.Body)
					}
				})
			}
			wg.Wait()
			if got := sim.Dials("registry.example"); got > c.most {
				t.Errorf("%d connections, want at most %d", got, c.most)
			}
		})
	}
}

// What the first request to a host meets does not keep the others from going.
func TestFirstMessageFails(t *testing.T) {
	sim := cloudsim.New(cloudsim.Options{})
	defer sim.Close()
	if err := sim.StartMemory(); err != nil {
		t.Fatal(err)
	}
	transport := NewMessageTransport(sim.Transport())
	defer transport.CloseIdleConnections()
	get := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://registry.example/", nil)
		must(t, err)
		res, err := transport.RoundTrip(req)
		if err == nil {
			discard(res.Body)
		}
		return err
	}
	if err := get(t.Context()); err == nil {
		t.Fatal("a host that does not exist answered")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := get(ended); err == nil {
		t.Fatal("a request whose context ended was answered")
	}
	sim.Handle("registry.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	must(t, get(t.Context()))
	must(t, get(t.Context()))
}
