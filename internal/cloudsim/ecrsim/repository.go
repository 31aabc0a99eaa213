package ecrsim

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/store"
)

// RepositorySettings are what one may set on a repository. The zero value is ECR's default.
type RepositorySettings struct {
	// CreatedAt is by default the moment of creation.
	CreatedAt time.Time
	// Mutability is MUTABLE (default), IMMUTABLE, IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION.
	Mutability string
	// ExclusionFilters are tag globs, at most five, for the two modes with exclusion.
	ExclusionFilters []string
	// ScanOnPush is the repository's own (deprecated, still common) scan setting.
	ScanOnPush bool
	// EncryptionType is AES256 (default), KMS or KMS_DSSE; KMSKey is the key's ARN with the latter two.
	EncryptionType, KMSKey string
	// Tags are AWS resource tags.
	Tags map[string]string
	// LifecyclePolicy and RepositoryPolicy are JSON texts; "" is none.
	LifecyclePolicy, RepositoryPolicy string
}

// The values of imageStatus.
const (
	StatusActive     = "ACTIVE"
	StatusArchived   = "ARCHIVED"
	StatusActivating = "ACTIVATING"
)

// Repository is one ECR repository. It is safe for concurrent use.
type Repository struct {
	// Content is what the repository holds; it may be changed at any time.
	Content *store.Repository

	name     string
	registry *Registry

	mu       sync.Mutex
	settings RepositorySettings
	states   map[digest.Digest]state
	parsed   map[digest.Digest]manifest
}

// state is what is known of an image besides its manifest. The zero value is an active image that was never pulled.
type state struct {
	status                      string // "" is ACTIVE
	pulled, archived, activated time.Time
}

func newRepository(r *Registry, name string, settings RepositorySettings) *Repository {
	if settings.Mutability == "" {
		settings.Mutability = "MUTABLE"
	}
	if settings.EncryptionType == "" {
		settings.EncryptionType = "AES256"
	}
	return &Repository{
		Content: store.NewRepository(), name: name, registry: r, settings: settings,
		states: map[digest.Digest]state{}, parsed: map[digest.Digest]manifest{},
	}
}

// Name returns the repository's name in its registry.
func (p *Repository) Name() string { return p.name }

// Settings returns the repository's settings.
func (p *Repository) Settings() RepositorySettings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings
}

// Update changes the repository's settings. change must not call the repository.
func (p *Repository) Update(change func(*RepositorySettings)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.settings)
}

// SetStatus makes the image d ACTIVE, ARCHIVED or ACTIVATING.
func (p *Repository) SetStatus(d digest.Digest, status string) {
	now := p.registry.now()
	p.change(d, func(s *state) {
		s.status = status
		switch status {
		case StatusArchived:
			s.archived = now
		case StatusActive:
			s.activated = now
		}
	})
}

// Status returns the status of the image d.
func (p *Repository) Status(d digest.Digest) string {
	if s := p.state(d).status; s != "" {
		return s
	}
	return StatusActive
}

// SetPulledAt sets the last recorded pull of the image d; the zero time is never.
func (p *Repository) SetPulledAt(d digest.Digest, t time.Time) {
	p.change(d, func(s *state) { s.pulled = t })
}

// PulledAt returns the last recorded pull of the image d, or the zero time.
func (p *Repository) PulledAt(d digest.Digest) time.Time { return p.state(d).pulled }

// SetPushedAt sets the push time of the image d, if it is there.
func (p *Repository) SetPushedAt(d digest.Digest, t time.Time) { p.Content.SetPushedAt(d, t) }

func (p *Repository) state(d digest.Digest) state {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.states[d]
}

func (p *Repository) change(d digest.Digest, f func(*state)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.states[d]
	f(&s)
	p.states[d] = s
}

// pull records that d was pulled, if the registry records pulls of its caller.
func (p *Repository) pull(d digest.Digest) {
	if p.registry.recordsPulls() {
		p.SetPulledAt(d, p.registry.now())
	}
}

// forget drops the state of an image that was deleted.
func (p *Repository) forget(d digest.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.states, d)
}

// mayMove says whether tag, which exists, may be pointed at another image. FACTS A5.
func (p *Repository) mayMove(tag string) bool {
	s := p.Settings()
	excluded := slices.ContainsFunc(s.ExclusionFilters, func(glob string) bool {
		ok, _ := path.Match(glob, tag)
		return ok
	})
	switch s.Mutability {
	case "IMMUTABLE":
		return false
	case "IMMUTABLE_WITH_EXCLUSION":
		return excluded
	case "MUTABLE_WITH_EXCLUSION":
		return !excluded
	default:
		return true
	}
}

// manifest is what ECR reads from a manifest's bytes.
type manifest struct {
	MediaType    string               `json:"mediaType"`
	ArtifactType string               `json:"artifactType"`
	Config       *ocispec.Descriptor  `json:"config"`
	Layers       []ocispec.Descriptor `json:"layers"`
	Blobs        []ocispec.Descriptor `json:"blobs"` // of the withdrawn OCI artifact manifest
	Manifests    []ocispec.Descriptor `json:"manifests"`
	Subject      *ocispec.Descriptor  `json:"subject"`
	Annotations  map[string]string    `json:"annotations"`
}

// blobs are the descriptors of all blobs that m needs.
func (m manifest) blobs() []ocispec.Descriptor {
	out := slices.Concat(m.Layers, m.Blobs)
	if m.Config != nil {
		out = append(out, *m.Config)
	}
	return out
}

// artifactType is m's type as an artifact: its own field, or else its config's type.
func (m manifest) artifactType() string {
	if m.ArtifactType != "" || m.Config == nil {
		return m.ArtifactType
	}
	return m.Config.MediaType
}

// parse reads a manifest, or gives the zero manifest for what is none. It remembers: content does not change.
func (p *Repository) parse(sm store.Manifest) manifest {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m, ok := p.parsed[sm.Digest]; ok {
		return m
	}
	var m manifest
	if err := json.Unmarshal(sm.Bytes, &m); err != nil {
		m = manifest{}
	}
	p.parsed[sm.Digest] = m
	return m
}

// size is imageSizeInBytes: config and layers of an image, and of an index the largest of its children (not the sum).
// FACTS A1.
func (p *Repository) size(sm store.Manifest) int64 {
	m := p.parse(sm)
	var sum int64
	for _, b := range m.blobs() {
		sum += b.Size
	}
	for _, child := range m.Manifests {
		if cm, ok := p.Content.Manifest(child.Digest); ok && cm.Digest != sm.Digest {
			var childSize int64
			for _, b := range p.parse(cm).blobs() {
				childSize += b.Size
			}
			sum = max(sum, childSize)
		}
	}
	return sum
}

// isSchema1 says whether mediaType is a manifest of Docker's first format.
func isSchema1(mediaType string) bool {
	return strings.HasPrefix(mediaType, "application/vnd.docker.distribution.manifest.v1+")
}

// isIndex says whether mediaType is an image index or a manifest list.
func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == mediaTypeDockerList
}

const (
	mediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	mediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)
