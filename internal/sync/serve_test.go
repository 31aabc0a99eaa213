package sync

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

// scrape is what /metrics says.
func scrape(t testing.TB, s *Syncer) string {
	t.Helper()
	code, body := get(s, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("%d: %s", code, body)
	}
	return body
}

func get(s *Syncer, path string) (int, string) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

type (
	writer  = http.ResponseWriter
	request = http.Request
	handler = http.Handler
)

func isDelete(r *http.Request) bool { return r.Method == http.MethodDelete }

// What is healthy and ready means something: the sync goes on; the target is in step.
func TestHealthAndReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 2))
		s := w.sync(t)
		want := func(when string, healthy, ready int) {
			t.Helper()
			for path, want := range map[string]int{"/healthz": healthy, "/readyz": ready} {
				if code, body := get(s, path); code != want || code != http.StatusOK && len(body) < 20 {
					t.Errorf("%s: %s says %d %q, want %d", when, path, code, body, want)
				}
			}
		}
		want("at first", http.StatusOK, http.StatusServiceUnavailable)
		once(t, s)
		want("after a cycle", http.StatusOK, http.StatusOK)
		w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.DescribeRepositories", Action: cloudsim.AWSError(400, "AccessDeniedException", "not authorized")})
		time.Sleep(14 * time.Minute)
		if _, err := s.Once(t.Context()); err == nil {
			t.Error("a cycle that could list nothing is a success")
		}
		want("after a failure", http.StatusOK, http.StatusOK)
		time.Sleep(2 * time.Minute)
		want("three intervals later", http.StatusOK, http.StatusServiceUnavailable)
		time.Sleep(30 * time.Minute)
		want("when nothing goes on", http.StatusServiceUnavailable, http.StatusServiceUnavailable)
		text := scrape(t, s)
		if !strings.Contains(text, `transship_failures_total{class="denied"}`) || strings.Contains(text, "last_success_timestamp_seconds 0") {
			t.Error(text)
		}
		end(t, s)
		_ = w.Sim.Close()
	})
}

// docs/metrics.md names every metric with its labels, and no other; and a run has them all.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{} // name → type and labels
	for _, m := range regexp.MustCompile("(?m)^\\| `(transship_[a-z_]+)(?:\\{([a-z,]+)\\})?` \\| ([a-z]+) \\|").FindAllStringSubmatch(string(page), -1) {
		documented[m[1]] = m[3] + " " + m[2]
	}
	m := NewMetrics()
	m.Observe("example.com", 429, true)
	m.failed("denied")
	m.events.WithLabelValues("push").Inc()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		slices.SortFunc(labels, func(a, b string) int { return cmp.Compare(order(a), order(b)) })
		got := strings.ToLower(f.GetType().String()) + " " + strings.Join(labels, ",")
		if documented[f.GetName()] != got {
			t.Errorf("%s is %q, and docs/metrics.md says %q", f.GetName(), got, documented[f.GetName()])
		}
		delete(documented, f.GetName())
	}
	for name := range documented {
		t.Errorf("docs/metrics.md has %s, which there is not", name)
	}
}

// order is that of labels on the page: the host before the code.
func order(label string) int {
	if label == "code" {
		return 1
	}
	return 0
}

// The server serves until its context ends.
func TestServe(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 2))
	s := w.sync(t)
	defer end(t, s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l) }()
	res, err := http.Get("http://" + l.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if !strings.Contains(string(body), "transship_images_behind 0") {
		t.Errorf("%s", body)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
