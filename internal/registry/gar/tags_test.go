package gar_test

import (
	"net/http"
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/registry"
)

// A tag goes and its image stays; one that is not there is no error; and what stands in the way is told.
func TestDeleteTag(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 3))
	at := cloudstest.Default()
	if err := w.AR.Load(at.Repository.Location, at.Repository.Project, at.Repository.ID, at.Path, corpus.Generate(corpus.Flat(1, 3))); err != nil {
		t.Fatal(err)
	}
	image := at.Join("flat/app-0000")
	before := len(w.AR.Image(image.String()).Manifests())
	for range 2 {
		if err := w.Target.DeleteTag(t.Context(), image, "v1"); err != nil {
			t.Error(err)
		}
	}
	if _, ok := w.AR.Image(image.String()).TagDigest("v1"); ok || len(w.AR.Image(image.String()).Manifests()) != before {
		t.Error("the tag is there, or its image is not")
	}
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ar.api.*", Match: func(r *http.Request) bool { return r.Method == http.MethodDelete }, Action: cloudsim.Status(403)})
	if err := w.Target.DeleteTag(t.Context(), image, "v2"); !registry.IsClass(err, registry.Denied) || !strings.Contains(err.Error(), "artifactregistry.tags.delete") {
		t.Error(err)
	}
}
