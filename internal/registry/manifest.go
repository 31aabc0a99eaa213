package registry

import (
	"cmp"
	_ "crypto/sha256" // digests are checked with what is linked in
	_ "crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Media types of Docker's formats, which both clouds hold beside the OCI ones.
const (
	MediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	MediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	MediaTypeDockerSchema1  = "application/vnd.docker.distribution.manifest.v1+json"
	MediaTypeDockerSigned1  = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

// ManifestMediaTypes are the manifests of today. Those of Docker schema 1 can be copied, too, where both sides agree on
// their digest.
func ManifestMediaTypes() []string {
	return []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, MediaTypeDockerManifest, MediaTypeDockerList}
}

// IsIndex reports whether mediaType is a manifest that lists others.
func IsIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == MediaTypeDockerList
}

// MaxManifestBytes bounds a manifest: ECR's own limit for what BatchGetImage returns. FACTS A1 [S].
const MaxManifestBytes = 4 << 20

// maxDescriptors bounds what one manifest may name, so that a hostile one cannot fill the memory. It is more than
// MaxManifestBytes have room for, with media types that are in use.
const maxDescriptors = 30_000

// Manifest is an image's bytes as they travel, never re-encoded.
type Manifest struct {
	Digest    digest.Digest
	MediaType string
	Bytes     []byte
}

// Check says whether the bytes are those of the digest. The digest of a signed schema 1 manifest may be of its payload
// alone: the bytes without the signatures.
func (m Manifest) Check() error {
	if err := CheckDigest(m.Digest); err != nil {
		return fmt.Errorf("the digest %q is not valid: %w", m.Digest, err)
	}
	if got := digestOf(m.Digest.Algorithm(), m.Bytes); got != m.Digest && !m.hasPayload(m.Digest) {
		return fmt.Errorf("the manifest's bytes have the digest %s, not %s", got, m.Digest)
	}
	return nil
}

// SizeUnknown is the size of a blob that its manifest does not tell: a layer of Docker schema 1.
const SizeUnknown = -1

// Blob is a config or a layer that a manifest needs.
type Blob struct {
	Digest digest.Digest
	Size   int64 // bytes, or SizeUnknown
}

// A blob of LargeBlob bytes or more is read in pieces of BlobPiece bytes, a request each. Package oci says why, and package
// estimate counts by it.
const (
	LargeBlob = 32 << 20
	BlobPiece = 4 << 20
)

// Child is a manifest that an index lists.
type Child struct {
	Digest    digest.Digest
	MediaType string
	Size      int64  // bytes
	Platform  string // os/architecture[/variant], empty where the index does not say
}

// Content is what a manifest says.
type Content struct {
	MediaType    string
	ArtifactType string        // its own, or its config's media type where that is not an image's; may be empty
	Children     []Child       // of an index, in its order, without repetition
	Blobs        []Blob        // config first, then layers in their order, without repetition and without foreign ones; of an index, what it lists that is no manifest
	Foreign      []Blob        // layers that are kept elsewhere: their URLs are all that travels
	Subject      digest.Digest // the image that this one describes, or empty
}

