package transfer

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// Clocks that do not end change nothing.
func TestImageTimeoutThatIsLong(t *testing.T) {
	spec := corpus.Demo()
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	c := corpus.Generate(spec)
	plan := planOf(t, c)
	if r := run(t, w, plan, func(c *Config) { c.ImageTimeout = time.Hour }); r.Failed != 0 || r.Success != references(plan) {
		t.Errorf("success %d of %d, failures %+v", r.Success, references(plan), r.Failures)
	}
	checkArrived(t, w, c)
}

// An image that does not get on is given up after its time, by name, and nothing else is.
func TestImageTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c, plan := flat(t, 2, 5)
		stuck := c.Repositories[1].Images[3]
		content, err := registry.ParseManifest(registry.Manifest{Digest: stuck.Digest, MediaType: stuck.MediaType, Bytes: stuck.Manifest})
		if err != nil {
			t.Fatal(err)
		}
		own := content.Blobs[0].Digest.String()
		w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.v2.blob.*", Action: cloudsim.Reset(), Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, own) }})
		start := time.Now()
		r := run(t, w, plan, func(c *Config) { c.ImageTimeout = 90 * time.Second })
		if took := time.Since(start); took < 90*time.Second || took > 92*time.Second {
			t.Errorf("it took %s", took)
		}
		if r.Failed != 1 || r.Success != references(plan)-1 || r.Stopped {
			t.Fatalf("success %d, failed %d, stopped %v: %+v", r.Success, r.Failed, r.Stopped, r.Failures)
		}
		f := r.Failures[0]
		if f.Class != string(registry.TimedOut) || f.Tag != stuck.Tags[0] || !strings.Contains(f.Error, own) || !strings.Contains(f.Error, "1m30s") || !strings.Contains(f.Hint, "--image-timeout") {
			t.Errorf("%+v", f)
		}
		time.Sleep(time.Hour)
	})
}

// slow is a target that takes its time: for one tag, and for ever for the first mount.
type slow struct {
	Target
	tag    string
	mu     sync.Mutex
	mounts int
}

func (s *slow) PutManifest(_ context.Context, _ ref.TargetImage, reference string, _ registry.Manifest) error {
	if reference == s.tag {
		time.Sleep(30 * time.Second)
	}
	return nil
}

func (s *slow) PushBlob(context.Context, ref.TargetImage, registry.Blob, oci.Upload, oci.Opener) error {
	return nil
}

func (s *slow) MountBlob(ctx context.Context, _ ref.TargetImage, _ registry.Blob, _ ref.TargetImage) (oci.Upload, bool, error) {
	s.mu.Lock()
	s.mounts++
	first := s.mounts == 1
	s.mu.Unlock()
	if first {
		<-ctx.Done()
		return oci.Upload{}, false, context.Cause(ctx)
	}
	return oci.Upload{}, true, nil
}

// A blob whose bringer ran out of time is taken up by who waits for it and has time left.
func TestTimeoutOfOneIsNotAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c, plan := flat(t, 2, 2)
		x, late, waits := c.Repositories[0].Images[0], c.Repositories[1].Images[0], c.Repositories[1].Images[1]
		target := &slow{Target: w.Target, tag: x.Tags[0]}
		r := Run(t.Context(), Config{
			Plan: plan, Source: func(ref.Registry) Source { return w.Source }, Target: target,
			// What is there makes the shared layer one to mount, and its tag keeps one of two units busy for 30 s.
			Listing: document.TargetInventory{Images: []document.TargetImage{{URI: placeOf(t, plan, c.Repositories[0].Name).Target, Digest: x.Digest}}},
			Only: func(_ ref.Repository, d digest.Digest) bool {
				return d == x.Digest || d == late.Digest || d == waits.Digest
			},
			Units: 2, ImageTimeout: 45 * time.Second, Now: cloudstest.Clock, Logger: slog.New(slog.DiscardHandler),
		})
		if r.Success != 2 || r.Failed != 1 || r.Failures[0].Digest != late.Digest || r.Failures[0].Class != string(registry.TimedOut) || target.mounts != 2 {
			t.Errorf("success %d, %d mounts, failures %+v", r.Success, target.mounts, r.Failures)
		}
		time.Sleep(time.Hour)
	})
}
