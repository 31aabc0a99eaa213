package cloudsim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/cloudsim"
)

// served is a handler that says its kind and answers with its body.
type served struct{ body string }

func (s served) Kind(r *http.Request) string { return "test." + strings.ToLower(r.Method) }

func (s served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Length", fmt.Sprint(len(s.body)))
	_, _ = io.WriteString(w, s.body)
}

func TestNames(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.Handle("one.example", served{"exact"})
	sim.Handle("*-docker.pkg.dev", served{"pattern"})
	client := sim.HTTPClient()
	do(t, client, "GET", "https://one.example/", "").want(t, 200, "exact")
	do(t, client, "GET", "https://us-docker.pkg.dev/", "").want(t, 200, "pattern")
	sim.AR()
	do(t, client, "GET", "https://europe-docker.pkg.dev/", "").want(t, 200, "pattern") // Handle beats a cloud
	sim.Handle("one.example", served{"replaced"})
	do(t, client, "GET", "https://one.example/", "").want(t, 200, "replaced")

	_, err := sim.DialContext(t.Context(), "tcp", "unknown.example:443")
	if dns, ok := errors.AsType[*net.DNSError](err); !ok || !dns.IsNotFound {
		t.Errorf("unknown name: %v", err)
	}
	if _, err = sim.DialContext(t.Context(), "tcp", "one.example:80"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("port 80: %v", err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://one.example/", nil)
	req.Host = "us-docker.pkg.dev"
	if res, err := client.Do(req); err != nil || res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("Host that is not the server name: %v %v", res, err)
	}
}

func TestARAnswersAtItsNames(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.AR()
	for _, url := range []string{"https://us-docker.pkg.dev/v2/", "https://docker.us-central1.rep.pkg.dev/v2/",
		"https://artifactregistry.googleapis.com/v1/projects/p/locations/us/repositories"} {
		do(t, sim.HTTPClient(), "GET", url, "").want(t, 401, "")
	}
	if got := sim.Counts().Of("ar"); got != 3 {
		t.Errorf("counted:\n%s", sim.Counts())
	}
}

func TestProtocols(t *testing.T) {
	for _, disable := range []bool{false, true} {
		sim := start(t, cloudsim.Options{DisableHTTP2: disable})
		sim.Handle("one.example", served{"x"})
		got := do(t, sim.HTTPClient(), "GET", "https://one.example/", "").want(t, 200, "x")
		if want := map[bool]int{false: 2, true: 1}[disable]; got.ProtoMajor != want {
			t.Errorf("DisableHTTP2 %v: %s", disable, got.Proto)
		}
	}
}

func TestHTTP1Hosts(t *testing.T) {
	sim := start(t, cloudsim.Options{HTTP1Hosts: []string{"*.example"}})
	sim.Handle("one.example", served{"x"})
	sim.Handle("one.test", served{"x"})
	for url, want := range map[string]int{"https://one.example/": 1, "https://one.test/": 2} {
		if got := do(t, sim.HTTPClient(), "GET", url, ""); got.ProtoMajor != want {
			t.Errorf("%s: %s", url, got.Proto)
		}
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.Handle("one.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("ouch") }))
	do(t, sim.HTTPClient(), "GET", "https://one.example/", "").want(t, 500, "an embedded cloud panicked: ouch")
}

func TestCounts(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.Handle("one.example", served{"hello"})
	client := sim.HTTPClient()
	do(t, client, "GET", "https://one.example/", "").want(t, 200, "")
	before := sim.Counts()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { do(t, client, "POST", "https://one.example/", "four").want(t, 200, "") })
	}
	wg.Wait()
	counts := sim.Counts()
	if d := counts.Sub(before); d.Total() != 20 || d["test.post"] != (cloudsim.Tally{Requests: 20, Sent: 100, Received: 80}) {
		t.Errorf("counted since:\n%s", d)
	}
	if counts.Total() != 21 || counts.Of("test.get", "test.post") != 21 || counts.Of("test") != 21 || counts.Of("tes") != 0 {
		t.Errorf("counted:\n%s", counts)
	}
	if !strings.HasPrefix(counts.String(), "test.get ") {
		t.Errorf("String is\n%s", counts)
	}
	if got := sim.Dials("one.example"); got < 1 {
		t.Errorf("%d dials", got)
	}
}

func TestMemoryInABubble(t *testing.T) {
	for _, rtt := range []time.Duration{0, 10 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			sim := cloudsim.New(cloudsim.Options{RTT: rtt})
			if err := sim.StartMemory(); err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			sim.ECR(account, region)
			sim.Faults.Set(cloudsim.Fault{Kind: "ecr.v2.*", Times: 1, Action: cloudsim.Delay(time.Hour)})
			transport := sim.Transport()
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			begun := time.Now()
			do(t, client, "GET", base, "").want(t, 401, "")
			if took := time.Since(begun); took != time.Hour+3*rtt { // dial, handshake, request
				t.Errorf("RTT %v: an hour's delay took %v", rtt, took)
			}
			begun = time.Now()
			do(t, client, "GET", base, "").want(t, 401, "")
			if took := time.Since(begun); took != rtt {
				t.Errorf("RTT %v: a request took %v", rtt, took)
			}
		})
	}
}

