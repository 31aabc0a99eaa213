package arsim

import (
	"encoding/json"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/store"
)

// The media types of the manifests that the registry knows.
const (
	typeDockerSchema1       = "application/vnd.docker.distribution.manifest.v1+json"
	typeDockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	typeDockerManifest      = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerList          = "application/vnd.docker.distribution.manifest.list.v2+json"
)

func isIndexType(t string) bool { return t == typeDockerList || t == ocispec.MediaTypeImageIndex }

func isManifestType(t string) bool {
	switch t {
	case typeDockerSchema1, typeDockerSchema1Signed, typeDockerManifest, ocispec.MediaTypeImageManifest:
		return true
	}
	return isIndexType(t)
}

// isForeign reports whether a layer's bytes are kept elsewhere and never pushed.
func isForeign(mediaType string) bool {
	return strings.Contains(mediaType, "nondistributable") || strings.Contains(mediaType, "foreign")
}

// body is the part of any manifest that the registry reads.
type body struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	ArtifactType  string               `json:"artifactType"`
	Config        *ocispec.Descriptor  `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
	Manifests     []ocispec.Descriptor `json:"manifests"`
	Subject       *ocispec.Descriptor  `json:"subject"`
	Annotations   map[string]string    `json:"annotations"`
	FSLayers      []struct {
		BlobSum digest.Digest `json:"blobSum"`
	} `json:"fsLayers"`
}

// summary is what a manifest's bytes say.
type summary struct {
	blobs        []digest.Digest // config and layers whose bytes the registry must hold
	children     []ocispec.Descriptor
	size         int64  // FACTS B3 [U]: of an image the sum of config and layers, of an index that of its descriptors
	artifactType string // as the manifest says it
	configType   string
	subject      digest.Digest
	annotations  map[string]string
}

// referrerType is the artifact type that a list of referrers gives.
func (s *summary) referrerType() string { return orDefault(s.artifactType, s.configType) }

func parseBody(mediaType string, raw []byte) (body, error) {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return body{}, err
	}
	if b.MediaType == "" {
		b.MediaType = mediaType
	}
	return b, nil
}

func (b body) summary() *summary {
	s := &summary{artifactType: b.ArtifactType, annotations: b.Annotations}
	if b.Config != nil {
		s.blobs = append(s.blobs, b.Config.Digest)
		s.size += b.Config.Size
		s.configType = b.Config.MediaType
	}
	for _, l := range b.Layers {
		s.size += l.Size
		if !isForeign(l.MediaType) {
			s.blobs = append(s.blobs, l.Digest)
		}
	}
	for _, l := range b.FSLayers {
		s.blobs = append(s.blobs, l.BlobSum)
	}
	for _, d := range b.Manifests {
		s.size += d.Size
		if isManifestType(d.MediaType) {
			s.children = append(s.children, d)
		} else {
			s.blobs = append(s.blobs, d.Digest) // a build cache: an index of layers
		}
	}
	if b.Subject != nil {
		s.subject = b.Subject.Digest
	}
	return s
}

// summary returns what a stored manifest says; nothing, where its bytes cannot be read.
func (c *Cloud) summary(m store.Manifest) *summary {
	if s, ok := c.summaries.Load(m.Digest); ok {
		return s.(*summary)
	}
	b, err := parseBody(m.MediaType, m.Bytes)
	if err != nil {
		return &summary{}
	}
	s := b.summary()
	c.summaries.Store(m.Digest, s)
	return s
}
