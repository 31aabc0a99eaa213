// Package corpus generates registry content of the kinds that real registries hold: multi-platform indexes with
// attestations, Docker and OCI images side by side, shared base layers, charts, artifacts, signatures and referrers.
//
// Vocabulary: a Spec is a seed and a size; a Corpus is what it generates, always the same bytes for the same Spec; a
// repository holds images, each one manifest with its tags. The package knows no cloud: a Corpus is loaded into the
// storage of one.
//
//	Spec ─ Generate ─ Corpus ─ Load ─ store.Repository of each name
package corpus

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

// Spec says what to generate.
type Spec struct {
	// Seed picks the content; two seeds share no layer but the well-known empty ones.
	Seed uint64
	// Start is when the first image was pushed; the others follow over some months. Zero is 6 January 2025.
	Start time.Time
	// Releases is how many releases the applications have; 0 is 2. Manifests, tags and blobs grow with it.
	Releases int
	// LayerBytes is the mean size of an application's layer; 0 is 16 KiB. Base layers are some times larger.
	LayerBytes int
	// Flat replaces all that by Flat.Repositories repositories of Flat.Tags tiny images, each with one tag.
	Flat Grid
	// Case replaces all that by one repository of one kind of content: see Cases. An unknown one is a mistake of the caller.
	Case string
}

// Grid is the shape of a corpus of many tiny images, for tests that count requests.
type Grid struct{ Repositories, Tags int }

// Demo is 26 repositories of some 160 manifests and 10 MB.
func Demo() Spec { return Spec{Seed: 1, Releases: 2, LayerBytes: 44 << 10} }

// Standard is 26 repositories of some 400 manifests, 330 tags and 750 unique blobs, together 75 MB.
func Standard() Spec { return Spec{Seed: 2, Releases: 5, LayerBytes: 194 << 10} }

// Flat is that many repositories of that many tagged images of three small blobs each; one is shared by all.
func Flat(repositories, tags int) Spec {
	return Spec{Seed: 3, Flat: Grid{Repositories: repositories, Tags: tags}}
}

// Corpus is generated content.
type Corpus struct {
	// Repositories are sorted by name.
	Repositories []Repository
	// Blobs is every unique blob.
	Blobs map[digest.Digest][]byte
}

// Repository is one named repository.
type Repository struct {
	Name string
	// Images are in an order in which they can be pushed: children before indexes, subjects before referrers.
	Images []Image
	// Blobs are the digests of all blobs that the images need, sorted; layers that are kept elsewhere are not among them.
	Blobs []digest.Digest
}

// Image is one manifest, whatever it describes.
type Image struct {
	Digest    digest.Digest
	MediaType string
	Manifest  []byte
	Tags      []string // sorted; none for children of indexes, referrers and what lost its tag
	PushedAt  time.Time
	// LastPulled is the zero time for an image that nobody pulled.
	LastPulled time.Time
	// Archived images are in cold storage, where the cloud has such a thing: listed on request, not served.
	Archived bool
	// ArtifactType is the manifest's artifactType, or its config's media type.
	ArtifactType string
	// Subject is what a referrer refers to, "" for other images.
	Subject digest.Digest
	// Size is that of the config and the layers in bytes; of an index the largest of its children.
	Size int64
}

// Repository returns the repository of that name, and whether there is one.
func (c *Corpus) Repository(name string) (Repository, bool) {
	for _, r := range c.Repositories {
		if r.Name == name {
			return r, true
		}
	}
	return Repository{}, false
}

// Stats counts a corpus.
type Stats struct {
	Repositories, Manifests, Tags, Blobs int
	Bytes                                int64 // of the unique blobs
	Places                               int   // blobs counted once per repository that needs them
}

// Stats counts the corpus. A manifest that two repositories hold counts twice.
func (c *Corpus) Stats() Stats {
	s := Stats{Repositories: len(c.Repositories), Blobs: len(c.Blobs)}
	for _, r := range c.Repositories {
		s.Manifests += len(r.Images)
		s.Places += len(r.Blobs)
		for _, img := range r.Images {
			s.Tags += len(img.Tags)
		}
	}
	for _, b := range c.Blobs {
		s.Bytes += int64(len(b))
	}
	return s
}

// Hooks tell a cloud what its storage has no place for. Each may be nil.
type Hooks struct {
	// Image is called for each image after it was stored.
	Image func(repository string, img Image)
}

// Load puts all content into the storage that create returns for each name. Blobs are shared, not copied.
func (c *Corpus) Load(create func(name string) *store.Repository, hooks Hooks) {
	shared := make(map[digest.Digest]store.Blob, len(c.Blobs))
	for d, b := range c.Blobs {
		shared[d] = store.BytesBlob(b)
	}
	for _, repo := range c.Repositories {
		dst := create(repo.Name)
		for _, d := range repo.Blobs {
			dst.PutBlob(d, shared[d])
		}
		for _, img := range repo.Images {
			dst.PutManifest(store.Manifest{Digest: img.Digest, MediaType: img.MediaType, Bytes: slices.Clone(img.Manifest), PushedAt: img.PushedAt})
			for _, tag := range img.Tags {
				dst.Tag(tag, img.Digest)
			}
			if hooks.Image != nil {
				hooks.Image(repo.Name, img)
			}
		}
	}
}
