package inventory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// guardedSource is a registry with settings in memory. An error under a repository's name comes beside its tags.
type guardedSource struct {
	counter
	name ref.Registry
	errs map[string]error
}

func (s *guardedSource) Registry() ref.Registry { return s.name }

func (s *guardedSource) RegistrySettings(context.Context) (document.RegistrySettings, error) {
	s.count("registry")
	return document.RegistrySettings{Registry: s.name, ScanType: "BASIC"}, s.errs[""]
}

func (s *guardedSource) RepositorySettings(_ context.Context, r ref.Repository) (document.RepositorySettings, error) {
	s.count(r.Name)
	return document.RepositorySettings{URI: r, Tags: map[string]string{"name": r.Name}}, s.errs[r.Name]
}

func TestSettings(t *testing.T) {
	east, west := &guardedSource{name: virginia, errs: map[string]error{}}, &guardedSource{name: ireland, errs: map[string]error{}}
	scope, err := ref.ParseScope(nil, []string{"out"})
	if err != nil {
		t.Fatal(err)
	}
	c := SettingsConfig{Sources: []SettingsSource{west, east}, Scope: scope, Now: func() time.Time { return day }}
	for _, r := range []ref.Repository{virginia.Repository("a"), virginia.Repository("b"), virginia.Repository("out"), ireland.Repository("a")} {
		c.Repositories = append(c.Repositories, document.SourceRepository{URI: r})
	}
	denied := &registry.Error{Side: registry.Source, Op: "read the policy of", Object: "b", Class: registry.Denied, Err: errors.New("no"), Hint: "allow it"}
	east.errs["b"] = errors.Join(denied, errors.New("and more"))
	var last SettingsProgress
	c.Progress = func(p SettingsProgress) { last = p }

	got, err := Settings(t.Context(), c)
	want := document.Settings{
		Header: document.NewHeader(document.KindSettings, document.Migration{}),
		Registries: []document.RegistrySettings{
			{Registry: ireland, ReadAt: day, ScanType: "BASIC"}, {Registry: virginia, ReadAt: day, ScanType: "BASIC"},
		},
		Repositories: []document.RepositorySettings{
			{URI: ireland.Repository("a"), ReadAt: day, Tags: map[string]string{"name": "a"}},
			{URI: virginia.Repository("a"), ReadAt: day, Tags: map[string]string{"name": "a"}},
			{URI: virginia.Repository("b"), ReadAt: day, Tags: map[string]string{"name": "b"}, Partial: true},
		},
		Failures: []document.Failure{
			{Source: virginia.Repository("b").String(), Class: "unknown", Error: "and more"},
			{Source: virginia.Repository("b").String(), Class: "denied", Hint: "allow it", Error: "source: read the policy of b: no"},
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("first: %v (-want +got):\n%s", err, diff)
	}
	if last != (SettingsProgress{3, 3}) {
		t.Errorf("the progress ended at %+v", last)
	}

	// Only what is new, or was read in part, is asked for again; what is gone is forgotten.
	delete(east.errs, "b")
	c.Known = got
	c.Repositories = append(c.Repositories[1:], document.SourceRepository{URI: virginia.Repository("new")})
	got, err = Settings(t.Context(), c)
	want.Repositories = []document.RepositorySettings{
		want.Repositories[0],
		{URI: virginia.Repository("b"), ReadAt: day, Tags: map[string]string{"name": "b"}},
		{URI: virginia.Repository("new"), ReadAt: day, Tags: map[string]string{"name": "new"}},
	}
	want.Failures = []document.Failure{}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("second: %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(map[string]int{"registry": 1, "a": 1, "b": 2, "new": 1}, east.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
