package corpus

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The cases that more than the list of Cases needs to know of.
const (
	CaseSchema1        = "schema-1"         // signed, its digest of the payload, and without a signature
	CaseSchema1ByBytes = "schema-1-raw"     // signed, its digest of all bytes
	CaseLayerIndex     = "index-of-layers"  // a build cache of old
	CaseThousandTags   = "thousand-tags"    // on one image, the most that ECR takes
	CaseLargest        = "largest-manifest" // of 4 MiB, the most that ECR takes
)

const (
	dockerSchema1  = "application/vnd.docker.distribution.manifest.v1+json"
	dockerSigned1  = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	maxCaseTags    = 1000
	largestBytes   = 4 << 20
	cacheConfig    = "application/vnd.buildkit.cacheconfig.v0"
	cosignTagHash  = "sha256-"
	simpleSigning  = "application/vnd.dev.cosign.simplesigning.v1+json"
	dsseEnvelope   = "application/vnd.dsse.envelope.v1+json"
	sbomMediaType  = "application/vnd.cyclonedx+json"
	notaryArtifact = "application/vnd.cncf.notary.signature"
)

// Case is a small corpus of one kind of content, in the one repository "case/NAME". See Cases.
func Case(name string) Spec { return Spec{Seed: 4, LayerBytes: 2 << 10, Case: name} }

// Cases are the names that Case knows, sorted.
func Cases() []string { return slices.Sorted(maps.Keys(cases())) }

func cases() map[string]func(*shelf) {
	return map[string]func(*shelf){
		"artifacts":                 artifacts("application/vnd.example.model.v1"),
		"charts":                    charts("web"),
		"docker-and-oci":            sideBySide,
		"indexes-in-indexes":        nested,
		"untagged":                  untagged,
		"tags-on-one-digest":        func(s *shelf) { s.many(12) },
		CaseThousandTags:            func(s *shelf) { s.many(maxCaseTags) },
		"signature-tags":            signatureTags,
		"referrers":                 referrers,
		"empty-and-repeated-layers": oddLayers,
		"foreign-layers":            foreignLayers,
		"zstd-layers":               trainer,
		CaseLargest:                 largest,
		CaseSchema1:                 schema1,
		CaseSchema1ByBytes:          func(s *shelf) { s.signed1(true, "raw") },
		CaseLayerIndex:              layerIndex,
		"attestations-in-the-index": service(application{base: "jre", format: ociFormat(), attests: true}),
		"an-index-that-describes":   describingIndex,
		"an-empty-index": func(s *shelf) {
			s.list(ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{}}, "empty")
		},
		"a-type-only-in-the-answer":  unnamed,
		"every-oddity-of-the-others": signed,
	}
}

// simple adds an image of one layer.
func (s *shelf) simple(f format, comment string, tags ...string) ocispec.Descriptor {
	return s.image(f, platforms()[0], []ocispec.Descriptor{s.layer(f.layer, 1)}, comment, tags...)
}

// sideBySide has the same layers in images and indexes of both families.
func sideBySide(s *shelf) {
	oci, docker := ociFormat(), dockerFormat()
	for n, f := range []format{oci, docker} {
		var children []ocispec.Descriptor
		for _, p := range platforms() {
			children = append(children, s.image(f, p, append(s.base("jre", p.Architecture, f.layer), s.layer(f.layer, 1)), "side by side"))
		}
		s.list(ocispec.Index{MediaType: f.list, Manifests: children}, fmt.Sprintf("family-%d", n))
		s.simple(f, "single", fmt.Sprintf("single-%d", n))
	}
}

// nested has an index within an index within an index, and a child that two of them list.
func nested(s *shelf) {
	f := ociFormat()
	one, two, three := s.simple(f, "one"), s.simple(f, "two"), s.simple(f, "three", "three")
	inner := s.list(ocispec.Index{MediaType: f.list, Manifests: []ocispec.Descriptor{one, two}})
	middle := s.list(ocispec.Index{MediaType: f.list, Manifests: []ocispec.Descriptor{inner, three}}, "middle")
	s.list(ocispec.Index{MediaType: f.list, Manifests: []ocispec.Descriptor{middle, one}}, "outer")
}

