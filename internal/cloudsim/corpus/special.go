package corpus

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// company fills the 26 repositories of a company: what teams keep in a registry, and each oddity at least once.
func (b *builder) company() {
	oci, docker := ociFormat(), dockerFormat()
	for _, r := range []struct{ name, base string }{
		{"team/api", "python"}, {"team/api-worker", "python"}, {"team/web", "node"}, {"shop/checkout", "jre"},
		{"shop/cart", "jre"}, {"shop/catalog_search", "python"}, {"billing/invoice__export", "jre"}, {"platform/gateway.v2", "node"},
	} {
		b.repository(r.name, service(application{base: r.base, format: oci, attests: true}))
	}
	b.repository("legacy/monolith", service(application{base: "jre", format: docker}))
	b.repository("legacy/batch-runner", mixed)
	b.repository("team/cron.jobs", tool("python", docker))
	b.repository("tools/ci-runner", tool("node", oci))
	b.repository("tools/db_migrate", tool("jre", docker))
	b.repository("ml/trainer", trainer)
	b.repository("platform/base/python", baseImages("python", oci))
	b.repository("platform/base/node", baseImages("node", oci))
	b.repository("platform/base/jre", baseImages("jre", docker))
	b.repository("data.science/notebook", notebook)
	b.repository("charts/common", charts("common"))
	b.repository("charts/api", charts("api"))
	b.repository("policies/opa-bundle", artifacts("application/vnd.cncf.openpolicyagent.policy.layer.v1+rego"))
	b.repository("models/ranker", artifacts("application/vnd.example.model.v1"))
	b.repository("payments/ledger", signed)
	b.repository("2019/reports", archived)
	b.repository("sandbox/scratch", scratch)
	b.repository("team/not-yet", func(*shelf) {})
}

// mixed holds Docker and OCI releases side by side, as after a change of the build tool.
func mixed(s *shelf) {
	for i := range s.spec.Releases {
		app := application{base: "node", format: dockerFormat()}
		if i%2 == 1 {
			app = application{base: "node", format: ociFormat(), attests: true}
		}
		s.release(&app, fmt.Sprintf("2.%d.0", i), s.releaseTags(i)...)
	}
}

// trainer has large layers, one of them compressed with zstd.
func trainer(s *shelf) {
	weights := s.layer(ocispec.MediaTypeImageLayerZstd, 24)
	for i := range s.spec.Releases {
		layers := append(s.base("python", "amd64", ocispec.MediaTypeImageLayerGzip), weights, s.layer(ocispec.MediaTypeImageLayerZstd, 3))
		s.image(ociFormat(), platforms()[0], layers, fmt.Sprint(i), fmt.Sprintf("cuda12-%d", i), fmt.Sprintf("v0.%d", i))
	}
}

// notebook has a layer that is kept elsewhere, repeated layers, and many tags on one digest.
func notebook(s *shelf) {
	foreign := ocispec.Descriptor{
		MediaType: dockerForeignLayer, Digest: digest.FromString("a layer that the vendor serves"), Size: 1 << 20,
		URLs: []string{"https://layers.example.com/base/sha256/" + digest.FromString("a layer that the vendor serves").Encoded()},
	}
	f := dockerFormat()
	layers := []ocispec.Descriptor{foreign, s.layer(f.layer, 1), s.empty(f.layer), s.empty(f.layer)}
	windows := ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.2227"}
	s.image(f, windows, layers, "ltsc2022", "ltsc2022")
	var tags []string
	for i := range 12 {
		tags = append(tags, fmt.Sprintf("2025.%02d", i+1))
	}
	app := application{base: "python", format: ociFormat()}
	s.release(&app, "2025", append(tags, "latest")...)
	repeated := s.layer(f.layer, 1)
	s.image(f, platforms()[0], []ocispec.Descriptor{repeated, s.empty(f.layer), repeated}, "repeated", "repeated-layers")
}

// charts are Helm charts.
func charts(name string) func(*shelf) {
	return func(s *shelf) {
		for i := range 2 * s.spec.Releases {
			version := fmt.Sprintf("0.%d.0", i+1)
			config := s.content("application/vnd.cncf.helm.config.v1+json", encode(map[string]string{
				"apiVersion": "v2", "name": name, "version": version, "type": "application",
			}))
			s.manifest(ocispec.Manifest{
				MediaType: ocispec.MediaTypeImageManifest, Config: config,
				Layers:      []ocispec.Descriptor{s.layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip", 0.25)},
				Annotations: map[string]string{"org.opencontainers.image.title": name, "org.opencontainers.image.version": version},
			}, version)
		}
	}
}

// artifact is a manifest with the empty config.
func (s *shelf) artifact(artifactType string, subject *ocispec.Descriptor, layers []ocispec.Descriptor, tags ...string) ocispec.Descriptor {
	config := s.content(ocispec.MediaTypeEmptyJSON, []byte("{}"))
	if subject != nil {
		subject = &ocispec.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size}
	}
	d := s.manifest(ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest, ArtifactType: artifactType, Config: config, Layers: layers, Subject: subject,
	}, tags...)
	d.ArtifactType = artifactType
	return d
}

