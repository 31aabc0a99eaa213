package ecrsim

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/store"
)

// convert is what ECR does to an image that is pulled by tag with an Accept that lacks the stored type: Docker schema 2
// becomes OCI and the other way round, with another digest. It does not convert indexes. FACTS A4.
func convert(m store.Manifest, accepted []string) (store.Manifest, bool) {
	var from, to []string
	switch {
	case m.MediaType == mediaTypeDockerManifest && slices.Contains(accepted, ocispec.MediaTypeImageManifest):
		from, to = dockerTypes(), ociTypes()
	case m.MediaType == ocispec.MediaTypeImageManifest && slices.Contains(accepted, mediaTypeDockerManifest):
		from, to = ociTypes(), dockerTypes()
	default:
		return m, false
	}
	var doc map[string]any
	if json.Unmarshal(m.Bytes, &doc) != nil {
		return m, false
	}
	doc["mediaType"] = to[0]
	retype(doc["config"], from, to)
	if layers, ok := doc["layers"].([]any); ok {
		for _, l := range layers {
			retype(l, from, to)
		}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return m, false
	}
	return store.Manifest{Digest: digest.FromBytes(body), MediaType: to[0], Bytes: body, PushedAt: m.PushedAt}, true
}

// dockerTypes and ociTypes name the same things in the same order.
func dockerTypes() []string {
	return []string{mediaTypeDockerManifest, "application/vnd.docker.container.image.v1+json",
		"application/vnd.docker.image.rootfs.diff.tar.gzip"}
}

func ociTypes() []string {
	return []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageLayerGzip}
}

func retype(descriptor any, from, to []string) {
	d, ok := descriptor.(map[string]any)
	if !ok {
		return
	}
	if i := slices.Index(from, stringOf(d["mediaType"])); i >= 0 {
		d["mediaType"] = to[i]
	}
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}

// accepts returns the media types of an Accept header, and whether it takes anything.
func accepts(header []string) (types []string, anything bool) {
	for _, line := range header {
		for field := range strings.SplitSeq(line, ",") {
			t, _, _ := strings.Cut(field, ";")
			t = strings.TrimSpace(t)
			anything = anything || t == "*/*"
			if t != "" {
				types = append(types, t)
			}
		}
	}
	return types, anything || len(types) == 0
}
