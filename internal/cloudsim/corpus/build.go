package corpus

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	dockerManifest     = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList         = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfig       = "application/vnd.docker.container.image.v1+json"
	dockerLayer        = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	dockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

	// emptyLayer is the gzipped empty tar that builders write for an instruction that changes no file.
	emptyLayer = "1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000"
)

// builder generates one corpus. All its randomness is one stream, so the order of its calls is part of the result.
type builder struct {
	spec   Spec
	random *rand.ChaCha8
	number *rand.Rand
	clock  time.Time
	blobs  map[digest.Digest][]byte
	bases  map[string][]ocispec.Descriptor // base layers by name and platform
	repos  []Repository
	sizes  map[digest.Digest]int64 // of images, for their indexes
}

// Generate makes the corpus of a Spec: the same bytes for the same Spec, on every machine.
func Generate(spec Spec) *Corpus {
	if spec.Start.IsZero() {
		spec.Start = time.Date(2025, 1, 6, 9, 0, 0, 0, time.UTC)
	}
	if spec.Releases <= 0 {
		spec.Releases = 2
	}
	if spec.LayerBytes <= 0 {
		spec.LayerBytes = 16 << 10
	}
	var seed [32]byte
	copy(seed[:], "transship corpus")
	binary.LittleEndian.PutUint64(seed[24:], spec.Seed)
	b := &builder{
		spec: spec, random: rand.NewChaCha8(seed), clock: spec.Start,
		blobs: map[digest.Digest][]byte{}, bases: map[string][]ocispec.Descriptor{}, sizes: map[digest.Digest]int64{},
	}
	b.number = rand.New(b.random)
	switch {
	case spec.Case != "":
		b.repository("case/"+spec.Case, cases()[spec.Case])
	case spec.Flat != (Grid{}):
		b.flat()
	default:
		b.company()
	}
	slices.SortFunc(b.repos, func(a, b Repository) int { return strings.Compare(a.Name, b.Name) })
	return &Corpus{Repositories: b.repos, Blobs: b.blobs}
}

// shelf is a repository that is being filled.
type shelf struct {
	*builder
	name   string
	images []Image
	index  map[digest.Digest]int // of images
	blobs  map[digest.Digest]bool
}

// repository adds one repository and lets fill fill it.
func (b *builder) repository(name string, fill func(*shelf)) {
	s := &shelf{builder: b, name: name, index: map[digest.Digest]int{}, blobs: map[digest.Digest]bool{}}
	fill(s)
	for i := range s.images {
		slices.Sort(s.images[i].Tags)
	}
	b.repos = append(b.repos, Repository{Name: name, Images: s.images, Blobs: slices.Sorted(maps.Keys(s.blobs))})
}

// bytes returns n random bytes, which do not compress.
func (b *builder) bytes(n int) []byte {
	p := make([]byte, n)
	_, _ = b.random.Read(p)
	return p
}

// content registers a blob and returns its descriptor.
func (b *builder) content(mediaType string, p []byte) ocispec.Descriptor {
	d := digest.FromBytes(p)
	b.blobs[d] = p
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(p))}
}

// layer returns a new layer of factor times the Spec's mean size, give or take half.
func (b *builder) layer(mediaType string, factor float64) ocispec.Descriptor {
	mean := factor * float64(b.spec.LayerBytes)
	return b.content(mediaType, b.bytes(max(64, int(mean*(0.5+b.number.Float64())))))
}

// empty returns the well-known empty layer.
func (b *builder) empty(mediaType string) ocispec.Descriptor {
	p, err := hex.DecodeString(emptyLayer)
	if err != nil {
		p = nil // the constant is right: a test says so
	}
	return b.content(mediaType, p)
}

// base returns the layers of a base image for a platform, the same for all who ask.
func (b *builder) base(name, arch, mediaType string) []ocispec.Descriptor {
	key := name + "/" + arch
	layers, ok := b.bases[key]
	if !ok {
		for i := range 3 {
			layers = append(layers, b.layer(mediaType, 4/float64(i+1)))
		}
		b.bases[key] = layers
	}
	out := slices.Clone(layers)
	for i := range out {
		out[i].MediaType = mediaType // the bytes are the same gzipped tar under both names
	}
	return out
}

// config returns a valid image config for those layers.
func (b *builder) config(mediaType string, p ocispec.Platform, layers []ocispec.Descriptor, comment string) ocispec.Descriptor {
	created := b.clock
	img := ocispec.Image{
		Created: &created, Platform: p,
		Config:  ocispec.ImageConfig{Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin"}, Entrypoint: []string{"/app"}, Labels: map[string]string{"org.opencontainers.image.version": comment}},
		RootFS:  ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}},
		History: []ocispec.History{},
	}
	for _, l := range layers {
		img.RootFS.DiffIDs = append(img.RootFS.DiffIDs, digest.FromString("uncompressed "+l.Digest.String()))
		img.History = append(img.History, ocispec.History{Created: &created, CreatedBy: "COPY . /", Comment: comment})
	}
	return b.content(mediaType, encode(img))
}

// encode returns v as JSON; the types here cannot fail to be.
func encode(v any) []byte {
	p, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("corpus: %v", err))
	}
	return p
}

// put adds a manifest, or tags to one that is there. Its digest is that of its bytes, unless it has one.
func (s *shelf) put(img Image, tags ...string) ocispec.Descriptor {
	if img.Digest == "" {
		img.Digest = digest.FromBytes(img.Manifest)
	}
	i, ok := s.index[img.Digest]
	if !ok {
		s.clock = s.clock.Add(time.Duration(20+s.number.IntN(600)) * time.Minute)
		img.PushedAt = s.clock
		if s.number.IntN(3) > 0 {
			img.LastPulled = s.clock.Add(time.Duration(1+s.number.IntN(90)) * 24 * time.Hour)
		}
		i = len(s.images)
		s.index[img.Digest] = i
		s.images = append(s.images, img)
		s.sizes[img.Digest] = img.Size
	}
	s.images[i].Tags = append(s.images[i].Tags, tags...)
	return ocispec.Descriptor{MediaType: img.MediaType, Digest: img.Digest, Size: int64(len(img.Manifest)), ArtifactType: ""}
}

// manifest adds an image manifest.
func (s *shelf) manifest(m ocispec.Manifest, tags ...string) ocispec.Descriptor {
	m.Versioned = specs.Versioned{SchemaVersion: 2}
	img := Image{MediaType: m.MediaType, ArtifactType: m.ArtifactType, Size: m.Config.Size}
	if img.ArtifactType == "" {
		img.ArtifactType = m.Config.MediaType
	}
	if m.Subject != nil {
		img.Subject = m.Subject.Digest
	}
	s.blobs[m.Config.Digest] = true
	for _, l := range m.Layers {
		img.Size += l.Size
		if len(l.URLs) == 0 {
			s.blobs[l.Digest] = true
		}
	}
	img.Manifest = encode(m)
	return s.put(img, tags...)
}

// list adds an index of that media type.
func (s *shelf) list(m ocispec.Index, tags ...string) ocispec.Descriptor {
	m.Versioned = specs.Versioned{SchemaVersion: 2}
	img := Image{MediaType: m.MediaType, ArtifactType: m.ArtifactType}
	if m.Subject != nil {
		img.Subject = m.Subject.Digest
	}
	for _, child := range m.Manifests {
		img.Size = max(img.Size, s.sizes[child.Digest])
	}
	img.Manifest = encode(m)
	return s.put(img, tags...)
}