func untagged(s *shelf) {
	app := application{base: "node", format: ociFormat()}
	s.release(&app, "lost")
	s.simple(dockerFormat(), "lost too")
	s.simple(ociFormat(), "kept", "kept")
}

// many adds an image with n tags.
func (s *shelf) many(n int) {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf("v%04d", i)
	}
	s.simple(ociFormat(), "many", tags...)
}

func signatureTags(s *shelf) {
	app := application{base: "jre", format: ociFormat()}
	index := s.release(&app, "1", "1.0", "latest")
	child := s.descriptor(0)
	for _, d := range []ocispec.Descriptor{index, child} {
		tag := cosignTagHash + d.Digest.Encoded()
		s.cosign(tag+".sig", simpleSigning)
		s.cosign(tag+".att", dsseEnvelope)
		s.cosign(tag+".sbom", "text/spdx+json")
	}
	attached := s.artifact(sbomMediaType, &index, []ocispec.Descriptor{s.layer(sbomMediaType, 1)})
	s.list(ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{attached}}, cosignTagHash+index.Digest.Encoded())
}

// referrers describe an index, its child, and one of themselves.
func referrers(s *shelf) {
	app := application{base: "jre", format: ociFormat()}
	index := s.release(&app, "1", "1.0")
	child := s.descriptor(0)
	sbom := s.artifact(sbomMediaType, &index, []ocispec.Descriptor{s.layer(sbomMediaType, 1)})
	signature := s.artifact(notaryArtifact, &sbom, []ocispec.Descriptor{s.layer("application/jose+json", 1)})
	s.artifact(notaryArtifact, &signature, []ocispec.Descriptor{s.layer("application/jose+json", 1)})
	s.artifact(sbomMediaType, &child, []ocispec.Descriptor{s.layer(sbomMediaType, 1)})
	s.artifact(sbomMediaType, &index, []ocispec.Descriptor{s.layer(sbomMediaType, 1)}, "sbom")
}

// describingIndex is an index with a subject.
func describingIndex(s *shelf) {
	image := s.simple(ociFormat(), "image", "1.0")
	part := s.artifact(sbomMediaType, nil, []ocispec.Descriptor{s.layer(sbomMediaType, 1)})
	s.list(ocispec.Index{
		MediaType: ocispec.MediaTypeImageIndex, ArtifactType: sbomMediaType, Manifests: []ocispec.Descriptor{part},
		Subject: &ocispec.Descriptor{MediaType: image.MediaType, Digest: image.Digest, Size: image.Size},
	})
}

// oddLayers has the well-known empty layer, a layer of no bytes, and layers that are there several times.
func oddLayers(s *shelf) {
	for n, f := range []format{ociFormat(), dockerFormat()} {
		again, nothing := s.layer(f.layer, 1), s.content(f.layer, []byte{})
		layers := []ocispec.Descriptor{again, s.empty(f.layer), again, nothing, s.empty(f.layer), again, nothing}
		s.image(f, platforms()[0], layers, "odd", fmt.Sprintf("odd-%d", n))
	}
}

// foreignLayers has layers that others keep, in both families.
func foreignLayers(s *shelf) {
	docker, oci := dockerFormat(), ociFormat()
	for n, mediaType := range []string{dockerForeignLayer, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"} {
		f := []format{docker, oci}[n]
		d := digest.FromString("elsewhere " + mediaType)
		foreign := ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: 1 << 30, URLs: []string{"https://layers.example.com/" + d.Encoded()}}
		s.image(f, ocispec.Platform{OS: "windows", Architecture: "amd64"}, []ocispec.Descriptor{foreign, s.layer(f.layer, 1)}, "windows", fmt.Sprintf("windows-%d", n))
	}
}

