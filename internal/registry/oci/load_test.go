package oci

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/registry"
	"transship/internal/registry/governor"
)

func oneSlot() *governor.Governor { return governor.New(governor.Options{MaxConcurrency: 1}) }

func TestThrottlesPauseAllUsers(t *testing.T) {
	for _, form := range []string{"seconds", "date"} {
		t.Run(form, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				blob := []byte("{}")
				m := image(nil, blob)
				w.inECR("app", m, "v1", blob)
				c := w.source()
				_, err := c.HeadManifest(t.Context(), "app", "v1")
				must(t, err)
				retryAfter := "20"
				if form == "date" {
					retryAfter = cloudsim.RetryAfterDate(time.Now().Add(20 * time.Second))
				}
				w.sim.Faults.Set(cloudsim.Fault{Kind: "ecr.v2.manifest.get", Times: 1, Action: cloudsim.TooManyRequests(retryAfter)})
				start := time.Now()
				_, err = c.Manifest(t.Context(), "app", "v1")
				must(t, err)
				if took := time.Since(start); took < 19*time.Second || took > 22*time.Second {
					t.Errorf("tried again after %s, want 20 s", took)
				}
				w.sim.Faults.Set(cloudsim.Fault{Kind: "ecr.v2.manifest.get", Times: 1, Action: cloudsim.TooManyRequests("20")})
				start = time.Now()
				var wg sync.WaitGroup
				wg.Go(func() { _, _ = c.Manifest(t.Context(), "app", "v1") })
				time.Sleep(time.Second)
				if _, err := c.HeadManifest(t.Context(), "app", "v1"); err != nil || time.Since(start) < 20*time.Second {
					t.Errorf("another user of the host went on after %s: %v", time.Since(start), err)
				}
				wg.Wait()
				if s := c.Governor().Stats(); s.Throttled != 2 || s.Retries != 2 {
					t.Errorf("stats are %+v", s)
				}
			})
		})
	}
}

// A quota that is used up costs time, not failures.
func TestQuotaUsedUp(t *testing.T) {
	opts := arsim.Options{Quotas: arsim.Quotas{Writes: 300}, RetryAfter: 5 * time.Second}
	bubble(t, cloudsim.Options{AR: opts}, func(t *testing.T, w *world) {
		c, start := w.target(), time.Now()
		var wg sync.WaitGroup
		for i := range 400 {
			wg.Go(func() {
				b, opened := []byte(fmt.Sprint(i)), 0
				if err := c.PushBlob(t.Context(), arRepo+"/app", blobOf(b), Upload{}, opener(b, &opened)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		took, counts := time.Since(start), w.sim.Counts().Tally("ar.v2")
		if took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("800 writes at 300 a minute took %s", took)
		}
		if counts.Refused > 400 {
			t.Errorf("%d of %d requests were refused", counts.Refused, counts.Requests)
		}
	})
	// With the quota known, none is refused.
	bubble(t, cloudsim.Options{AR: opts}, func(t *testing.T, w *world) {
		c := w.target(func(o *Options) { o.Governor = governor.New(governor.Options{WritesPerMinute: 300}) })
		var wg sync.WaitGroup
		for i := range 400 {
			wg.Go(func() {
				b, opened := []byte(fmt.Sprint(i)), 0
				if err := c.PushBlob(t.Context(), arRepo+"/app", blobOf(b), Upload{}, opener(b, &opened)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := w.sim.Counts().Tally("ar.v2"); got.Refused != 0 || got.Requests != 800 {
			t.Errorf("%d of %d requests were refused", got.Refused, got.Requests)
		}
	})
}

func TestHostThatIsDown(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob := []byte("{}")
		m := image(nil, blob)
		w.inECR("app", m, "v1", blob)
		c := w.source()
		w.sim.Faults.Set(cloudsim.Fault{Kind: "ecr.v2.manifest.get", Times: 12, Action: cloudsim.Status(503)})
		_, err := c.Manifest(t.Context(), "app", "v1") // comes back in time
		must(t, err)
		w.sim.Faults.Set(cloudsim.Fault{Kind: "ecr.v2.manifest.get", Action: cloudsim.Reset()})
		start := time.Now()
		_, err = c.Manifest(t.Context(), "app", "v1")
		wantClass(t, err, registry.Unavailable, "gave up after")
		if took := time.Since(start); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestHostThatDoesNotExist(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		c, start := w.client(registry.Source, "nowhere.example", nil), time.Now()
		_, err := c.Manifest(t.Context(), "app", "v1")
		wantClass(t, err, registry.Unavailable, "no such host")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("that took %s to say", took)
		}
	})
}

func TestUntrustedCertificate(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		transport := NewTransport(&http.Transport{DialContext: w.sim.DialContext})
		c := w.client(registry.Source, ecrHost, nil, func(o *Options) { o.Transport = transport })
		_, err := c.Manifest(t.Context(), "app", "v1")
		wantClass(t, err, registry.Unknown, "certificate", "SSL_CERT_FILE")
		if n := w.sim.Dials(ecrHost); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestTransport(t *testing.T) {
	base := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2, Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{}).DialContext}
	for _, got := range []*http.Transport{newTransport(nil), newTransport(base), newTransport(base).Clone()} {
		if got.MaxIdleConnsPerHost < 256 || !got.DisableCompression || got.ForceAttemptHTTP2 || got.Protocols.HTTP2() ||
			!got.Protocols.HTTP1() || got.Proxy == nil || got.ExpectContinueTimeout != 0 || got.TLSHandshakeTimeout == 0 {
			t.Errorf("transport is %+v", got)
		}
	}
	if base.MaxIdleConnsPerHost != 2 {
		t.Error("the base was changed")
	}
}
