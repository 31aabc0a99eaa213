package sync

import (
	"net/http"
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/plan"
	"transship/internal/ref"
)

// apart leads one repository to an Artifact Registry repository of its own, which does not exist yet.
func apart(t *testing.T) func(*Config) {
	t.Helper()
	rule, err := ref.ParseRule("flat/app-0001", "us-docker.pkg.dev/my-gcp-project/other")
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) {
		m := ref.Mapping{Default: cloudstest.Default(), Rules: []ref.Rule{rule}}
		c.Pipeline.Rules = plan.Rules{Migration: plan.NewMigration([]ref.Registry{cloudstest.Registry()}, m), Mapping: m}
	}
}

// denied has the target refuse what is about the repository other.
func denied(method string) cloudsim.Fault {
	return cloudsim.Fault{Kind: "ar.api.*", Action: cloudsim.Status(http.StatusForbidden), Match: func(r *http.Request) bool {
		return r.Method == method && (strings.Contains(r.URL.Path, "/other") || r.URL.Query().Get("repositoryId") == "other")
	}}
}

// A target repository that cannot be created does not hold up the others; later it is, and gets what is its own.
func TestARepositoryCannotBeCreated(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(3, 3))
	s := w.sync(t, apart(t))
	defer end(t, s)
	w.Sim.Faults.Set(denied(http.MethodPost))
	state := once(t, s)
	if c := state.Cycle; c.Copied != 6 || c.Behind != 3 || len(c.Failures) != 1 || len(c.Created) != 0 || !strings.Contains(c.Failures[0].Error, "other") {
		t.Errorf("%+v", c)
	}
	w.Sim.Faults.Clear()
	if c := once(t, s).Cycle; c.Copied != 3 || c.Behind != 0 || len(c.Created) != 1 || len(c.Failures) != 0 {
		t.Errorf("%+v", c)
	}
}

// A target repository that cannot be listed does not hold up the others, and nothing is done to it.
func TestATargetRepositoryCannotBeListed(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(3, 3))
	s := w.sync(t, apart(t), deleting)
	defer end(t, s)
	once(t, s)
	w.Sim.Faults.Set(denied(http.MethodGet))
	for n := range 3 {
		name := "flat/app-000" + string(rune('0'+n))
		w.push(t, name, "new", name)
		repo := w.ECR.Repository(name)
		d, _ := repo.Content.TagDigest("v1")
		repo.Delete(d, "v1")
	}
	state := once(t, s)
	if c := state.Cycle; c.Copied != 2 || c.Deleted != 2 || len(c.Failures) != 2 || c.Behind != 0 {
		t.Errorf("%+v", c)
	}
	w.Sim.Faults.Clear()
	if c := once(t, s).Cycle; c.Copied != 1 || c.Deleted != 1 || len(c.Failures) != 0 {
		t.Errorf("%+v", c)
	}
}

// A rule that fits no repository any more is no reason to stop.
func TestADeadRuleIsAWarning(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(3, 3))
	s := w.sync(t, apart(t))
	defer end(t, s)
	once(t, s)
	w.ECR.DeleteRepository("flat/app-0001")
	d := w.push(t, "flat/app-0000", "new", "content")
	if state := once(t, s); len(state.Vanished) != 1 || w.at("flat/app-0000", "new") != d {
		t.Errorf("%+v", state)
	}
}