func TestLatencyDoesNotLimitThroughput(t *testing.T) {
	const rtt = 20 * time.Millisecond
	body := strings.Repeat("x", 8<<20)
	for _, memory := range []bool{true, false} {
		t.Run(fmt.Sprintf("memory %v", memory), func(t *testing.T) {
			sim := cloudsim.New(cloudsim.Options{RTT: rtt, DisableHTTP2: true})
			defer sim.Close()
			var err error
			if memory {
				err = sim.StartMemory()
			} else {
				_, err = sim.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			sim.Handle("one.example", served{body})
			client := sim.HTTPClient()
			do(t, client, "GET", "https://one.example/", "").want(t, 200, "")
			begun := time.Now()
			do(t, client, "GET", "https://one.example/", "").want(t, 200, "")
			// 512 records of 16 KiB would take 10 s were each to wait its turn.
			if took := time.Since(begun); took < rtt || took > 5*time.Second {
				t.Errorf("8 MiB took %v", took)
			}
		})
	}
}

func TestProxy(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.Handle("one.example", served{"hello"})
	url, err := sim.StartProxy()
	if err != nil {
		t.Fatal(err)
	}
	proxied := sim.Transport()
	proxied.DialContext = nil
	proxied.Proxy = http.ProxyURL(parseURL(t, url))
	client := &http.Client{Transport: proxied}
	do(t, client, "GET", "https://one.example/", "").want(t, 200, "hello")
	if _, err := client.Get("https://unknown.example/"); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("unknown name: %v", err)
	}
	if res, err := client.Get("http://one.example/"); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("plain HTTP: %v %v", res, err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	sim := cloudsim.New(cloudsim.Options{})
	if _, err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	sim.Handle("one.example", served{strings.Repeat("x", 100)})
	sim.Faults.Set(cloudsim.Fault{Action: cloudsim.StallBody(10)})
	res, err := sim.HTTPClient().Get("https://one.example/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := sim.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("a stalled body ended well after Close")
	}
	if _, err := sim.DialContext(t.Context(), "tcp", "one.example:443"); err == nil {
		t.Error("dialed after Close")
	}
	if err := sim.StartMemory(); err == nil {
		t.Error("started after Close")
	}
}

func TestMemoryConnIsAConn(t *testing.T) {
	l := cloudsim.NewMemoryListener(0)
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() { c, _ := l.Accept(); accepted <- c }()
	client, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := <-accepted
	big := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // larger than the buffer
	var wrote atomic.Int64
	go func() { n, _ := client.Write(big); wrote.Store(int64(n)); _ = client.Close() }()
	got, err := io.ReadAll(server)
	if err != nil || !bytes.Equal(got, big) || wrote.Load() != int64(len(big)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to a closed peer: %v", err)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after own close: %v", err)
	}
	go func() { c, _ := l.Accept(); accepted <- c }()
	client, _ = l.Dial(t.Context())
	<-accepted
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
		t.Errorf("read past its deadline: %v", err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// BenchmarkBlob reads 64 MiB through TLS: what the embedded clouds themselves cost.
func BenchmarkBlob(b *testing.B) {
	for _, memory := range []bool{true, false} {
		b.Run(fmt.Sprintf("memory=%v", memory), func(b *testing.B) {
			sim := cloudsim.New(cloudsim.Options{DisableHTTP2: true})
			defer sim.Close()
			if memory {
				_ = sim.StartMemory()
			} else if _, err := sim.Start(); err != nil {
				b.Fatal(err)
			}
			const size = 64 << 20
			sim.Handle("one.example", served{strings.Repeat("x", size)})
			client := sim.HTTPClient()
			b.SetBytes(size)
			for b.Loop() {
				res, err := client.Get("https://one.example/")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
					b.Fatal(n, err)
				}
				_ = res.Body.Close()
			}
		})
	}
}
