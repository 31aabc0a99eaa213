package provision

import (
	"context"
	"errors"
	"slices"
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

	mu      sync.Mutex
	created []string
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

func (f *fake) Create(_ context.Context, r ref.TargetRepository, description string) error {
	if err := f.fails["create "+r.ID]; err != nil {
		return err
	}
	f.created, f.at = append(f.created, strings.TrimSpace(r.ID+" "+description)), append(f.at, time.Now())
	return nil
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
		if err != nil || strings.Join(f.created, ", ") != "a, c for team c, d" || ids(r.Created) != "a c d" || ids(r.Existing) != "b e" {
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
		if len(steps) != 4 || steps[1] != (Progress{Done: 1, Total: 3, Creating: repositories[2].URI}) || steps[3] != (Progress{Done: 3, Total: 3}) {
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
		if err != nil || len(f.created)+len(r.Created) != 0 || ids(r.Existing) != "a b" || time.Since(begin) != 0 {
			t.Errorf("created %v, result %+v, error %v", f.created, r, err)
		}
		if r, err := Run(t.Context(), Config{Target: f}); err != nil || r.Created == nil || r.Existing == nil {
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
	missing, existing, err := Preview(t.Context(), Config{Repositories: planned("a", "b", "c"), Target: f})
	if err != nil || ids(existing) != "b" || len(f.created) != 0 ||
		!slices.EqualFunc(missing, []string{"a", "c"}, func(r document.PlannedRepository, id string) bool { return r.URI.ID == id }) {
		t.Errorf("missing %v, existing %v, created %v, error %v", missing, existing, f.created, err)
	}
}
