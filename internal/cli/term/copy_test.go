package term

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/oci"
	"transship/internal/transfer"
)

// look shows what the tests simulate: go test ./internal/cli/term -run Look -look, at a terminal.
var look = flag.Bool("look", false, "show a simulated run at this terminal, as it happens")

// simulated is a source and a target where time passes and nothing else.
type simulated struct {
	perSecond int64 // bytes, of each stream
	roundTrip time.Duration
	broken    digest.Digest // the manifest that cannot be written
}

func (s *simulated) Manifests(_ context.Context, _ ref.Repository, ds []digest.Digest) (found []registry.Manifest, _ map[digest.Digest]error, _ error) {
	time.Sleep(s.roundTrip)
	for _, d := range ds {
		found = append(found, registry.Manifest{Digest: d})
	}
	return found, nil, nil
}

func (s *simulated) Manifest(_ context.Context, _ ref.Repository, d digest.Digest) (registry.Manifest, error) {
	return registry.Manifest{Digest: d}, nil
}

func (s *simulated) PrepareBlob(_ context.Context, _ ref.Repository, b registry.Blob) oci.Opener {
	return func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(&slow{left: b.Size, step: max(1, s.perSecond/5)}), nil
	}
}

type slow struct{ left, step int64 }

func (r *slow) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(200 * time.Millisecond)
	n := min(r.left, r.step, int64(len(p)))
	r.left -= n
	return int(n), nil
}

func (s *simulated) HeadManifest(context.Context, ref.TargetImage, string) (digest.Digest, error) {
	return "", &registry.Error{Class: registry.NotFound}
}

func (s *simulated) PutManifest(_ context.Context, t ref.TargetImage, _ string, m registry.Manifest) error {
	time.Sleep(s.roundTrip)
	if m.Digest == s.broken {
		return &registry.Error{Side: registry.Target, Op: "write manifest", Object: t.String(), Class: registry.Denied, Status: 403}
	}
	return nil
}

func (s *simulated) HeadBlob(context.Context, ref.TargetImage, registry.Blob) error { return nil }

func (s *simulated) MountBlob(context.Context, ref.TargetImage, registry.Blob, ref.TargetImage) (oci.Upload, bool, error) {
	time.Sleep(s.roundTrip)
	return oci.Upload{}, true, nil
}

func (s *simulated) PushBlob(ctx context.Context, _ ref.TargetImage, b registry.Blob, _ oci.Upload, open oci.Opener) error {
	r, err := open(ctx)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 2<<20))
	return err
}

// simulatedPlan is n images with a layer each, of up to n MB.
func simulatedPlan(n int) document.Plan {
	r := ref.Registry{Account: "123456789012", Region: "us-east-1"}
	to := ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
	var p document.Plan
	for i := range n {
		name := fmt.Sprintf("team-%02d/service-%03d-with-a-name-of-some-length", i%7, i)
		d := digest.FromString(name)
		p.Images = append(p.Images, document.PlannedImage{
			Target: to.Image(name), Sources: []ref.Repository{r.Repository(name)},
			References: []document.PlannedReference{{Digest: d, Tags: []string{"v1", "latest"}}},
		})
		p.Manifests = append(p.Manifests, document.PlannedManifest{Digest: d, Size: 500, Blobs: []int{i}})
		p.Blobs = append(p.Blobs, document.PlannedBlob{Digest: digest.FromString("blob " + name), Size: int64(1+i*37%n) * 1_000_000})
	}
	return p
}