// largest has a manifest of the most bytes that there can be.
func largest(s *shelf) {
	f := ociFormat()
	layers := []ocispec.Descriptor{s.layer(f.layer, 1)}
	m := ocispec.Manifest{MediaType: f.manifest, Config: s.config(f.config, platforms()[0], layers, "large"), Layers: layers, Annotations: map[string]string{"padding": ""}}
	m.SchemaVersion = 2
	m.Annotations["padding"] = strings.Repeat("x", largestBytes-len(encode(m)))
	s.manifest(m, "largest")
}

// layerIndex is a cache as BuildKit wrote it before it made images of them: an index of layers and a config.
func layerIndex(s *shelf) {
	f := ociFormat()
	entries := []ocispec.Descriptor{s.layer(f.layer, 1), s.layer(f.layer, 1), s.content(cacheConfig, []byte(`{"layers":[],"records":[]}`))}
	for _, d := range entries {
		s.blobs[d.Digest] = true
	}
	s.list(ocispec.Index{MediaType: f.list, Manifests: entries}, "buildcache")
}

// unnamed is a manifest that does not say what it is: OCI lets it.
func unnamed(s *shelf) {
	f := ociFormat()
	layers := []ocispec.Descriptor{s.layer(f.layer, 1)}
	m := ocispec.Manifest{Config: s.config(f.config, platforms()[0], layers, "unnamed"), Layers: layers}
	m.SchemaVersion = 2
	for _, d := range append(layers, m.Config) {
		s.blobs[d.Digest] = true
	}
	s.put(Image{MediaType: f.manifest, Manifest: encode(m), ArtifactType: f.config}, "unnamed")
}

// schema1 has images of Docker's first format, with a signature and without.
func schema1(s *shelf) {
	s.signed1(false, "signed", "signed-too")
	payload := s.payload1("unsigned")
	s.put(Image{MediaType: dockerSchema1, Manifest: payload}, "unsigned")
}

// payload1 is an unsigned manifest of Docker's first format. Its layers are listed last first, the empty one twice.
func (s *shelf) payload1(tag string) []byte {
	type layer struct {
		Digest digest.Digest `json:"blobSum"`
	}
	type history struct {
		V1 string `json:"v1Compatibility"`
	}
	empty := s.empty(dockerFormat().layer)
	m := struct {
		SchemaVersion int       `json:"schemaVersion"`
		Name          string    `json:"name"`
		Tag           string    `json:"tag"`
		Architecture  string    `json:"architecture"`
		Layers        []layer   `json:"fsLayers"`
		History       []history `json:"history"`
	}{SchemaVersion: 1, Name: s.name, Tag: tag, Architecture: "amd64"}
	for _, d := range []ocispec.Descriptor{empty, s.layer(dockerFormat().layer, 1), empty, s.layer(dockerFormat().layer, 1)} {
		s.blobs[d.Digest] = true
		m.Layers = append(m.Layers, layer{d.Digest})
		m.History = append(m.History, history{fmt.Sprintf(`{"id":"%s"}`, d.Digest.Encoded())})
	}
	p, _ := json.MarshalIndent(m, "", "   ") // strings and numbers always marshal
	return p
}

// signed1 adds a signed manifest of Docker's first format, under the digest of its payload or of all its bytes.
func (s *shelf) signed1(byBytes bool, tags ...string) {
	payload := s.payload1(tags[0])
	body, _ := bytes.CutSuffix(payload, []byte("\n}"))
	encoding := base64.RawURLEncoding
	header := encode(map[string]any{"formatLength": len(body), "formatTail": encoding.EncodeToString([]byte("\n}")), "time": "2015-06-01T12:00:00Z"})
	signature, _ := json.MarshalIndent([]any{map[string]any{ // nobody checks it any more: random bytes will do
		"header":    map[string]any{"alg": "ES256", "jwk": map[string]string{"crv": "P-256", "kty": "EC"}},
		"signature": encoding.EncodeToString(s.bytes(64)), "protected": encoding.EncodeToString(header),
	}}, "   ", "   ")
	img := Image{MediaType: dockerSigned1, Manifest: slices.Concat(body, []byte(",\n   \"signatures\": "), signature, []byte("\n}"))}
	if !byBytes {
		img.Digest = digest.FromBytes(payload)
	}
	s.put(img, tags...)
}