type manifestJSON struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	ArtifactType  string               `json:"artifactType"`
	Config        *ocispec.Descriptor  `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
	Blobs         []ocispec.Descriptor `json:"blobs"` // of the withdrawn OCI artifact manifest
	Manifests     []ocispec.Descriptor `json:"manifests"`
	Subject       *ocispec.Descriptor  `json:"subject"`
}

// ParseManifest reads what m says. It checks every descriptor's digest and size, but not m's own digest: Check does
// that. An error means that the manifest cannot be copied as a whole, with the reason.
func ParseManifest(m Manifest) (Content, error) {
	if len(m.Bytes) > MaxManifestBytes {
		return Content{}, fmt.Errorf("the manifest has %d bytes, more than %d", len(m.Bytes), MaxManifestBytes)
	}
	if err := checkLists(m.Bytes); err != nil {
		return Content{}, err
	}
	var j manifestJSON
	if err := json.Unmarshal(m.Bytes, &j); err != nil {
		return Content{}, fmt.Errorf("the manifest is not valid JSON: %w", err)
	}
	mediaType := cmp.Or(m.MediaType, j.MediaType, j.guess())
	switch {
	case j.SchemaVersion == 1 && slices.Contains(ManifestMediaTypes(), mediaType):
		return Content{}, fmt.Errorf("the manifest is served as %s, but is one of Docker schema 1", mediaType)
	case j.SchemaVersion == 1 || IsSchema1(mediaType):
		return parseSchema1(m)
	}
	if j.MediaType != "" && j.MediaType != mediaType {
		return Content{}, fmt.Errorf("the manifest calls itself %.200s, but is served as %.200s", j.MediaType, mediaType)
	}
	if n := len(j.Layers) + len(j.Blobs) + len(j.Manifests); n > maxDescriptors {
		return Content{}, fmt.Errorf("the manifest names %d things, more than %d", n, maxDescriptors)
	}
	c := Content{MediaType: mediaType, ArtifactType: j.ArtifactType}
	var err error
	switch {
	case IsIndex(mediaType):
		c.Children, c.Blobs, err = children(j.Manifests)
	case mediaType == "":
		err = errors.New("the manifest does not say what it is")
	case len(j.Manifests) == 0:
		if c.ArtifactType == "" && j.Config != nil && !isImageConfig(j.Config.MediaType) {
			c.ArtifactType = j.Config.MediaType
		}
		c.Blobs, c.Foreign, err = blobs(j)
	default: // what would be copied of it is anybody's guess
		err = fmt.Errorf("the manifest is served as %.200s, but lists other manifests", mediaType)
	}
	if err == nil && j.Subject != nil {
		c.Subject, err = j.Subject.Digest, checkDescriptor(*j.Subject)
	}
	if err != nil {
		return Content{}, err
	}
	return c, nil
}

// guess is the type of a manifest that neither its bytes nor its server name, by what it has. Only OCI lets it go
// unnamed.
func (j manifestJSON) guess() string {
	switch {
	case j.SchemaVersion == 2 && j.Manifests != nil && j.Config == nil:
		return ocispec.MediaTypeImageIndex
	case j.SchemaVersion == 2 && j.Manifests == nil && j.Config != nil:
		return ocispec.MediaTypeImageManifest
	}
	return ""
}

func isImageConfig(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageConfig || mediaType == "application/vnd.docker.container.image.v1+json"
}

// children divides what an index lists into manifests and blobs.
func children(ds []ocispec.Descriptor) ([]Child, []Blob, error) {
	out := make([]Child, 0, len(ds))
	var blobs []Blob
	seen := make(map[digest.Digest]bool, len(ds))
	for _, d := range ds {
		if err := checkDescriptor(d); err != nil {
			return nil, nil, err
		}
		if seen[d.Digest] {
			continue
		}
		seen[d.Digest] = true
		if isBlob(d.MediaType) {
			blobs = append(blobs, Blob{Digest: d.Digest, Size: d.Size})
			continue
		}
		c := Child{Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}
		if p := d.Platform; p != nil && p.OS != "" {
			c.Platform = strings.TrimRight(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
		}
		out = append(out, c)
	}
	return out, blobs, nil
}

// isBlob reports whether what an index lists under mediaType is no manifest: BuildKit's caches of old are indexes of
// layers and a config.
func isBlob(mediaType string) bool {
	if isImageConfig(mediaType) {
		return true
	}
	for _, prefix := range []string{"application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.", "application/vnd.buildkit.cacheconfig."} {
		if strings.HasPrefix(mediaType, prefix) {
			return true
		}
	}
	return false
}

func blobs(j manifestJSON) (own, foreign []Blob, err error) {
	n := 1 + len(j.Layers) + len(j.Blobs)
	own = make([]Blob, 0, n)
	seen := make(map[digest.Digest]bool, n)
	add := func(d *ocispec.Descriptor) error {
		if err := checkDescriptor(*d); err != nil || seen[d.Digest] {
			return err
		}
		seen[d.Digest] = true
		b := Blob{Digest: d.Digest, Size: d.Size}
		if isForeign(*d) {
			foreign = append(foreign, b)
		} else {
			own = append(own, b)
		}
		return nil
	}
	if j.Config != nil {
		err = add(j.Config)
	}
	for _, list := range [][]ocispec.Descriptor{j.Layers, j.Blobs} {
		for i := range list {
			err = cmp.Or(err, add(&list[i]))
		}
	}
	return own, foreign, err
}

// isForeign reports whether d is a layer that registries do not keep: the base layers of Windows images. Without a URL
// to fetch it from, it must be in the registry after all.
func isForeign(d ocispec.Descriptor) bool {
	if len(d.URLs) == 0 {
		return false
	}
	switch d.MediaType {
	case "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar":
		return true
	}
	return strings.HasPrefix(d.MediaType, "application/vnd.oci.image.layer.nondistributable.v1.")
}

func checkDescriptor(d ocispec.Descriptor) error {
	if err := CheckDigest(d.Digest); err != nil {
		return fmt.Errorf("the manifest names %.100q, which is not a valid digest: %w", d.Digest, err)
	}
	if d.Size < 0 || d.Size > MaxBlobBytes {
		return fmt.Errorf("the manifest gives %s the size %d, which nothing has", d.Digest, d.Size)
	}
	return nil
}

// SubjectOfTag returns the image that a tag of the form sha256-HEX or sha256-HEX.KIND describes: the referrers
// fallback tag, and cosign's signatures (.sig), attestations (.att) and SBOMs (.sbom).
func SubjectOfTag(tag string) (digest.Digest, bool) {
	algorithm, rest, ok := strings.Cut(tag, "-")
	if !ok || (algorithm != "sha256" && algorithm != "sha512") {
		return "", false
	}
	hex, _, _ := strings.Cut(rest, ".")
	d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), hex)
	return d, CheckDigest(d) == nil
}
