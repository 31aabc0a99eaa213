package arsim_test

import (
	"testing"

	"google.golang.org/api/artifactregistry/v1"

	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
)

// TestPushCorpus pushes all kinds of content in the corpus's order, each blob once and then by mounts, and asks the API
// what is there.
func TestPushCorpus(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	c := corpus.Generate(corpus.Demo())
	from := map[string]string{} // where a blob was pushed first
	for _, repo := range c.Repositories {
		for _, d := range repo.Blobs {
			url := repoURL + "/" + repo.Name + "/blobs/uploads/"
			if place, ok := from[d.String()]; ok {
				w.want(w.do("POST", url+"?mount="+d.String()+"&from="+place, nil), 201, "")
				continue
			}
			w.pushBlob(repo.Name, c.Blobs[d])
			from[d.String()] = project + "/app-images/" + repo.Name
		}
		for _, img := range repo.Images {
			for _, reference := range append([]string{img.Digest.String()}, img.Tags...) {
				w.want(w.putManifest(repo.Name, reference, img.MediaType, img.Manifest), 201, "")
			}
		}
	}
	images, tags := 0, 0
	err := w.sdk().Projects.Locations.Repositories.DockerImages.List(parent+"/repositories/app-images").PageSize(50).
		Pages(t.Context(), func(p *artifactregistry.ListDockerImagesResponse) error {
			for _, i := range p.DockerImages {
				images, tags = images+1, tags+len(i.Tags)
			}
			return nil
		})
	if want := c.Stats(); err != nil || images != want.Manifests || tags != want.Tags {
		t.Errorf("%d images and %d tags, %v; want %d and %d", images, tags, err, want.Manifests, want.Tags)
	}
	if got := len(w.Images("us", project, "app-images")); got != len(c.Repositories)-1 {
		t.Errorf("%d packages, want %d: the empty repository leaves none", got, len(c.Repositories)-1)
	}
}
