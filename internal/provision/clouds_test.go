package provision_test

import (
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/provision"
)

// The embedded Artifact Registry ends up with what was planned, and a second run changes nothing.
func TestTheEmbeddedCloudsAreProvisioned(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	other := cloudstest.Default().Repository
	other.ID = "more-images"
	c := provision.Config{Target: w.Target, Interval: time.Nanosecond, Repositories: []document.PlannedRepository{
		{URI: cloudstest.Default().Repository, Description: "not applied: it exists"}, {URI: other, Description: "images of ours"},
	}}
	r, err := provision.Run(t.Context(), c)
	if err != nil || len(r.Created) != 1 || r.Created[0] != other || len(r.Unchanged) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	made, ok := w.AR.Repository(other.Location, other.Project, other.ID)
	if !ok || made.Format != "DOCKER" || made.Description != "images of ours" {
		t.Errorf("%+v", made)
	}
	d := cloudstest.Default().Repository
	if kept, _ := w.AR.Repository(d.Location, d.Project, d.ID); kept.Description != "" {
		t.Errorf("the existing repository now says %q", kept.Description)
	}
	before := w.Sim.Counts()
	if r, err = provision.Run(t.Context(), c); err != nil || len(r.Created) != 0 || len(r.Unchanged) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if n := w.Sim.Counts().Sub(before).Total(); n != 2 {
		t.Errorf("%d requests for two repositories that exist", n)
	}
	if err := w.AR.CreateRepository(d.Location, d.Project, "jars", arsim.Repository{Format: "MAVEN"}); err != nil {
		t.Fatal(err)
	}
	jars, fresh := d, d
	jars.ID, fresh.ID = "jars", "fresh"
	c.Repositories = []document.PlannedRepository{{URI: fresh}, {URI: jars}}
	if _, err := provision.Run(t.Context(), c); err == nil {
		t.Error("a repository of jars was taken")
	}
	if _, ok := w.AR.Repository(d.Location, d.Project, "fresh"); ok {
		t.Error("something was created nevertheless")
	}
}
