package registry

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// layers1 is the beginning of a schema 1 manifest; the first layer is there twice.
func layers1(version int) string {
	return fmt.Sprintf("{\n   \"schemaVersion\": %d,\n   \"fsLayers\": [{\"blobSum\":%q},{\"blobSum\":%q},{\"blobSum\":%q}]", version, d1, d2, d1)
}

func protected(length int, tail string) string {
	header := fmt.Sprintf(`{"formatLength":%d,"formatTail":%q}`, length, base64.RawURLEncoding.EncodeToString([]byte(tail)))
	return base64.RawURLEncoding.EncodeToString([]byte(header))
}

// sign appends signatures with the given protected headers.
func sign(body string, protected ...string) []byte {
	var signatures []string
	for _, p := range protected {
		signatures = append(signatures, fmt.Sprintf(`{"signature":"AAAA","protected":%q}`, p))
	}
	return fmt.Appendf(nil, "%s,\n   \"signatures\": [%s]\n}", body, strings.Join(signatures, ","))
}

func TestSchema1(t *testing.T) {
	body := layers1(1)
	payload := digest.FromString(body + "\n}")
	good := protected(len(body), "\n}")
	oci := `{"schemaVersion":2,"config":` + desc(ocispec.MediaTypeImageConfig, d1, 7, "")
	for name, test := range map[string]struct {
		m      Manifest
		passes bool
	}{
		"by its payload":            {Manifest{payload, MediaTypeDockerSigned1, sign(body, good)}, true},
		"unnamed":                   {Manifest{payload, "", sign(body, good)}, true},
		"two signatures":            {Manifest{payload, MediaTypeDockerSigned1, sign(body, good, good)}, true},
		"by all its bytes":          {Manifest{digest.FromBytes(sign(body, good)), MediaTypeDockerSigned1, sign(body, good)}, true},
		"unsigned":                  {Manifest{payload, MediaTypeDockerSchema1, []byte(body + "\n}")}, true},
		"another digest":            {Manifest{d3, MediaTypeDockerSigned1, sign(body, good)}, false},
		"another payload":           {Manifest{payload, MediaTypeDockerSigned1, sign(strings.Replace(body, "blobSum", "blobsum", 1), good)}, false},
		"signatures that differ":    {Manifest{payload, MediaTypeDockerSigned1, sign(body, good, protected(len(body)-1, "\n}"))}, false},
		"no header":                 {Manifest{payload, MediaTypeDockerSigned1, sign(body, "")}, false},
		"a header of nonsense":      {Manifest{payload, MediaTypeDockerSigned1, sign(body, "!!")}, false},
		"a length beyond its bytes": {Manifest{payload, MediaTypeDockerSigned1, sign(body, protected(1<<30, "\n}"))}, false},
		"a length below none":       {Manifest{payload, MediaTypeDockerSigned1, sign(body, protected(-1, "\n}"))}, false},
		"a tail of nonsense":        {Manifest{payload, MediaTypeDockerSigned1, sign(body, base64.RawURLEncoding.EncodeToString([]byte(`{"formatLength":1,"formatTail":"!"}`)))}, false},
		"served as another format":  {Manifest{payload, ocispec.MediaTypeImageManifest, sign(body, good)}, false},
		"another format's payload":  {Manifest{digest.FromString(oci + "}"), "", sign(oci, protected(len(oci), "}"))}, false},
		"no signatures at all":      {Manifest{payload, MediaTypeDockerSigned1, []byte(body + "}")}, false},
		"no JSON":                   {Manifest{payload, MediaTypeDockerSigned1, []byte("<html>")}, false},
	} {
		if err := test.m.Check(); (err == nil) != test.passes {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseSchema1(t *testing.T) {
	body := layers1(1)
	payload := digest.FromString(body + "\n}")
	good := protected(len(body), "\n}")
	blobs := []Blob{{d1, SizeUnknown}, {d2, SizeUnknown}}
	for name, test := range map[string]struct {
		m    Manifest
		want Content
	}{
		"signed":   {Manifest{payload, MediaTypeDockerSigned1, sign(body, good)}, Content{MediaType: MediaTypeDockerSigned1, Blobs: blobs}},
		"unnamed":  {Manifest{payload, "", sign(body, good)}, Content{MediaType: MediaTypeDockerSigned1, Blobs: blobs}},
		"unsigned": {Manifest{payload, "", []byte(body + "\n}")}, Content{MediaType: MediaTypeDockerSchema1, Blobs: blobs}},
		"what the signatures do not cover": {
			Manifest{payload, MediaTypeDockerSigned1, sign(body+`,"fsLayers":[{"blobSum":"`+d3.String()+`"}]`, good)}, Content{MediaType: MediaTypeDockerSigned1, Blobs: blobs},
		},
	} {
		got, err := ParseManifest(test.m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, bytes := range map[string]string{
		"no layers": `{"schemaVersion":1}`, "a layer of no sort": `{"schemaVersion":1,"fsLayers":[{"blobSum":"../x"}]}`,
		"another version": `{"schemaVersion":2,"fsLayers":[{"blobSum":"` + d1.String() + `"}]}`,
	} {
		if c, err := ParseManifest(Manifest{MediaType: MediaTypeDockerSigned1, Bytes: []byte(bytes)}); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// An index may list what is no manifest: then it is a blob.
func TestParseIndexOfLayers(t *testing.T) {
	body := `{"schemaVersion":2,"manifests":[` + strings.Join([]string{
		desc(layerType, d1, 1, ""), desc(layerType, d1, 1, ""), desc("application/vnd.buildkit.cacheconfig.v0", d2, 2, ""),
		desc(ocispec.MediaTypeImageManifest, d3, 3, ""), desc("", hashOf("unnamed"), 4, ""), desc("application/vnd.example.manifest", hashOf("new"), 5, ""),
	}, ",") + `]}`
	got, err := ParseManifest(Manifest{MediaType: ocispec.MediaTypeImageIndex, Bytes: []byte(body)})
	want := Content{
		MediaType: ocispec.MediaTypeImageIndex, Blobs: []Blob{{d1, 1}, {d2, 2}},
		Children: []Child{{d3, ocispec.MediaTypeImageManifest, 3, ""}, {hashOf("unnamed"), "", 4, ""}, {hashOf("new"), "application/vnd.example.manifest", 5, ""}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func hashOf(s string) digest.Digest { return digest.FromString(s) }

// Whatever a manifest holds, reading it does not panic, and what passes by its payload is schema 1.
func FuzzSchema1(f *testing.F) {
	body := layers1(1)
	f.Add(sign(body, protected(len(body), "\n}")))
	f.Add(sign(body, protected(-1, "")))
	f.Fuzz(func(t *testing.T, b []byte) {
		payload, err := signedPayload(b)
		if err != nil {
			return
		}
		m := Manifest{Digest: digest.FromBytes(payload), Bytes: b}
		if err := m.Check(); err != nil {
			t.Errorf("the payload's own digest is refused: %v", err)
		}
		if c, err := ParseManifest(m); err == nil && !IsSchema1(c.MediaType) {
			t.Errorf("a payload of %s passed", c.MediaType)
		}
	})
}
