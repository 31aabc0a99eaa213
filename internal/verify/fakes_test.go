package verify

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

var (
	source = ref.Registry{Account: "123456789012", Region: "us-east-1"}.Repository("team/api")
	repo   = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
	target = repo.Image("team/api")
	now    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// fake is a target that may know more than its listing shows.
type fake struct {
	mu        sync.Mutex
	tags      map[string]digest.Digest
	manifests map[digest.Digest][]byte
	blobs     map[digest.Digest]bool
	heads     []string
	gets      int
	blobHeads int
	broken    error
}

func (f *fake) HeadManifest(_ context.Context, _ ref.TargetImage, reference string) (digest.Digest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heads = append(f.heads, reference)
	if f.broken != nil {
		return "", f.broken
	}
	if d, ok := f.tags[reference]; ok {
		return d, nil
	}
	if _, ok := f.manifests[digest.Digest(reference)]; ok {
		return digest.Digest(reference), nil
	}
	return "", &registry.Error{Side: registry.Target, Op: "head", Class: registry.NotFound}
}

func (f *fake) Manifest(_ context.Context, _ ref.TargetImage, d digest.Digest) (registry.Manifest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets++
	b, ok := f.manifests[d]
	if !ok {
		return registry.Manifest{}, &registry.Error{Side: registry.Target, Op: "get", Class: registry.NotFound}
	}
	m := registry.Manifest{Digest: d, Bytes: b}
	if m.Check() != nil {
		return registry.Manifest{}, &registry.Error{Side: registry.Target, Op: "get", Class: registry.Corrupt}
	}
	m.MediaType = "application/vnd.oci.image.manifest.v1+json"
	if strings.Contains(string(b), `"manifests"`) {
		m.MediaType = "application/vnd.oci.image.index.v1+json"
	}
	return m, nil
}

func (f *fake) HeadBlob(_ context.Context, _ ref.TargetImage, b registry.Blob) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blobHeads++
	if !f.blobs[b.Digest] {
		return &registry.Error{Side: registry.Target, Op: "head", Class: registry.NotFound}
	}
	return nil
}

func sum(s string) digest.Digest { return digest.FromString(s) }

// planned is a plan for team/api with the given references.
func planned(references ...document.PlannedReference) document.Plan {
	slices.SortFunc(references, func(a, b document.PlannedReference) int { return cmp.Compare(a.Digest, b.Digest) })
	return document.Plan{Images: []document.PlannedImage{{Target: target, Sources: []ref.Repository{source}, References: references}}}
}

func reference(content string, tags ...string) document.PlannedReference {
	return document.PlannedReference{Digest: sum(content), Tags: tags}
}

// listed is an inventory whose target shows the given images.
func listed(images ...document.TargetImage) document.Inventory {
	inv := document.Inventory{}
	inv.Target.Repositories = []document.TargetRepository{{URI: repo}}
	for _, i := range images {
		i.URI = target
		inv.Target.Images = append(inv.Target.Images, i)
	}
	return inv
}

func shown(content string, tags ...string) document.TargetImage {
	return document.TargetImage{Digest: sum(content), Tags: tags}
}

func run(t interface {
	Helper()
	Fatal(...any)
}, c Config) document.Verification {
	t.Helper()
	c.Now, c.Logger = func() time.Time { return now }, slog.New(slog.DiscardHandler)
	v, err := Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// holding adds what a source repository holds.
func holding(inv document.Inventory, r ref.Repository, images ...document.SourceImage) document.Inventory {
	for _, i := range images {
		i.URI, i.Name = r, r.Name
		inv.Source.Images = append(inv.Source.Images, i)
	}
	return inv
}

func held(content string, tags ...string) document.SourceImage {
	return document.SourceImage{Digest: sum(content), Tags: tags}
}

// yesterday is a verification that found tags, each with its content.
func yesterday(tags map[string]string) *document.Verification {
	r := document.VerifiedRepository{Source: source, Target: target, VerifiedAt: now.Add(-24 * time.Hour)}
	for tag, content := range tags {
		r.Tags = append(r.Tags, document.VerifiedTag{Tag: tag, Digest: sum(content)})
	}
	return &document.Verification{Repositories: []document.VerifiedRepository{r}}
}
