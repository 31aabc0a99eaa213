package corpus

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/store"
)

func presets() map[string]Spec {
	return map[string]Spec{"demo": Demo(), "standard": Standard(), "flat": Flat(3, 20)}
}

func TestCounts(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	tests := map[string]struct {
		repositories         int
		manifests, tags      [2]int
		blobs                [2]int
		lowBytes, highBytes  int64
		sharedByRepositories bool
	}{
		"demo":     {26, [2]int{140, 180}, [2]int{140, 180}, [2]int{300, 400}, 8 * mib, 15 * mib, true},
		"standard": {26, [2]int{380, 420}, [2]int{320, 345}, [2]int{740, 790}, 70 * mib, 80 * mib, true},
		"flat":     {3, [2]int{60, 60}, [2]int{60, 60}, [2]int{121, 121}, 1 * kib, 100 * kib, true},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			got := Generate(presets()[name]).Stats()
			t.Logf("%+v", got)
			within := func(what string, n int, r [2]int) {
				if n < r[0] || n > r[1] {
					t.Errorf("%d %s, want %d to %d", n, what, r[0], r[1])
				}
			}
			within("repositories", got.Repositories, [2]int{want.repositories, want.repositories})
			within("manifests", got.Manifests, want.manifests)
			within("tags", got.Tags, want.tags)
			within("blobs", got.Blobs, want.blobs)
			if got.Bytes < want.lowBytes || got.Bytes > want.highBytes {
				t.Errorf("%d bytes, want %d to %d", got.Bytes, want.lowBytes, want.highBytes)
			}
			if want.sharedByRepositories && got.Places <= got.Blobs {
				t.Errorf("%d places of %d blobs: none is shared", got.Places, got.Blobs)
			}
		})
	}
}

func TestDeterministic(t *testing.T) {
	for name, spec := range presets() {
		// Blobs are compared by digest: TestClosed checks that those are right.
		a, b := Generate(spec), Generate(spec)
		if !reflect.DeepEqual(a.Repositories, b.Repositories) || !maps.EqualFunc(a.Blobs, b.Blobs, bytes.Equal) {
			t.Errorf("%s: two runs differ", name)
		}
	}
	other := Demo()
	other.Seed++
	shared := 0
	b := Generate(other).Blobs
	for d, p := range Generate(Demo()).Blobs {
		if _, ok := b[d]; ok && len(p) >= 64 && !json.Valid(p) {
			shared++
		}
	}
	if shared != 0 {
		t.Errorf("two seeds share %d layers", shared)
	}
}

// TestClosed checks that each repository can be pushed in its order: every digest is right, and what a manifest needs
// came before it.
func TestClosed(t *testing.T) {
	for name, spec := range presets() {
		c := Generate(spec)
		for d, p := range c.Blobs {
			if digest.FromBytes(p) != d {
				t.Fatalf("%s: blob %s has another digest", name, d)
			}
		}
		for _, repo := range c.Repositories {
			checkRepository(t, c, repo)
		}
	}
}

func checkRepository(t *testing.T, c *Corpus, repo Repository) {
	t.Helper()
	blobs, seen, tags := map[digest.Digest]bool{}, map[digest.Digest]bool{}, map[string]bool{}
	for _, d := range repo.Blobs {
		blobs[d] = true
		if _, ok := c.Blobs[d]; !ok {
			t.Errorf("%s: blob %s is not in the corpus", repo.Name, d)
		}
	}
	needed := map[digest.Digest]bool{}
	for _, img := range repo.Images {
		var m struct {
			MediaType string
			Config    *ocispec.Descriptor
			Layers    []ocispec.Descriptor
			Manifests []ocispec.Descriptor
			Subject   *ocispec.Descriptor
		}
		if err := json.Unmarshal(img.Manifest, &m); err != nil {
			t.Fatalf("%s: %v", repo.Name, err)
		}
		if digest.FromBytes(img.Manifest) != img.Digest || m.MediaType != img.MediaType || seen[img.Digest] {
			t.Errorf("%s: manifest %s: wrong digest, wrong media type, or twice", repo.Name, img.Digest)
		}
		seen[img.Digest] = true
		for _, tag := range img.Tags {
			if tags[tag] {
				t.Errorf("%s: tag %s twice", repo.Name, tag)
			}
			tags[tag] = true
		}
		if m.Config != nil {
			m.Layers = append(m.Layers, *m.Config)
			if strings.Contains(m.Config.MediaType, "image") {
				checkConfig(t, c.Blobs[m.Config.Digest], len(m.Layers)-1)
			}
		}
		for _, d := range m.Layers {
			needed[d.Digest] = needed[d.Digest] || len(d.URLs) == 0
			if len(d.URLs) == 0 && (!blobs[d.Digest] || int64(len(c.Blobs[d.Digest])) != d.Size) {
				t.Errorf("%s: %s needs blob %s", repo.Name, img.Digest, d.Digest)
			}
		}
		if m.Subject != nil {
			m.Manifests = append(m.Manifests, *m.Subject)
		}
		for _, d := range m.Manifests {
			if !seen[d.Digest] {
				t.Errorf("%s: %s comes before %s, which it refers to", repo.Name, img.Digest, d.Digest)
			}
		}
	}
	for d := range blobs {
		if !needed[d] {
			t.Errorf("%s: nothing needs blob %s", repo.Name, d)
		}
	}
}

