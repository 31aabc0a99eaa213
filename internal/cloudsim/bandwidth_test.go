package cloudsim_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/store"
)

const megabyte = 1_000_000

// download serves 10 MB to a GET, and reads what else it gets.
func download(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.Method == http.MethodGet {
		b := store.Generated(1, 10*megabyte)
		_, _ = io.Copy(w, io.NewSectionReader(b, 0, b.Size()))
	}
}

// Each connection has its host's bandwidth to itself, in both directions; a name beats a pattern.
func TestHostBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := cloudsim.New(cloudsim.Options{
			RTT: 40 * time.Millisecond, DisableHTTP2: true,
			HostBandwidth: map[string]int64{"S3.example": 20 * megabyte, "*.example": 5 * megabyte, "slow*.example": megabyte},
		})
		for _, name := range []string{"s3.example", "other.example", "slow.example", "free.org"} {
			sim.Handle(name, http.HandlerFunc(download))
		}
		if err := sim.StartMemory(); err != nil {
			t.Fatal(err)
		}
		transport := sim.Transport()
		client := &http.Client{Transport: transport}
		took := func(method, host string, body io.Reader) time.Duration {
			start := time.Now()
			req, err := http.NewRequestWithContext(t.Context(), method, "https://"+host+"/", body)
			if err != nil {
				t.Fatal(err)
			}
			res, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return 0
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Error(err)
			}
			_ = res.Body.Close()
			return time.Since(start)
		}
		near := func(what string, got, want time.Duration) {
			if got < want || got > want+want/50+250*time.Millisecond { // the handshake, and what HTTP and TLS add
				t.Errorf("%s took %s, want %s", what, got, want)
			}
		}
		near("20 MB/s", took(http.MethodGet, "s3.example", nil), 500*time.Millisecond)
		near("a pattern", took(http.MethodGet, "other.example", nil), 2*time.Second)
		near("the lesser of two patterns", took(http.MethodGet, "slow.example", nil), 10*time.Second)
		near("no bound", took(http.MethodGet, "free.org", nil), 0)
		near("an upload", took(http.MethodPut, "s3.example", bytes.NewReader(make([]byte, 10*megabyte))), 500*time.Millisecond)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { near("one of eight", took(http.MethodGet, "s3.example", nil), 500*time.Millisecond) })
		}
		wg.Wait()
		transport.CloseIdleConnections()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Over sockets the pace is kept too, with and without latency.
func TestHostBandwidthOverTCP(t *testing.T) {
	for _, rtt := range []time.Duration{0, 2 * time.Millisecond} {
		sim := start(t, cloudsim.Options{RTT: rtt, HostBandwidth: map[string]int64{"s3.example": 100 * megabyte}})
		sim.Handle("s3.example", http.HandlerFunc(download))
		begin := time.Now()
		res, err := sim.HTTPClient().Get("https://s3.example/")
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if took := time.Since(begin); n != 10*megabyte || err != nil || took < 95*time.Millisecond {
			t.Errorf("RTT %s: %d bytes at 100 MB/s in %s: %v", rtt, n, took, err)
		}
	}
}
