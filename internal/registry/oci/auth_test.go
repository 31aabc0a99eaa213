package oci

import (
	"context"
	"io"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/registry"
)

func TestExpiredCredentialsAreRenewed(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		ctx, blob := t.Context(), noise(100<<10)
		m := image(nil, blob)
		w.inECR("app", m, "v1", blob)
		auth := &fakeAuth{renew: w.ecrToken}
		c := w.client(registry.Source, ecrHost, auth)
		_, err := c.Manifest(ctx, "app", "v1")
		must(t, err)

		w.ecr.Region().ExpireTokens() // 403, and a text
		w.requests(map[string]int{"ecr.v2.manifest.get": 2}, func() {
			_, err = c.Manifest(ctx, "app", "v1")
			must(t, err)
		})
		w.ecr.Region().ExpireTokens() // 403 without a text: a GET finds out
		w.requests(map[string]int{"ecr.v2.manifest.head": 2, "ecr.v2.manifest.get": 1}, func() {
			_, err = c.HeadManifest(ctx, "app", "v1")
			must(t, err)
		})
		if auth.refused != 2 {
			t.Errorf("%d credentials were refused, want 2", auth.refused)
		}

		target := &fakeAuth{renew: func() string { return "Bearer " + w.ar.IssueToken(time.Hour) }}
		ar, opened := w.client(registry.Target, arHost, target), 0
		must(t, ar.PushBlob(ctx, arRepo+"/a", blobOf(blob), Upload{}, opener(blob, &opened)))
		time.Sleep(2 * time.Hour)
		w.requests(map[string]int{"ar.v2.upload.post": 2, "ar.v2.upload.put": 1}, func() {
			must(t, ar.PushBlob(ctx, arRepo+"/b", blobOf(blob), Upload{}, opener(blob, &opened)))
		})
		u, _, err := ar.MountBlob(ctx, arRepo+"/c", blobOf(blob), arRepo+"/nothing")
		must(t, err)
		time.Sleep(2 * time.Hour)
		opened = 0
		must(t, ar.PushBlob(ctx, arRepo+"/c", blobOf(blob), u, opener(blob, &opened)))
		if opened != 2 {
			t.Errorf("the blob was opened %d times, want a new reader after the refusal", opened)
		}
	})
}

func TestCredentialsThatStayWrong(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		w.inECR("app", registry.Manifest{}, "")
		auth := &fakeAuth{renew: func() string { return "Basic QVdTOndyb25n" }}
		c := w.client(registry.Source, ecrHost, auth)
		w.requests(map[string]int{"ecr.v2.manifest.get": 2}, func() {
			_, err := c.Manifest(t.Context(), "app", "v1")
			wantClass(t, err, registry.Unauthorized, "401 Unauthorized")
		})
	})
}

func TestCancellation(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob := noise(1 << 20)
		w.inECR("app", registry.Manifest{}, "", blob)
		w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Action: cloudsim.StallBody(1000)})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, start := w.source(), time.Now()
		r, err := c.OpenBlob(ctx, "app", blobOf(blob))
		must(t, err)
		_, err = io.ReadAll(r)
		wantClass(t, err, registry.Canceled)
		must(t, r.Close())
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("took %s", took)
		}
		if s := c.Governor().Stats(); s.InFlight != 0 {
			t.Errorf("afterwards: %+v", s)
		}
		// Close ends a Read, too.
		r, err = c.OpenBlob(t.Context(), "app", blobOf(blob))
		must(t, err)
		time.AfterFunc(time.Second, func() { _ = r.Close() })
		if _, err := io.ReadAll(r); err == nil {
			t.Error("a closed reader has all bytes")
		}
	})
}

func TestCancelledPush(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob, opened := noise(3<<20), 0
		w.inECR("app", registry.Manifest{}, "", blob)
		w.sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.upload.put", Action: stalled30(1000)})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		source, target, start := w.source(), w.target(), time.Now()
		wantClass(t, copyBlob(ctx, source, target, blobOf(blob), &opened), registry.Canceled, "target: write blob")
		if took := time.Since(start); took != 10*time.Second || opened != 1 {
			t.Errorf("%d readers in %s", opened, took)
		}
		for _, c := range []*Client{source, target} {
			if s := c.Governor().Stats(); s.InFlight != 0 || s.Failed != 0 {
				t.Errorf("afterwards: %+v", s)
			}
		}
		// While a retry waits, too.
		w.sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.upload.post", Action: cloudsim.TooManyRequests("300")})
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		wantClass(t, copyBlob(ctx, source, target, blobOf(blob), &opened), registry.Canceled)
	})
}
