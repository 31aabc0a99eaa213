package sync

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"transship/internal/document"
)

// Metrics are the numbers of a sync for Prometheus. docs/metrics.md names them all. Make them with NewMetrics; they are
// safe for concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	lag       prometheus.Histogram
	cycles    prometheus.Histogram
	requests  *prometheus.CounterVec
	throttled *prometheus.CounterVec
	failures  *prometheus.CounterVec
	events    *prometheus.CounterVec
	deletions *prometheus.CounterVec
	parked    prometheus.Counter
	bytes     atomic.Int64 // of copies that have ended
	syncer    atomic.Pointer[Syncer]
	outages   outages
}

// NewMetrics returns metrics that nothing was counted in.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		m.registry.MustRegister(h)
		return h
	}
	m.lag = histogram("transship_sync_lag_seconds", "Time from the push of an image or tag until it was at the target.",
		1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4*3600, 24*3600)
	m.cycles = histogram("transship_sync_cycle_seconds", "How long a cycle took.", 1, 5, 15, 60, 300, 900, 3600, 4*3600, 24*3600)
	m.requests = counters("transship_requests_total", "Attempts of requests that were sent, by host and HTTP status; code 0 had no answer.", "host", "code")
	m.throttled = counters("transship_throttled_total", "Attempts that the host refused because too many were sent.", "host")
	m.failures = counters("transship_failures_total", "What went wrong without ending the sync, by class.", "class")
	m.events = counters("transship_events_total", "Events that were received, by what happened at the source.", "action")
	m.deletions = counters("transship_sync_deletions_total", "Tags that were deleted at the source: seen, followed, or held because too many vanished at once.", "kind")
	m.parked = prometheus.NewCounter(prometheus.CounterOpts{Name: "transship_events_parked_total", Help: "Messages that could not be understood and were left in the queue."})
	m.registry.MustRegister(m.parked)
	for _, kind := range []string{"seen", "followed", "held"} {
		m.deletions.WithLabelValues(kind)
	}
	m.gauges()
	return m
}

// gauges are what is looked up when somebody asks.
func (m *Metrics) gauges() {
	gauge := func(name, help string, labels prometheus.Labels, value func(*Syncer) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 {
			if s := m.syncer.Load(); s != nil {
				return value(s)
			}
			return 0
		}))
	}
	gauge("transship_sync_oldest_behind_seconds", "For how long the oldest reference is behind that the last cycle found behind; 0 where none is.", nil, func(s *Syncer) float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		var oldest time.Duration
		for _, since := range s.behind {
			oldest = max(oldest, s.now().Sub(since))
		}
		return oldest.Seconds()
	})
	gauge("transship_images_behind", "Tags and untagged images that the target does not hold yet as the source does.", nil, func(s *Syncer) float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.behind))
	})
	gauge("transship_sync_last_success_timestamp_seconds", "When a cycle ended last that looked at everything, in seconds since 1970; 0 for never.", nil, func(s *Syncer) float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.state.LastSuccess.IsZero() {
			return 0
		}
		return float64(s.state.LastSuccess.UnixMilli()) / 1000
	})
	const age, ageHelp = "transship_token_age_seconds", "Age of the oldest token in use for the registries of a side; 0 where none was needed yet."
	gauge(age, ageHelp, prometheus.Labels{"side": "source"}, func(s *Syncer) float64 {
		var oldest time.Time
		for _, source := range s.pipeline.Sources {
			if at := source.TokenObtained(); !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
				oldest = at
			}
		}
		return s.since(oldest)
	})
	gauge(age, ageHelp, prometheus.Labels{"side": "target"}, func(s *Syncer) float64 { return s.since(s.pipeline.Target.TokenObtained()) })
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "transship_bytes_read_total", Help: "Bytes of layers and configs that were read from the source.",
	}, func() float64 {
		n := m.bytes.Load()
		if s := m.syncer.Load(); s != nil {
			if p := s.copying.Load(); p != nil {
				n += p.BytesRead.Load()
			}
		}
		return float64(n)
	}))
}

// since is how long ago t was; 0 for the zero value.
func (s *Syncer) since(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return time.Since(t).Seconds() // tokens live by the machine's clock
}

// follow has the gauges tell of s.
func (m *Metrics) follow(s *Syncer) { m.syncer.Store(s) }

// Observe counts an attempt of a request: see clouds.Options.
func (m *Metrics) Observe(host string, status int, throttled bool) {
	m.requests.WithLabelValues(host, strconv.Itoa(status)).Inc()
	if throttled {
		m.throttled.WithLabelValues(host).Inc()
	}
	s := m.syncer.Load()
	if s == nil {
		return
	}
	if lasts, tell := m.outages.saw(host, status, throttled, s.now()); tell {
		s.log.Warn("a host answers nothing of use, and is asked again and again", "host", host, "for", lasts.Round(time.Second), "status", status)
	}
}

// BytesRead is how many bytes of blobs the copies that have ended read from the source.
func (m *Metrics) BytesRead() int64 { return m.bytes.Load() }

func (m *Metrics) read(bytes int64)    { m.bytes.Add(bytes) }
func (m *Metrics) failed(class string) { m.failures.WithLabelValues(class).Inc() }

// cycle counts what a cycle did.
func (m *Metrics) cycle(c document.SyncCycle, ok bool) {
	m.cycles.Observe(c.EndedAt.Sub(c.StartedAt).Seconds())
	for _, f := range c.Failures {
		m.failed(f.Class)
	}
	if !ok && !c.Stopped && len(c.Failures) == 0 {
		m.failed("cycle")
	}
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
