package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"transship/internal/cloudsim/corpus"
)

// TestMigrateBetweenRealRegistries runs a migration whose images leave one real registry and arrive in another.
func TestMigrateBetweenRealRegistries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, corpus.Demo())
	source := &dataPlane{registry: newRegistry(t), kind: w.ecr.Kind, refuses: wantBasic(w.ecr)}
	seed(t, source.registry, w.corpus)
	dest := &dataPlane{registry: newRegistry(t), kind: w.ar.Data(location).Kind, refuses: wantBearer}
	dest.pushed = func(put manifestPut) error {
		image := strings.TrimPrefix(put.name, project+"/"+repository+"/")
		return w.ar.Record(location, project, repository, image, put.reference, put.mediaType, put.body)
	}
	w.sim.Handle(from, source)
	w.sim.Handle(targetHost, dest)
	w.throughProxy(t)

	first := w.counted(func() { w.transship(t, 0, "migrate", "--yes") })
	w.transship(t, 0, "verify", "--deep")
	if n := source.check(t, "source"); n != 0 {
		t.Errorf("the source got %d writes", n)
	}
	written := dest.check(t, "target")
	if written == 0 {
		t.Error("the target got no write")
	}
	if n := first.Of("s3"); n != 0 {
		t.Errorf("%d requests to S3: the source's data plane is not the real registry", n)
	}
	compareRegistry(t, dest.registry, w)
	wantEachBlobOnce(t, w, first.Of("ecr.v2.blob.get"))

	again := w.counted(func() { w.transship(t, 0, "migrate", "--yes") })
	if n := dest.check(t, "target") - written; n != 0 || writes(again) != 0 {
		t.Errorf("a second migration wrote %d times:\n%s", n, again)
	}
	if n := again.Of("ecr.v2.blob"); n != 0 {
		t.Errorf("a second migration read %d blobs", n)
	}
}

// compareRegistry wants every image of the corpus, byte for byte, with its tags and blobs, and nothing else.
func compareRegistry(t *testing.T, registry http.Handler, w *world) {
	t.Helper()
	expected := w.imagesAt()
	for name, images := range expected {
		path := "/v2/" + project + "/" + repository + "/" + name
		var tags []string
		for _, img := range images {
			for _, reference := range append([]string{img.Digest.String()}, img.Tags...) {
				got := ask(registry, "GET", path+"/manifests/"+reference, img.MediaType, nil)
				if got.Code != http.StatusOK || !bytes.Equal(got.Body.Bytes(), img.Manifest) {
					t.Errorf("%s:%s is not what the source has: status %d\n%s", name, reference, got.Code, got.Body)
				}
				if mediaType := got.Header().Get("Content-Type"); mediaType != img.MediaType {
					t.Errorf("%s:%s has media type %s, want %s", name, reference, mediaType, img.MediaType)
				}
			}
			tags = append(tags, img.Tags...)
		}
		slices.Sort(tags)
		if got := listed(t, registry, path+"/tags/list", "tags"); !slices.Equal(got, tags) {
			t.Errorf("%s has the tags %v, want %v", name, got, tags)
		}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		names = append(names, project+"/"+repository+"/"+name)
	}
	if got := listed(t, registry, "/v2/_catalog", "repositories"); !slices.Equal(got, names) {
		t.Errorf("the target holds %v, want %v", got, names)
	}
	for _, repo := range w.corpus.Repositories {
		for _, d := range needed(expected[repo.Name], repo) {
			path := "/v2/" + project + "/" + repository + "/" + repo.Name + "/blobs/" + d
			if got := ask(registry, "HEAD", path, "", nil); got.Code != http.StatusOK {
				t.Errorf("%s lacks the blob %s: status %d", repo.Name, d, got.Code)
			}
		}
	}
}

// needed are those blobs of a repository that the images name.
func needed(images []corpus.Image, repo corpus.Repository) []string {
	var out []string
	for _, d := range repo.Blobs {
		if slices.ContainsFunc(images, func(img corpus.Image) bool { return bytes.Contains(img.Manifest, []byte(d)) }) {
			out = append(out, d.String())
		}
	}
	return out
}

// listed is one list of a registry's answer, sorted.
func listed(t *testing.T, registry http.Handler, path, field string) []string {
	t.Helper()
	answer := want(t, ask(registry, "GET", path, "", nil), http.StatusOK)
	var lists map[string]json.RawMessage
	var list []string
	if err := json.Unmarshal(answer.Body.Bytes(), &lists); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := json.Unmarshal(lists[field], &list); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	slices.Sort(list)
	return list
}

// wantEachBlobOnce wants no more blob reads than there are unique blobs.
func wantEachBlobOnce(t *testing.T, w *world, reads int) {
	t.Helper()
	unique := map[string]bool{}
	for _, repo := range w.corpus.Repositories {
		for _, d := range needed(w.imagesAt()[repo.Name], repo) {
			unique[d] = true
		}
	}
	if reads > len(unique) {
		t.Errorf("%d blob reads at the source for %d unique blobs", reads, len(unique))
	}
}
