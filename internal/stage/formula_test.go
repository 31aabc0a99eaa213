package stage

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
)

// minimum is what no client can do without to bring a corpus into an empty target: 2 requests to read each unique blob,
// 2 to upload it, a mount for each further place, a PUT for each reference, and a page for each listing.
type minimum struct {
	unique, further, references, pages int
	described                          int // tagged images that others describe: a tag shall not appear before those, so they go by digest first
}

func (m minimum) requests() int { return 4*m.unique + m.further + m.references + m.pages }

func minimumOf(t *testing.T, c *corpus.Corpus) minimum {
	t.Helper()
	m := minimum{pages: 2 + len(c.Repositories)} // no repository has more than a page of images
	seen := map[digest.Digest]bool{}
	for _, repo := range c.Repositories {
		parents := map[digest.Digest][]digest.Digest{}
		here, described := map[digest.Digest]bool{}, map[digest.Digest]bool{}
		for _, img := range repo.Images {
			if img.Archived {
				continue
			}
			m.references += max(1, len(img.Tags))
			for _, tag := range img.Tags {
				if rest, ok := strings.CutPrefix(tag, "sha256-"); ok {
					hex, _, _ := strings.Cut(rest, ".")
					described[digest.NewDigestFromEncoded(digest.SHA256, hex)] = true
				}
			}
			described[img.Subject] = true
			var content struct {
				Config    ocispec.Descriptor   `json:"config"`
				Layers    []ocispec.Descriptor `json:"layers"`
				Manifests []ocispec.Descriptor `json:"manifests"`
			}
			if err := json.Unmarshal(img.Manifest, &content); err != nil {
				t.Fatal(err)
			}
			for _, child := range content.Manifests {
				parents[child.Digest] = append(parents[child.Digest], img.Digest)
			}
			for _, d := range append(content.Layers, content.Config) {
				if d.Digest != "" && len(d.URLs) == 0 {
					here[d.Digest] = true
				}
			}
		}
		for child := range maps.Clone(described) {
			for _, parent := range parents[child] {
				described[parent] = true
			}
		}
		for _, img := range repo.Images {
			if described[img.Digest] && len(img.Tags) > 0 {
				m.described++
			}
		}
		for d := range here {
			if seen[d] {
				m.further++
			} else {
				seen[d] = true
				m.unique++
			}
		}
	}
	return m
}

// A cold copy takes no more requests than the least, plus two in a hundred: for manifests, a hundred a request and once
// each for the plan and for the copy, for credentials, and for what a registry must be asked once.
func TestRequestsOfAColdCopy(t *testing.T) {
	spec := corpus.Standard()
	spec.LayerBytes = 1 << 10 // requests are all that counts here
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	p := pipeline(t, w)
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Plan(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Provision(t.Context(), ProvisionOptions{}, Hooks{}); err != nil {
		t.Fatal(err)
	}
	results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
	if err != nil || results.Failed > 0 {
		t.Fatalf("%v, %d failed", err, results.Failed)
	}
	counts, least := w.Sim.Counts(), minimumOf(t, corpus.Generate(spec))
	t.Logf("%d requests, the least is %d: %+v\n%s", counts.Total(), least.requests(), least, counts)
	if most := least.requests() * 102 / 100; counts.Total() > most {
		t.Errorf("%d requests, want at most %d", counts.Total(), most)
	}
	for kind, want := range map[string]int{
		"ecr.v2.blob": least.unique, "s3": least.unique, "ar.v2.mount": least.further, "ar.v2.manifest.put": least.references + least.described,
		"ar.v2.upload.put": least.unique,
	} {
		if got := counts.Of(kind); got != want {
			t.Errorf("%d requests %s, want %d", got, kind, want)
		}
	}
}
