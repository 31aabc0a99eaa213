package provision

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

type fake struct {
	there   map[string]document.TargetRepository
	fails   string
	created []string
	at      []time.Time
	asked   int
}

func (f *fake) Repository(_ context.Context, r ref.TargetRepository) (document.TargetRepository, error) {
	f.asked++
	if found, ok := f.there[r.ID]; ok {
		return found, nil
	}
	return document.TargetRepository{}, &registry.Error{Side: registry.Target, Op: "get", Class: registry.NoRepository}
}

func (f *fake) Create(_ context.Context, r ref.TargetRepository, _ string) error {
	if r.ID == f.fails {
		return errors.New("no permission to create " + r.ID)
	}
	f.created, f.at = append(f.created, r.ID), append(f.at, time.Now())
	return nil
}

func planned(ids ...string) (out []document.PlannedRepository) {
	for _, id := range ids {
		out = append(out, document.PlannedRepository{URI: ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: id}})
	}
	return out
}

func TestRunCreatesWhatIsMissingAtTheAllowedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{there: map[string]document.TargetRepository{"b": {Format: "DOCKER", Mode: "STANDARD_REPOSITORY"}}}
		r, err := Run(t.Context(), Config{Repositories: planned("a", "b", "c", "d"), Target: f, Logger: slog.New(slog.DiscardHandler)})
		if err != nil || strings.Join(f.created, " ") != "a c d" || len(r.Created) != 3 || len(r.Existing) != 1 {
			t.Fatalf("created %v, result %+v, error %v", f.created, r, err)
		}
		for i := 1; i < len(f.at); i++ {
			if d := f.at[i].Sub(f.at[i-1]); d < Interval {
				t.Errorf("two creations within %v", d)
			}
		}
		if f.asked != 4 {
			t.Errorf("%d questions for 4 repositories", f.asked)
		}
	})
}

func TestNothingIsCreatedBesideWhatCannotBeUsed(t *testing.T) {
	for _, unusable := range []document.TargetRepository{
		{Format: "MAVEN"}, {Format: "DOCKER", Mode: "REMOTE_REPOSITORY"}, {Format: "DOCKER", Mode: "VIRTUAL_REPOSITORY"},
	} {
		f := &fake{there: map[string]document.TargetRepository{"b": unusable}}
		if _, err := Run(t.Context(), Config{Repositories: planned("a", "b"), Target: f, Logger: slog.New(slog.DiscardHandler)}); err == nil || len(f.created) > 0 {
			t.Errorf("%+v: created %v, error %v", unusable, f.created, err)
		}
	}
}

func TestOneFailureDoesNotStopTheOthers(t *testing.T) {
	f := &fake{fails: "b"}
	c := Config{Repositories: planned("a", "b", "c"), Target: f, Interval: time.Nanosecond, Logger: slog.New(slog.DiscardHandler)}
	r, err := Run(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "create b") || len(r.Created) != 2 {
		t.Errorf("result %+v, error %v", r, err)
	}
}