func checkConfig(t *testing.T, p []byte, layers int) {
	t.Helper()
	var img ocispec.Image
	if err := json.Unmarshal(p, &img); err != nil {
		t.Errorf("config: %v", err)
	}
	if len(img.RootFS.DiffIDs) != layers {
		t.Errorf("config has %d diff ids for %d layers", len(img.RootFS.DiffIDs), layers)
	}
}

// TestOddities checks that a corpus has one of each thing that a migration may lose.
func TestOddities(t *testing.T) {
	c := Generate(Demo())
	found := map[string]bool{}
	for _, repo := range c.Repositories {
		found["empty repository"] = found["empty repository"] || len(repo.Images) == 0
		children := map[digest.Digest]bool{}

		for _, img := range repo.Images {
			var m struct {
				Manifests []ocispec.Descriptor
				Layers    []ocispec.Descriptor
				Config    ocispec.Descriptor
			}
			if err := json.Unmarshal(img.Manifest, &m); err != nil {
				t.Fatal(err)
			}
			for _, d := range m.Manifests {
				children[d.Digest] = true
				found["attestation"] = found["attestation"] || d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
			}
			for i, l := range m.Layers {
				found["zstd layer"] = found["zstd layer"] || strings.HasSuffix(l.MediaType, "zstd")
				found["foreign layer"] = found["foreign layer"] || len(l.URLs) > 0
				found["repeated layer"] = found["repeated layer"] || (i > 0 && l.Digest == m.Layers[0].Digest)
				found["empty layer"] = found["empty layer"] || (l.Size == 32 && strings.HasPrefix(l.Digest.Encoded(), "a3ed95caeb02"))
			}
			found["config "+m.Config.MediaType] = true
			found["type "+img.MediaType] = true
			found["archived"] = found["archived"] || img.Archived
			found["several tags"] = found["several tags"] || len(img.Tags) > 10
			found["untagged index"] = found["untagged index"] || (len(m.Manifests) > 0 && len(img.Tags) == 0)
			found["referrer of a child"] = found["referrer of a child"] || (img.Subject != "" && children[img.Subject])
			found["referrer of a referrer"] = found["referrer of a referrer"] || (img.Subject != "" && isReferrer(repo, img.Subject))
			for _, tag := range img.Tags {
				if rest, ok := strings.CutPrefix(tag, "sha256-"); ok {
					_, kind, _ := strings.Cut(rest, ".")
					found["tag sha256-HEX."+kind] = true
				}
			}
		}
	}
	want := []string{
		"empty repository", "attestation", "zstd layer", "foreign layer", "repeated layer", "empty layer", "archived", "several tags",
		"untagged index", "referrer of a child", "referrer of a referrer", "tag sha256-HEX.", "tag sha256-HEX.sig", "tag sha256-HEX.att",
		"tag sha256-HEX.sbom", "config " + ocispec.MediaTypeEmptyJSON, "config application/vnd.cncf.helm.config.v1+json", "config " + dockerConfig,
		"type " + dockerList, "type " + dockerManifest, "type " + ocispec.MediaTypeImageIndex, "type " + ocispec.MediaTypeImageManifest,
	}
	for _, w := range want {
		if !found[w] {
			t.Errorf("no %s", w)
		}
	}
}

func isReferrer(repo Repository, d digest.Digest) bool {
	for _, img := range repo.Images {
		if img.Digest == d {
			return img.Subject != ""
		}
	}
	return false
}

func TestLoad(t *testing.T) {
	c := Generate(Demo())
	loaded := map[string]*store.Repository{}
	archived := 0
	c.Load(func(name string) *store.Repository {
		loaded[name] = store.NewRepository()
		return loaded[name]
	}, Hooks{Image: func(_ string, img Image) {
		if img.Archived {
			archived++
		}
	}})
	if archived != 1 {
		t.Errorf("%d archived images, want 1", archived)
	}
	for _, repo := range c.Repositories {
		got := loaded[repo.Name]
		if got == nil || len(got.Manifests()) != len(repo.Images) || len(got.Blobs()) != len(repo.Blobs) {
			t.Fatalf("%s is not loaded as generated", repo.Name)
		}
		for _, img := range repo.Images {
			for _, tag := range img.Tags {
				if d, _ := got.TagDigest(tag); d != img.Digest {
					t.Errorf("%s:%s is %s, want %s", repo.Name, tag, d, img.Digest)
				}
			}
		}
	}
	if _, ok := c.Repository("team/api"); !ok {
		t.Error("no repository team/api")
	}
	if _, ok := c.Repository("team/nothing"); ok {
		t.Error("a repository team/nothing")
	}
}

func TestNames(t *testing.T) {
	var names []string
	for _, r := range Generate(Demo()).Repositories {
		names = append(names, r.Name)
	}
	all := strings.Join(names, " ")
	for _, part := range []string{"_", "__", ".", "-", "/base/", "2019/"} {
		if !strings.Contains(all, part) {
			t.Errorf("no name with %q among %s", part, all)
		}
	}
}
