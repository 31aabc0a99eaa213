package corpus

import (
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// format is a family of media types.
type format struct{ manifest, list, config, layer string }

func ociFormat() format {
	return format{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageLayerGzip}
}

func dockerFormat() format { return format{dockerManifest, dockerList, dockerConfig, dockerLayer} }

func platforms() []ocispec.Platform {
	return []ocispec.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64", Variant: "v8"}}
}

// image adds one platform's image.
func (s *shelf) image(f format, p ocispec.Platform, layers []ocispec.Descriptor, comment string, tags ...string) ocispec.Descriptor {
	d := s.manifest(ocispec.Manifest{MediaType: f.manifest, Config: s.config(f.config, p, layers, comment), Layers: layers}, tags...)
	d.Platform = &p
	return d
}

// attestation adds what BuildKit adds to an index for each platform: the provenance and the bill of materials.
func (s *shelf) attestation(of ocispec.Descriptor) ocispec.Descriptor {
	unknown := ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	var layers []ocispec.Descriptor
	for _, predicate := range []string{"https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document"} {
		l := s.content("application/vnd.in-toto+json", statement(of, predicate))
		l.Annotations = map[string]string{"in-toto.io/predicate-type": predicate}
		layers = append(layers, l)
	}
	d := s.image(ociFormat(), unknown, layers, "attestation")
	d.Annotations = map[string]string{"vnd.docker.reference.digest": of.Digest.String(), "vnd.docker.reference.type": "attestation-manifest"}
	return d
}

func statement(of ocispec.Descriptor, predicate string) []byte {
	return encode(map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1", "predicateType": predicate,
		"subject": []any{map[string]any{"name": "image", "digest": map[string]string{"sha256": of.Digest.Encoded()}}},
	})
}

// application is how a service's releases are built.
type application struct {
	base    string
	format  format
	attests bool
	deps    map[string]ocispec.Descriptor // by architecture: the layer that all releases share
}

// release adds one release for all platforms.
func (s *shelf) release(app *application, comment string, tags ...string) ocispec.Descriptor {
	if app.deps == nil {
		app.deps = map[string]ocispec.Descriptor{}
	}
	var children, attestations []ocispec.Descriptor
	for _, p := range platforms() {
		if _, ok := app.deps[p.Architecture]; !ok {
			app.deps[p.Architecture] = s.layer(app.format.layer, 2)
		}
		layers := append(s.base(app.base, p.Architecture, app.format.layer), app.deps[p.Architecture],
			s.empty(app.format.layer), s.layer(app.format.layer, 1))
		child := s.image(app.format, p, layers, comment)
		children = append(children, child)
		if app.attests {
			attestations = append(attestations, s.attestation(child))
		}
	}
	return s.list(ocispec.Index{MediaType: app.format.list, Manifests: append(children, attestations...)}, tags...)
}

// service fills a repository with releases of a multi-platform application.
func service(app application) func(*shelf) {
	return func(s *shelf) {
		for i := range s.spec.Releases {
			s.release(&app, fmt.Sprintf("1.%d.0", i), s.releaseTags(i)...)
		}
	}
}

// releaseTags are the tags of release i: version, commit and week, and on the last one those that move.
func (s *shelf) releaseTags(i int) []string {
	tags := []string{fmt.Sprintf("1.%d.0", i), fmt.Sprintf("git-%08x", s.number.Uint32()), fmt.Sprintf("2025-w%02d", 2+i)}
	if i == s.spec.Releases-1 {
		tags = append(tags, "latest", "prod")
	}
	return tags
}

// tool fills a repository with single-platform images, some of which lost their tag to the next.
func tool(base string, f format) func(*shelf) {
	return func(s *shelf) {
		p := platforms()[0]
		deps := s.layer(f.layer, 2)
		for i := range 2 * s.spec.Releases {
			layers := append(s.base(base, p.Architecture, f.layer), deps, s.layer(f.layer, 1))
			comment := fmt.Sprintf("build %d", i)
			tags := []string{fmt.Sprintf("build-%d", 100+i), fmt.Sprintf("git-%08x", s.number.Uint32())}
			if i%5 == 3 {
				tags = nil
			}
			if i == 2*s.spec.Releases-1 {
				tags = append(tags, "latest")
			}
			s.image(f, p, layers, comment, tags...)
		}
	}
}

// baseImages fills a repository with the base images that others are built on.
func baseImages(name string, f format) func(*shelf) {
	return func(s *shelf) {
		for i := range s.spec.Releases {
			var children []ocispec.Descriptor
			for _, p := range platforms() {
				layers := s.base(name, p.Architecture, f.layer)
				if i > 0 {
					layers = append(slices.Clone(layers[:2]), s.layer(f.layer, 2))
				}
				children = append(children, s.image(f, p, layers, fmt.Sprint(i)))
			}
			tags := []string{fmt.Sprintf("3.%d", i), fmt.Sprintf("3.%d-slim", i)}
			if i == 0 {
				tags = append(tags, "3", "stable")
			}
			s.list(ocispec.Index{MediaType: f.list, Manifests: children}, tags...)
		}
	}
}
