package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var (
	d1 = digest.FromString("one")
	d2 = digest.FromString("two")
	d3 = digest.FromString("three")
)

// desc is a descriptor in JSON.
func desc(mediaType string, d digest.Digest, size int, more string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, mediaType, d, size, more)
}

const (
	layerType   = "application/vnd.oci.image.layer.v1.tar+gzip"
	foreignType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
)

func TestParseManifest(t *testing.T) {
	config := `"config":` + desc(ocispec.MediaTypeImageConfig, d1, 7, "")
	tests := map[string]struct {
		mediaType, body string
		want            Content
	}{
		"an image": {
			ocispec.MediaTypeImageManifest, `{"schemaVersion":2,` + config + `,"layers":[` + desc(layerType, d2, 20, "") + `]}`,
			Content{MediaType: ocispec.MediaTypeImageManifest, Blobs: []Blob{{d1, 7}, {d2, 20}}},
		},
		"a layer that is there twice": {
			MediaTypeDockerManifest, `{"schemaVersion":2,` + config + `,"layers":[` + desc(layerType, d2, 20, "") + "," + desc(layerType, d2, 20, "") + `]}`,
			Content{MediaType: MediaTypeDockerManifest, Blobs: []Blob{{d1, 7}, {d2, 20}}},
		},
		"a foreign layer": {
			MediaTypeDockerManifest, `{"schemaVersion":2,` + config + `,"layers":[` + desc(foreignType, d2, 20, `,"urls":["https://example.com/x"]`) + "," + desc(layerType, d3, 30, "") + `]}`,
			Content{MediaType: MediaTypeDockerManifest, Blobs: []Blob{{d1, 7}, {d3, 30}}, Foreign: []Blob{{d2, 20}}},
		},
		"a foreign layer that is nowhere else": {
			MediaTypeDockerManifest, `{"schemaVersion":2,` + config + `,"layers":[` + desc(foreignType, d2, 20, "") + `]}`,
			Content{MediaType: MediaTypeDockerManifest, Blobs: []Blob{{d1, 7}, {d2, 20}}},
		},
		"an ordinary layer with addresses": {
			ocispec.MediaTypeImageManifest, `{"schemaVersion":2,` + config + `,"layers":[` + desc(layerType, d2, 20, `,"urls":["https://example.com/x"]`) + `]}`,
			Content{MediaType: ocispec.MediaTypeImageManifest, Blobs: []Blob{{d1, 7}, {d2, 20}}},
		},
		"an index": {
			ocispec.MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[` +
				desc(ocispec.MediaTypeImageManifest, d1, 7, `,"platform":{"os":"linux","architecture":"arm","variant":"v7"}`) + "," +
				desc(ocispec.MediaTypeImageManifest, d2, 8, `,"platform":{"os":"linux","architecture":"amd64"}`) + "," +
				desc(ocispec.MediaTypeImageManifest, d2, 8, "") + "," +
				desc(ocispec.MediaTypeImageManifest, d3, 9, `,"platform":{"os":"windows","architecture":""}`) + `]}`,
			Content{MediaType: ocispec.MediaTypeImageIndex, Children: []Child{
				{d1, ocispec.MediaTypeImageManifest, 7, "linux/arm/v7"}, {d2, ocispec.MediaTypeImageManifest, 8, "linux/amd64"},
				{d3, ocispec.MediaTypeImageManifest, 9, "windows"},
			}},
		},
		"an index of nothing": {
			MediaTypeDockerList, `{"schemaVersion":2,"manifests":[]}`,
			Content{MediaType: MediaTypeDockerList, Children: []Child{}},
		},
		"a chart": {
			ocispec.MediaTypeImageManifest, `{"schemaVersion":2,"config":` + desc("application/vnd.cncf.helm.config.v1+json", d1, 7, "") + `,"layers":[]}`,
			Content{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/vnd.cncf.helm.config.v1+json", Blobs: []Blob{{d1, 7}}},
		},
		"a referrer": {
			ocispec.MediaTypeImageManifest, `{"schemaVersion":2,"artifactType":"a/b",` + config + `,"subject":` + desc(ocispec.MediaTypeImageManifest, d3, 9, "") + `}`,
			Content{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "a/b", Blobs: []Blob{{d1, 7}}, Subject: d3},
		},
		"a withdrawn artifact manifest": {
			"application/vnd.oci.artifact.manifest.v1+json", `{"artifactType":"a/b","blobs":[` + desc("x/y", d1, 7, "") + `]}`,
			Content{MediaType: "application/vnd.oci.artifact.manifest.v1+json", ArtifactType: "a/b", Blobs: []Blob{{d1, 7}}},
		},
		"an image that nobody names": {
			"", `{"schemaVersion":2,` + config + `}`,
			Content{MediaType: ocispec.MediaTypeImageManifest, Blobs: []Blob{{d1, 7}}},
		},
		"an index that nobody names": {
			"", `{"schemaVersion":2,"manifests":[]}`,
			Content{MediaType: ocispec.MediaTypeImageIndex, Children: []Child{}},
		},
		"what names itself": {
			"", `{"schemaVersion":2,"mediaType":"` + MediaTypeDockerList + `","manifests":[]}`,
			Content{MediaType: MediaTypeDockerList, Children: []Child{}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseManifest(Manifest{MediaType: test.mediaType, Bytes: []byte(test.body)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseManifestRefuses(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(desc(layerType, d1, 1, "")+",", maxDescriptors+1), ",")
	tests := map[string]struct{ mediaType, body, say string }{
		"no JSON":               {ocispec.MediaTypeImageManifest, `<html>`, "not valid JSON"},
		"a list":                {ocispec.MediaTypeImageManifest, `[]`, "not valid JSON"},
		"schema 1 by version":   {"application/json", `{"schemaVersion":1}`, "schema 1"},
		"schema 1 as another":   {ocispec.MediaTypeImageManifest, `{"schemaVersion":1,"fsLayers":[{"blobSum":"` + d1.String() + `"}]}`, "is one of Docker schema 1"},
		"schema 1 by type":      {MediaTypeDockerSigned1, `{}`, "schema 1"},
		"another type":          {ocispec.MediaTypeImageManifest, `{"mediaType":"` + ocispec.MediaTypeImageIndex + `"}`, "calls itself"},
		"an image with others":  {ocispec.MediaTypeImageManifest, `{"manifests":[` + desc("x/y", d1, 1, "") + `]}`, "lists other manifests"},
		"nothing":               {"", `{}`, "does not say what it is"},
		"no digest":             {ocispec.MediaTypeImageManifest, `{"config":{"digest":"sha256:abc"}}`, "not a valid digest"},
		"an unknown algorithm":  {ocispec.MediaTypeImageManifest, `{"config":{"digest":"md5:d41d8cd98f00b204e9800998ecf8427e"}}`, "not a valid digest"},
		"a path for a digest":   {ocispec.MediaTypeImageIndex, `{"manifests":[{"digest":"../../x"}]}`, "not a valid digest"},
		"a negative size":       {ocispec.MediaTypeImageManifest, `{"config":` + desc("x/y", d1, -1, "") + `}`, "the size -1"},
		"a subject of no sort":  {ocispec.MediaTypeImageIndex, `{"manifests":[],"subject":{"digest":"x"}}`, "not a valid digest"},
		"more than the memory":  {ocispec.MediaTypeImageManifest, `{"layers":[` + many + `]}`, "more than"},
		"more than ECR returns": {ocispec.MediaTypeImageManifest, strings.Repeat(" ", MaxManifestBytes+1), "more than"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseManifest(Manifest{MediaType: test.mediaType, Bytes: []byte(test.body)})
			if err == nil || !strings.Contains(err.Error(), test.say) {
				t.Errorf("the error %v does not say %q", err, test.say)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	body := []byte(`{}`)
	for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		if err := (Manifest{Digest: a.FromBytes(body), Bytes: body}).Check(); err != nil {
			t.Error(err)
		}
		if err := (Manifest{Digest: a.FromBytes(body), Bytes: []byte(`{ }`)}).Check(); err == nil {
			t.Errorf("%s: other bytes pass", a)
		}
	}
	if err := (Manifest{Digest: "sha256:", Bytes: body}).Check(); err == nil {
		t.Error("no digest passes")
	}
}

func TestSubjectOfTag(t *testing.T) {
	hex := d1.Encoded()
	for tag, want := range map[string]digest.Digest{
		"sha256-" + hex: d1, "sha256-" + hex + ".sig": d1, "sha256-" + hex + ".att": d1,
		"sha256-" + hex[1:]: "", "sha256": "", "latest": "", "md5-" + hex: "", "sha256-latest": "",
	} {
		got, ok := SubjectOfTag(tag)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %t", tag, got, ok)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add("", []byte(`{"schemaVersion":2,"manifests":[]}`))
	f.Add(ocispec.MediaTypeImageManifest, []byte(`{"schemaVersion":2,"config":`+desc("x/y", d1, 1, "")+`,"layers":[`+desc(foreignType, d2, 2, `,"urls":["u"]`)+`]}`))
	f.Add(ocispec.MediaTypeImageIndex, []byte(`{"manifests":[`+desc("x/y", d1, 1, `,"platform":{"os":"linux"}`)+`],"subject":`+desc("x/y", d2, 1, "")+`}`))
	f.Fuzz(func(t *testing.T, mediaType string, body []byte) {
		c, err := ParseManifest(Manifest{MediaType: mediaType, Bytes: body})
		if err != nil {
			if diff := cmp.Diff(Content{}, c); diff != "" {
				t.Error("an error comes with content")
			}
			return
		}
		if c.MediaType == "" || mediaType != "" && c.MediaType != mediaType && !IsSchema1(c.MediaType) {
			t.Errorf("served as %q, read as %q", mediaType, c.MediaType)
		}
		if len(c.Children) > 0 && !IsIndex(c.MediaType) || IsIndex(c.MediaType) && len(c.Foreign) > 0 {
			t.Errorf("%s has %d children and %d blobs", c.MediaType, len(c.Children), len(c.Blobs))
		}
		seen := map[digest.Digest]bool{}
		check := func(d digest.Digest, size int64) {
			if d.Validate() != nil || size < 0 && !IsSchema1(c.MediaType) || seen[d] {
				t.Errorf("%q of %d bytes is wrong or there twice", d, size)
			}
			seen[d] = true
		}
		for _, x := range c.Children {
			check(x.Digest, x.Size)
		}
		for _, x := range append(c.Blobs, c.Foreign...) {
			check(x.Digest, x.Size)
		}
		if c.Subject != "" && c.Subject.Validate() != nil {
			t.Errorf("the subject is %q", c.Subject)
		}
	})
}
