package provision

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

type fake struct {
	there map[string]document.TargetRepository
	fails map[string]error
	// meanwhile is how others have changed a repository when it is to be created or updated.
	meanwhile map[string]document.TargetRepository

	mu      sync.Mutex
	created []string
	updated []string
	at      []time.Time
	asked   int
}

func (f *fake) Repository(_ context.Context, r ref.TargetRepository) (document.TargetRepository, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if found, ok := f.there[r.ID]; ok {
		return found, nil
	}
	if err := f.fails["get "+r.ID]; err != nil {
		return document.TargetRepository{}, err
	}
	return document.TargetRepository{}, &registry.Error{Side: registry.Target, Op: "get", Class: registry.NoRepository}
}

func (f *fake) Create(_ context.Context, r ref.TargetRepository, description string, s document.TargetSettings) (bool, error) {
	if err := f.fails["create "+r.ID]; err != nil {
		return false, err
	}
	if meanwhile, ok := f.meanwhile[r.ID]; ok {
		f.there[r.ID] = meanwhile
	}
	if _, ok := f.there[r.ID]; ok {
		return true, nil
	}
	f.created, f.at = append(f.created, strings.TrimSpace(r.ID+" "+description)), append(f.at, time.Now())
	f.put(r, document.TargetRepository{Format: "DOCKER", Mode: "STANDARD_REPOSITORY", Description: description, TargetSettings: s})
	return false, nil
}

func (f *fake) Update(_ context.Context, r ref.TargetRepository, decide func(document.TargetRepository) (document.TargetSettings, error)) error {
	if err := f.fails["update "+r.ID]; err != nil {
		return err
	}
	if meanwhile, ok := f.meanwhile[r.ID]; ok {
		f.there[r.ID] = meanwhile
	}
	found := f.there[r.ID]
	want, err := decide(found)
	if err != nil || reflect.DeepEqual(want, found.TargetSettings) {
		return err
	}
	found.TargetSettings = want
	f.put(r, found)
	f.updated = append(f.updated, r.ID)
	return nil
}

func (f *fake) put(r ref.TargetRepository, now document.TargetRepository) {
	if f.there == nil {
		f.there = map[string]document.TargetRepository{}
	}
	f.there[r.ID] = now
}

func planned(ids ...string) (out []document.PlannedRepository) {
	for _, id := range ids {
		out = append(out, document.PlannedRepository{URI: ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: id}})
	}
	return out
}

func ids(rs []ref.TargetRepository) string {
	var out []string
	for _, r := range rs {
		out = append(out, r.ID)
	}
	return strings.Join(out, " ")
}

var docker = document.TargetRepository{Format: "DOCKER", Mode: "STANDARD_REPOSITORY"}

func TestRunCreatesWhatIsMissingAtTheAllowedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{there: map[string]document.TargetRepository{"b": docker, "e": {}}} // e: an answer that says nothing
		repositories := planned("a", "b", "c", "d", "e")
		repositories[0].Exists = true // says the plan; it is wrong
		repositories[2].Description = "for team c"
		var steps []Progress
		begin := time.Now()
		r, err := Run(t.Context(), Config{Repositories: repositories, Target: f, Progress: func(p Progress) { steps = append(steps, p) }})
		if err != nil || strings.Join(f.created, ", ") != "a, c for team c, d" || ids(r.Created) != "a c d" || ids(r.Unchanged) != "b e" {
			t.Fatalf("created %v, result %+v, error %v", f.created, r, err)
		}
		for i, at := range f.at {
			if want := time.Duration(i) * Interval; at.Sub(begin) != want {
				t.Errorf("creation %d after %v, not %v", i, at.Sub(begin), want)
			}
		}
		if f.asked != 5 {
			t.Errorf("%d questions for 5 repositories", f.asked)
		}
		if len(steps) != 4 || steps[1] != (Progress{Done: 1, Total: 3, Current: repositories[2].URI}) || steps[3] != (Progress{Done: 3, Total: 3}) {
			t.Errorf("progress %+v", steps)
		}
	})
}