func artifacts(artifactType string) func(*shelf) {
	return func(s *shelf) {
		for i := range s.spec.Releases {
			s.artifact(artifactType, nil, []ocispec.Descriptor{s.layer(artifactType, 0.5)}, fmt.Sprintf("r%d", i+1))
		}
		// An artifact without content: the empty descriptor is config and layer.
		s.artifact(artifactType, nil, []ocispec.Descriptor{s.content(ocispec.MediaTypeEmptyJSON, []byte("{}"))}, "none")
	}
}

// signed has all forms of what is attached to images: cosign's tags, referrers of an index, of its child and of a
// referrer, and the tag that clients write where a registry has no referrers API.
func signed(s *shelf) {
	app := application{base: "jre", format: ociFormat(), attests: true}
	for i := range s.spec.Releases {
		s.release(&app, fmt.Sprintf("4.%d.0", i), s.releaseTags(i)...)
	}
	index := s.descriptor(len(s.images) - 1)
	child := s.descriptor(slices.IndexFunc(s.images, func(img Image) bool { return img.MediaType == ocispec.MediaTypeImageManifest }))
	tag := "sha256-" + index.Digest.Encoded()
	s.cosign(tag+".sig", "application/vnd.dev.cosign.simplesigning.v1+json")
	s.cosign(tag+".att", "application/vnd.dsse.envelope.v1+json")
	s.cosign(tag+".sbom", "text/spdx+json")

	sbomType, signatureType := "application/vnd.cyclonedx+json", "application/vnd.cncf.notary.signature"
	sbom := s.artifact(sbomType, &index, []ocispec.Descriptor{s.layer(sbomType, 0.25)})
	s.artifact(signatureType, &index, []ocispec.Descriptor{s.layer("application/jose+json", 0.1)})
	s.artifact(signatureType, &sbom, []ocispec.Descriptor{s.layer("application/jose+json", 0.1)})
	onChild := s.artifact(sbomType, &child, []ocispec.Descriptor{s.layer(sbomType, 0.25)})
	s.list(ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{onChild}}, "sha256-"+child.Digest.Encoded())
}

func (s *shelf) descriptor(i int) ocispec.Descriptor {
	img := s.images[i]
	return ocispec.Descriptor{MediaType: img.MediaType, Digest: img.Digest, Size: int64(len(img.Manifest))}
}

// cosign adds what cosign attaches by a tag.
func (s *shelf) cosign(tag, layerType string) {
	layers := []ocispec.Descriptor{s.layer(layerType, 0.1)}
	s.image(ociFormat(), ocispec.Platform{}, layers, tag, tag)
}

// archived has an image in cold storage beside one that is served.
func archived(s *shelf) {
	f := dockerFormat()
	for i, tag := range []string{"2019-q4", "2020-q1"} {
		layers := append(s.base("jre", "amd64", f.layer), s.layer(f.layer, 1))
		s.image(f, platforms()[0], layers, tag, tag)
		s.images[i].Archived = i == 0
	}
}

// scratch has images that no tag names, an index among them, and one tag that moved over all.
func scratch(s *shelf) {
	app := application{base: "node", format: ociFormat()}
	s.release(&app, "lost")
	for i := range s.spec.Releases {
		layers := append(s.base("node", "amd64", ocispec.MediaTypeImageLayerGzip), s.layer(ocispec.MediaTypeImageLayerGzip, 1))
		var tags []string
		if i == s.spec.Releases-1 {
			tags = []string{"wip"}
		}
		s.image(ociFormat(), platforms()[0], layers, fmt.Sprintf("try %d", i), tags...)
	}
}

// flat fills many repositories with tiny images.
func (b *builder) flat() {
	f := ociFormat()
	shared := b.content(f.layer, b.bytes(256))
	for r := range b.spec.Flat.Repositories {
		b.repository(fmt.Sprintf("flat/app-%04d", r), func(s *shelf) {
			for i := range b.spec.Flat.Tags {
				s.image(f, platforms()[0], []ocispec.Descriptor{shared, s.content(f.layer, s.bytes(64))}, fmt.Sprint(i), fmt.Sprintf("v%d", i))
			}
		})
	}
}
