package sync

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/sqssim"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/events"
	"transship/internal/plan"
	"transship/internal/ref"
	"transship/internal/stage"
	"transship/internal/workspace"
)

// world is a pair of embedded clouds with a queue that ECR sends its events to, and a sync between them.
type world struct {
	*cloudstest.World
	queue *sqssim.Queue
	dead  *sqssim.Queue
	dir   string
}

func newWorld(t testing.TB, o cloudsim.Options, spec corpus.Spec) *world {
	t.Helper()
	w := &world{World: cloudstest.New(t, o, spec), dir: filepath.Join(t.TempDir(), "w")}
	sqs := w.Sim.SQS(cloudstest.Region)
	w.dead = sqs.CreateQueue(cloudstest.Account, "dead", sqssim.QueueOptions{})
	w.queue = sqs.CreateQueue(cloudstest.Account, "events", sqssim.QueueOptions{MaxReceives: 5, DeadLetters: w.dead})
	return w
}

// sync opens the workspace as a process of its own would.
func (w *world) sync(t testing.TB, change ...func(*Config)) *Syncer {
	t.Helper()
	ws, err := workspace.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	m := ref.Mapping{Default: cloudstest.Default()}
	metrics := NewMetrics()
	o := w.Options()
	o.Observe = metrics.Observe
	source, err := clouds.OpenSource(t.Context(), cloudstest.Registry(), ref.HostForm{}, o)
	if err != nil {
		t.Fatal(err)
	}
	target, err := clouds.OpenTarget(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Pipeline: &stage.Pipeline{
			Workspace: ws, Rules: plan.Rules{Migration: plan.NewMigration([]ref.Registry{cloudstest.Registry()}, m), Mapping: m},
			Sources: []*clouds.Source{source}, Target: target, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Sync: true,
		},
		VerifyEvery: -1, Metrics: metrics, Random: func() float64 { return 0.5 },
	}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// end closes what sync opened.
func end(t testing.TB, s *Syncer) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.pipeline.Workspace.Close(); err != nil {
		t.Error(err)
	}
}

// open is the queue as the product sees it.
func (w *world) open(t testing.TB) Queue {
	t.Helper()
	a, err := events.ParseAddress(w.queue.URL())
	if err != nil {
		t.Fatal(err)
	}
	q, err := clouds.OpenQueue(t.Context(), a, []ref.Registry{cloudstest.Registry()}, w.Options())
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// push pushes an image of its own, whose layer is small, under a tag.
func (w *world) push(t testing.TB, repo, tag, content string) digest.Digest {
	t.Helper()
	r := w.ECR.Repository(repo)
	if r == nil {
		r = w.ECR.CreateRepository(repo, ecrsim.RepositorySettings{})
	}
	blob := func(mediaType, text string) ocispec.Descriptor {
		d := digest.FromString(text)
		r.Content.PutBlob(d, store.BytesBlob([]byte(text)))
		return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(text))}
	}
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: blob(ocispec.MediaTypeImageConfig, fmt.Sprintf(`{"architecture":"amd64","os":"linux","comment":%q}`, content)),
		Layers: []ocispec.Descriptor{blob(ocispec.MediaTypeImageLayer, "layer of "+content)},
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.Push(body, m.MediaType, tag)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// at is what a tag points at on the target; nothing where it is not there.
func (w *world) at(repo, tag string) digest.Digest {
	image := w.AR.Image(cloudstest.Default().Join(repo).String())
	if image == nil {
		return ""
	}
	d, _ := image.TagDigest(tag)
	return d
}

// agree says how the sides differ: tags and images that the source has and the target has not, and tags that only the
// target has.
func (w *world) agree(t testing.TB) (differ []string) {
	t.Helper()
	for _, r := range w.ECR.Repositories() {
		target := w.AR.Image(cloudstest.Default().Join(r.Name()).String())
		if target == nil {
			if r.Content.Manifests() != nil && len(r.Content.Manifests()) > 0 {
				differ = append(differ, r.Name()+" is not there")
			}
			continue
		}
		for _, m := range r.Content.Manifests() {
			if _, ok := target.Manifest(m.Digest); !ok && r.Status(m.Digest) == ecrsim.StatusActive {
				differ = append(differ, r.Name()+"@"+m.Digest.String()+" is missing")
			}
		}
		for _, tag := range r.Content.Tags() {
			d, _ := r.Content.TagDigest(tag)
			if got, _ := target.TagDigest(tag); got != d && r.Status(d) == ecrsim.StatusActive {
				differ = append(differ, fmt.Sprintf("%s:%s is at %q, not %s", r.Name(), tag, got, d))
			}
		}
		for _, tag := range target.Tags() {
			if !slices.Contains(r.Content.Tags(), tag) {
				differ = append(differ, fmt.Sprintf("%s:%s is only at the target", r.Name(), tag))
			}
		}
	}
	return differ
}