// A second run creates nothing, and waits for nothing.
func TestRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{there: map[string]document.TargetRepository{"a": docker, "b": docker}}
		begin := time.Now()
		r, err := Run(t.Context(), Config{Repositories: planned("a", "b"), Target: f})
		if err != nil || len(f.created)+len(r.Created) != 0 || ids(r.Unchanged) != "a b" || time.Since(begin) != 0 {
			t.Errorf("created %v, result %+v, error %v", f.created, r, err)
		}
		if r, err := Run(t.Context(), Config{Target: f}); err != nil || r.Created == nil || r.Unchanged == nil {
			t.Errorf("of nothing: %+v, %v", r, err)
		}
	})
}

func TestNothingIsCreatedBesideWhatCannotBeUsed(t *testing.T) {
	for _, test := range []struct {
		found document.TargetRepository
		say   string
	}{
		{document.TargetRepository{Format: "MAVEN"}, "it exists with the format MAVEN"},
		{document.TargetRepository{Format: "DOCKER", Mode: "REMOTE_REPOSITORY"}, "it exists as a REMOTE_REPOSITORY"},
		{document.TargetRepository{Format: "DOCKER", Mode: "VIRTUAL_REPOSITORY"}, "it exists as a VIRTUAL_REPOSITORY"},
	} {
		f := &fake{there: map[string]document.TargetRepository{"b": test.found}, fails: map[string]error{"get c": errors.New("no permission to see c")}}
		_, err := Run(t.Context(), Config{Repositories: planned("a", "b", "c"), Target: f})
		if err == nil || len(f.created) > 0 {
			t.Fatalf("%+v: created %v, error %v", test.found, f.created, err)
		}
		for _, say := range []string{test.say, "us-docker.pkg.dev/my-gcp-project/b", "map to another repository", "no permission to see c"} {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("the error %v does not say %q", err, say)
			}
		}
		if !registry.IsClass(err, registry.Unsupported) {
			t.Errorf("the error is of class %s", registry.ClassOf(err))
		}
	}
}

func TestOneFailureDoesNotStopTheOthers(t *testing.T) {
	f := &fake{fails: map[string]error{"create b": errors.New("no permission for b"), "create d": errors.New("no quota for d")}}
	r, err := Run(t.Context(), Config{Repositories: planned("a", "b", "c", "d"), Target: f, Interval: time.Nanosecond})
	if err == nil || !strings.Contains(err.Error(), "no permission for b") || !strings.Contains(err.Error(), "no quota for d") || ids(r.Created) != "a c" {
		t.Errorf("result %+v, error %v", r, err)
	}
}

// What was created before a run was stopped is told.
func TestARunIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fake{}
		time.AfterFunc(Interval+Interval/2, cancel)
		r, err := Run(ctx, Config{Repositories: planned("a", "b", "c", "d"), Target: f})
		if !errors.Is(err, context.Canceled) || ids(r.Created) != "a b" || !strings.Contains(err.Error(), "2 of 4 repositories") {
			t.Errorf("result %+v, error %v", r, err)
		}
	})
}

func TestPreviewCreatesNothing(t *testing.T) {
	f := &fake{there: map[string]document.TargetRepository{"b": docker}}
	changes, err := Preview(t.Context(), Config{Repositories: planned("a", "b", "c"), Target: f})
	if err != nil || len(f.created) != 0 || len(changes) != 3 || !changes[0].Create || !changes[1].Nothing() || !changes[2].Create {
		t.Errorf("changes %+v, created %v, error %v", changes, f.created, err)
	}
}

// labelled plans repositories that shall have a label.
func labelled(ids ...string) []document.PlannedRepository {
	out := planned(ids...)
	for i := range out {
		out[i].Settings.Labels = map[string]string{"team": "a"}
	}
	return out
}