func (s *simulated) run(ctx context.Context, p document.Plan, progress *transfer.Progress) {
	transfer.Run(ctx, transfer.Config{
		Plan: p, Source: func(ref.Registry) transfer.Source { return s }, Target: s, Progress: progress, Units: 12,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
}

func TestCopyOnATerminal(t *testing.T) {
	for _, width := range []int{40, 60, 80, 132} {
		synctest.Test(t, func(t *testing.T) {
			streams, tube := terminal(width, 24, nil)
			sim, plan, progress := &simulated{perSecond: 5_000_000, roundTrip: 50 * time.Millisecond}, simulatedPlan(60), new(transfer.Progress)
			sim.broken = plan.Manifests[5].Digest
			notice := ""
			shown := streams.Copy(progress, func() string { return notice })
			if got := tube.shown(); len(got) != 1 || !strings.Contains(got[0], "finding out what is missing") {
				t.Errorf("at first it shows %q", got)
			}
			notice = "Artifact Registry asks to slow down"
			ended := make(chan struct{})
			go func() { sim.run(t.Context(), plan, progress); close(ended) }()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			middle := strings.Join(tube.shown(), "\n")
			wants := []string{"Copying", " of 60 images", "2 failed", "━", " % ", " MB", notice}
			if width >= 60 {
				wants = append(wants, "layers on the way", "left")
			}
			if width >= 80 {
				wants = append(wants, "MB/s", "sha256:")
			}
			for _, want := range wants {
				if !strings.Contains(middle, want) {
					t.Errorf("%d columns: no %q in\n%s", width, want, middle)
				}
			}
			fmt.Fprintln(streams.Err, "level=WARN msg=above")
			if got := tube.shown(); got[0] != "level=WARN msg=above" || !strings.Contains(got[1], "Copying") {
				t.Errorf("a log line is shown as %q", got)
			}
			<-ended
			shown.Stop()
			shown.Stop()
			got := tube.shown()
			if len(got) != 2 || !strings.Contains(got[1], "✗ Copying: 60 of 60 images") {
				t.Errorf("%d columns: %q is left", width, got)
			}
			if tube.wide > width {
				t.Errorf("a line is %d wide on a terminal of %d", tube.wide, width)
			}
			tube.check(t)
		})
	}
}

func TestCopyOffATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		streams := NewStreams(nil, io.Discard, &out, env(nil))
		sim, progress := &simulated{perSecond: 1_000_000, roundTrip: 50 * time.Millisecond}, new(transfer.Progress)
		shown := streams.Copy(progress, nil)
		sim.run(t.Context(), simulatedPlan(60), progress)
		shown.Stop()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if lines[0] != "Copying" || len(lines) < 10 || len(lines) > 40 || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%d lines:\n%s", len(lines), out.String())
		}
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "Copying: 60 of 60 images, 1.8 GB at ") {
			t.Errorf("the last line is %q", last)
		}
		t.Log("\n" + out.String())
	})
}

func TestTheBarDoesNotGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, _ := terminal(80, 24, nil)
		sim, progress := &simulated{perSecond: 5_000_000, roundTrip: 50 * time.Millisecond}, new(transfer.Progress)
		shown := streams.Copy(progress, nil)
		var running sync.WaitGroup
		running.Go(func() { sim.run(t.Context(), simulatedPlan(60), progress) })
		last := 0.0
		for i := 0; i < 1000 && last < 1; i++ {
			time.Sleep(100 * time.Millisecond)
			m := shown.look(time.Now())
			if m.done < last {
				t.Errorf("from %v back to %v", last, m.done)
			}
			last = m.done
		}
		if shown.Stop(); last != 1 {
			t.Errorf("in the end, %v is done", last)
		}
		running.Wait()
	})
}

func TestAbandonLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, tube := terminal(80, 24, nil)
		shown := streams.Copy(new(transfer.Progress), nil)
		time.Sleep(time.Second)
		shown.Abandon()
		if got := tube.shown(); len(got) > 0 {
			t.Errorf("%q is left", got)
		}
		tube.check(t)
	})
}

// TestLook is for people.
func TestLook(t *testing.T) {
	if !*look {
		t.Skip("pass -look to see a simulated run at this terminal")
	}
	streams := NewStreams(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	m := streams.Meter("Inventory")
	for i := range 27 {
		time.Sleep(60 * time.Millisecond)
		m.Set(i, 26, Count(i*1234, "image"))
	}
	m.Stop("26 repositories, 32,084 images")
	sim, plan, progress := &simulated{perSecond: 8_000_000, roundTrip: 80 * time.Millisecond}, simulatedPlan(80), new(transfer.Progress)
	sim.broken = plan.Manifests[7].Digest
	began := time.Now()
	shown := streams.Copy(progress, func() string {
		if n := time.Since(began); n > 6*time.Second && n < 9*time.Second {
			return "Artifact Registry asks to slow down: 12 requests at a time"
		}
		return ""
	})
	time.AfterFunc(4*time.Second, func() { fmt.Fprintln(streams.Err, `level=WARN msg="a log line" side=target`) })
	sim.run(t.Context(), plan, progress)
	shown.Stop()
}
