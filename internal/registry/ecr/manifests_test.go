package ecr

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/registry"
)

func TestManifests(t *testing.T) {
	sim, cloud, reg := world(t, cloudsim.Options{})
	p := cloud.CreateRepository("app", ecrsim.RepositorySettings{})
	var ds []digest.Digest
	want := map[digest.Digest]registry.Manifest{}
	for i := range 248 {
		mediaType := []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, registry.MediaTypeDockerManifest, registry.MediaTypeDockerList}[i%4]
		body := fmt.Appendf(nil, "{\n  \"schemaVersion\": 2, \"mediaType\": %q, \"n\": \"%d é\"\r\n}  \n", mediaType, i)
		d := pushBytes(p, body, mediaType, fmt.Sprintf("v%d", i))
		ds = append(ds, d, d) // twice: it is read once
		want[d] = registry.Manifest{Digest: d, MediaType: mediaType, Bytes: body}
	}
	archived, missing := push(p, "archived"), digest.FromString("missing")
	p.SetStatus(archived, ecrsim.StatusArchived)
	ds = append(ds, archived, missing)
	found, failed, err := reg.Manifests(t.Context(), home.Repository("app"), ds)
	if err != nil {
		t.Fatal(err)
	}
	got := map[digest.Digest]registry.Manifest{}
	for _, m := range found {
		got[m.Digest] = m
	}
	if diff := cmp.Diff(want, got); diff != "" || len(found) != len(want) {
		t.Errorf("%d found (-want +got):\n%s", len(found), diff)
	}
	if n := sim.Counts().Of("ecr.BatchGetImage"); n != 3 {
		t.Errorf("%d requests for 250 manifests, want 3", n)
	}
	for _, d := range []digest.Digest{archived, missing} {
		if err := failed[d]; !registry.IsClass(err, registry.NotFound) || !strings.Contains(err.Error(), d.String()) {
			t.Errorf("%s failed with %v", d, err)
		}
	}
	if len(failed) != 2 {
		t.Errorf("%d failed: %v", len(failed), failed)
	}
}

func TestManifestsOfNothing(t *testing.T) {
	s := always(500, "")
	found, failed, err := scripted(s).Manifests(t.Context(), home.Repository("app"), nil)
	if len(found) != 0 || len(failed) != 0 || err != nil || s.requests() != 0 {
		t.Errorf("got %v, %v, %v by %d requests", found, failed, err, s.requests())
	}
}

// TestManifestsThatDoNotMatch plays answers in which something is wrong with single manifests.
func TestManifestsThatDoNotMatch(t *testing.T) {
	body := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}`
	good, bad, silent, kms, upstream := digest.FromString(body), digest.FromString("bad"), digest.FromString("silent"), digest.FromString("kms"), digest.FromString("up")
	foreign := digest.FromString("foreign")
	image := func(d digest.Digest, text string) map[string]any {
		return map[string]any{"imageId": map[string]any{"imageDigest": d}, "imageManifest": text}
	}
	failure := func(d digest.Digest, code string) map[string]any {
		return map[string]any{"imageId": map[string]any{"imageDigest": d}, "failureCode": code, "failureReason": "because"}
	}
	answer, _ := json.Marshal(map[string]any{
		"images": []any{image(good, body), image(good, body), image(bad, body), image(foreign, "x"), map[string]any{"imageManifest": "x"}},
		"failures": []any{failure(kms, "KmsError"), failure(upstream, "UpstreamTooManyRequests"), failure(foreign, "ImageNotFound"),
			map[string]any{"failureCode": "ImageNotFound"}},
	})
	found, failed, err := scripted(always(200, string(answer))).Manifests(t.Context(), home.Repository("app"),
		[]digest.Digest{good, bad, silent, kms, upstream})
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.Manifest{{Digest: good, MediaType: ocispec.MediaTypeImageManifest, Bytes: []byte(body)}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	got := map[digest.Digest]registry.Class{}
	for d, err := range failed {
		got[d] = registry.ClassOf(err)
	}
	classes := map[digest.Digest]registry.Class{bad: registry.Corrupt, silent: registry.NotFound, kms: registry.Denied, upstream: registry.Throttled}
	if diff := cmp.Diff(classes, got); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}

func TestMediaTypesThatAreRefused(t *testing.T) {
	sim, cloud, reg := world(t, cloudsim.Options{ECR: ecrsim.Options{Quirks: ecrsim.Quirks{Indexes: ecrsim.IndexTypesRefused}}})
	p := cloud.CreateRepository("app", ecrsim.RepositorySettings{})
	index := pushBytes(p, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[]}`, ocispec.MediaTypeImageIndex), ocispec.MediaTypeImageIndex)
	for want := range 3 {
		found, failed, err := reg.Manifests(t.Context(), home.Repository("app"), []digest.Digest{index})
		if err != nil || len(found) != 1 {
			t.Fatalf("got %v, %v, %v", found, failed, err)
		}
		if n := sim.Counts().Of("ecr.BatchGetImage"); n != want+2 {
			t.Errorf("%d requests after call %d: the shorter list is not remembered", n, want+1)
		}
	}
}

func TestNoMediaTypesAtAll(t *testing.T) {
	var lists []int
	s := &script{answer: func(_ int, r request) (int, string, http.Header) {
		types, _ := r.in["acceptedMediaTypes"].([]any)
		lists = append(lists, len(types))
		return 400, apiError("InvalidParameterException", "Invalid parameter at 'acceptedMediaTypes'"), nil
	}}
	_, _, err := scripted(s).Manifests(t.Context(), home.Repository("app"), []digest.Digest{digest.FromString("x")})
	if diff := cmp.Diff([]int{6, 4, 0}, lists); diff != "" || !registry.IsClass(err, registry.Invalid) {
		t.Errorf("%v; lists (-want +got):\n%s", err, diff)
	}
}