// What others did between the look and the change stays, and is not done again.
func TestApplyLooksAgainBeforeItChanges(t *testing.T) {
	done, other, jars := docker, docker, docker
	done.Labels = map[string]string{"team": "a"}
	other.Labels = map[string]string{"team": "b", "cost": "42"}
	jars.Format = "MAVEN"
	f := &fake{
		there:     map[string]document.TargetRepository{"done": docker, "other": docker, "jars": docker, "same": docker},
		meanwhile: map[string]document.TargetRepository{"done": done, "other": other, "jars": jars, "lost": done, "taken": other},
	}
	c := Config{Repositories: labelled("done", "other", "jars", "same", "lost", "taken"), Target: f, Interval: time.Nanosecond}
	r, err := Run(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "MAVEN") || strings.Join(f.updated, " ") != "other same taken" {
		t.Errorf("updated %v, error %v", f.updated, err)
	}
	if ids(r.Created) != "lost" || ids(r.Unchanged) != "done" || len(r.Changed) != 3 {
		t.Errorf("result %+v", r)
	}
	if got := f.there["other"].Labels; got["team"] != "a" || got["cost"] != "42" {
		t.Errorf("labels of other: %v", got)
	}
	f.meanwhile = nil
	before := len(f.updated) + len(f.created)
	f.there["jars"] = done
	if again, err := Run(t.Context(), c); err != nil || !again.Nothing() || len(again.Unchanged) != 6 || len(f.updated)+len(f.created) != before {
		t.Errorf("once more: %+v, %v, updated %v", again, err, f.updated)
	}
}

// A run that is stopped between two changes says which it did, and another does the rest alone.
func TestAStoppedRunGoesOn(t *testing.T) {
	f := &fake{there: map[string]document.TargetRepository{"a": docker, "b": docker, "c": docker}}
	ctx, cancel := context.WithCancel(t.Context())
	c := Config{Repositories: labelled("a", "b", "c"), Target: f, Interval: time.Nanosecond}
	c.Progress = func(p Progress) {
		if p.Done == 1 {
			cancel()
		}
	}
	r, err := Run(ctx, c)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "2 of 3 repositories") || len(r.Changed) != 1 || len(f.updated) != 1 {
		t.Errorf("result %+v, error %v", r, err)
	}
	c.Progress = nil
	if r, err = Run(t.Context(), c); err != nil || len(r.Changed) != 2 || ids(r.Unchanged) != "a" || strings.Join(f.updated, " ") != "a b c" {
		t.Errorf("result %+v, error %v, updated %v", r, err, f.updated)
	}
}

// Tags are made immutable by a finish alone, and not of what has no images yet.
func TestFinish(t *testing.T) {
	f := &fake{there: map[string]document.TargetRepository{"a": docker, "b": docker}}
	c := Config{Repositories: planned("a", "b", "new"), Target: f, Interval: time.Nanosecond}
	c.Repositories[0].Settings.ImmutableTags, c.Repositories[2].Settings.ImmutableTags = true, true
	r, err := Run(t.Context(), c)
	if err != nil || len(f.updated) != 0 || ids(r.Unfinished) != "a new" {
		t.Errorf("before the finish: %+v, %v, updated %v", r, err, f.updated)
	}
	delete(f.there, "new")
	c.Finish = true
	r, err = Run(t.Context(), c)
	if err != nil || !f.there["a"].ImmutableTags || f.there["b"].ImmutableTags || f.there["new"].ImmutableTags {
		t.Errorf("%+v, %v", f.there, err)
	}
	if len(r.LeftOut) != 1 || r.LeftOut[0].Repository.ID != "new" || ids(r.Unfinished) != "new" {
		t.Errorf("result %+v", r)
	}
	if r, err = Run(t.Context(), c); err != nil || !f.there["new"].ImmutableTags || len(r.LeftOut)+len(r.Unfinished) != 0 {
		t.Errorf("once more: %+v, %v", r, err)
	}
}
