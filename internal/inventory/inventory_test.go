package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

func TestBothSidesAreListedAndSorted(t *testing.T) {
	a, b := newSource(virginia), newSource(ireland)
	a.add("team/web", "2", 2, "v2", "latest")
	a.add("team/web", "1", 1)
	a.add("api", "3", 3, "v1").Status = document.StatusArchived
	b.add("api", "3", 3)
	c := config(a, b)
	c.Migration.Sources = []ref.Registry{ireland, virginia}
	europe := ref.TargetRepository{Location: "europe", Project: "my-project", ID: "missing"}
	rule, err := ref.ParseRule("x", europe.String())
	if err != nil {
		t.Fatal(err)
	}
	c.Mapping.Rules = []ref.Rule{rule}
	target := &fakeTarget{
		repositories: map[ref.TargetRepository]document.TargetRepository{apps: {URI: apps, Format: "DOCKER", Mode: "STANDARD_REPOSITORY"}},
		images: map[ref.TargetRepository][]document.TargetImage{apps: {{URI: apps.Image("team/web"), Digest: hash("1")}, {URI: apps.Image("foreign"), Digest: hash("4")},
			{URI: apps.Image("api"), Digest: hash("2"), Tags: []string{"z", "y"}}}},
	}
	c.Target = target
	last := map[registry.Side]Progress{}
	c.Progress = func(p Progress) { last[p.Side] = p } // the race detector sees whether calls overlap
	inv, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range inv.Source.Images {
		got = append(got, fmt.Sprintf("%s %t %s %s %s", i.URI, i.Digest == hash("3"), i.Tags, i.Status, i.Name))
	}
	first, second := "[latest v2]", "[]"
	if hash("1") < hash("2") {
		first, second = second, first
	}
	want := []string{
		ireland.Host() + "/api true [] ACTIVE api",
		virginia.Host() + "/api true [v1] ARCHIVED api",
		virginia.Host() + "/team/web false " + first + " ACTIVE team/web",
		virginia.Host() + "/team/web false " + second + " ACTIVE team/web",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(inv.Source.Repositories) != 3 || inv.Source.Repositories[0].URI != ireland.Repository("api") {
		t.Errorf("%v", inv.Source.Repositories)
	}
	if len(inv.Target.Repositories) != 1 || len(inv.Target.Images) != 2 || inv.Target.Images[0].URI.Path != "api" || inv.Target.Images[0].Tags[0] != "y" {
		t.Errorf("%+v", inv.Target)
	}
	wantProgress := map[registry.Side]Progress{
		registry.Source: {registry.Source, 3, 3, 4}, registry.Target: {registry.Target, 1, 1, 2},
	}
	if diff := cmp.Diff(wantProgress, last); diff != "" {
		t.Error(diff)
	}
	if len(inv.Failures) != 0 || target.calls["repository"] != 2 || target.calls["images"] != 1 {
		t.Errorf("%v, %v", inv.Failures, target.calls)
	}
	if a.calls["repositories"] != 1 || a.calls["images"] != 2 || a.calls["referrers"] != 1 || b.calls["referrers"] != 0 {
		t.Errorf("%v, %v", a.calls, b.calls)
	}
	var one, two bytes.Buffer
	again, _ := Run(t.Context(), c)
	_, _ = document.Encode(&one, inv), document.Encode(&two, again)
	if !bytes.Equal(one.Bytes(), two.Bytes()) || bytes.Contains(one.Bytes(), []byte("null")) {
		t.Error("a second inventory differs, or has a null in it")
	}
}

func TestImagesAreListedInScopeOnly(t *testing.T) {
	s := newSource(virginia)
	s.add("api", "1", 1)
	s.add("team/web", "2", 2)
	c := config(s)
	c.Scope, _ = ref.ParseScope([]string{"team/*"}, nil)
	inv, err := Run(t.Context(), c)
	if err != nil || len(inv.Source.Repositories) != 2 || len(inv.Source.Images) != 1 || s.calls["images"] != 1 {
		t.Errorf("%+v, %v", inv, err)
	}
	if diff := cmp.Diff(document.Scope{Include: []string{"team/*"}}, inv.Scope); diff != "" {
		t.Error(diff)
	}
}

func TestOneRepositoryFails(t *testing.T) {
	s := newSource(virginia)
	s.add("api", "1", 1)
	s.add("api", "2", 2)
	s.add("web", "3", 3)
	s.errs["api"] = denied("list images")
	inv, err := Run(t.Context(), config(s))
	if err != nil {
		t.Fatal(err)
	}
	want := []document.Failure{{
		Source: virginia.Repository("api").String(), Class: "denied", Error: "source: list images: access denied", Hint: "allow it",
	}}
	if diff := cmp.Diff(want, inv.Failures); diff != "" {
		t.Error(diff)
	}
	if len(inv.Source.Images) != 1 || len(inv.Source.Repositories) != 2 {
		t.Errorf("half a listing is kept: %+v", inv.Source)
	}
}

func TestOneRegistryFails(t *testing.T) {
	a, b := newSource(virginia), newSource(ireland)
	a.errs[""] = denied("list repositories")
	b.add("api", "1", 1)
	inv, err := Run(t.Context(), config(a, b))
	if err != nil || len(inv.Failures) != 1 || inv.Failures[0].Source != virginia.Host() || len(inv.Source.Images) != 1 {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestEverySourceFails(t *testing.T) {
	a, b := newSource(virginia), newSource(ireland)
	a.errs[""] = denied("list repositories")
	b.add("api", "1", 1)
	b.errs["api"] = denied("list images")
	inv, err := Run(t.Context(), config(a, b))
	if registry.ClassOf(err) != registry.Denied || registry.HintOf(err) != "allow it" || len(inv.Failures) != 2 {
		t.Errorf("%+v, %v", inv.Failures, err)
	}
}

func TestANameThatECRDoesNotAllowIsLeftOut(t *testing.T) {
	s := newSource(virginia)
	s.add("../x", "1", 1)
	s.add("api", "1", 1)
	inv, err := Run(t.Context(), config(s))
	if err != nil || len(inv.Source.Repositories) != 1 || len(inv.Failures) != 1 {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestTheTargetFails(t *testing.T) {
	s := newSource(virginia)
	s.add("api", "1", 1)
	c := config(s)
	c.Target = &fakeTarget{err: denied("look at repository")}
	if _, err := Run(t.Context(), c); registry.ClassOf(err) != registry.Denied {
		t.Errorf("the error is %v", err)
	}
	for _, r := range []document.TargetRepository{{Format: "MAVEN"}, {Format: "DOCKER", Mode: "REMOTE_REPOSITORY"}} {
		c.Target = &fakeTarget{repositories: map[ref.TargetRepository]document.TargetRepository{apps: r}}
		if _, err := Run(t.Context(), c); registry.ClassOf(err) != registry.Unsupported {
			t.Errorf("%+v: the error is %v", r, err)
		}
	}
}

func TestOneSideStopsTheOther(t *testing.T) {
	s := newSource(virginia)
	s.errs[""] = denied("list repositories")
	c := config(s)
	c.Target = &fakeTarget{block: true}
	_, err := Run(t.Context(), c)
	if registry.ClassOf(err) != registry.Denied || errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestCanceled(t *testing.T) {
	s := newSource(virginia)
	s.add("api", "1", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, config(s)); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestPullTimesStayAsFirstSeen(t *testing.T) {
	s := newSource(virginia)
	s.add("api", "1", 1).LastPulledAt = day
	s.add("api", "2", 2)
	c := config(s)
	first, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for n := range s.images["api"] { // the migration reads them
		s.images["api"][n].LastPulledAt = day.AddDate(0, 1, 0)
	}
	s.add("api", "3", 3).LastPulledAt = day.AddDate(0, 2, 0)
	c.Previous = func(each func(document.SourceImage)) {
		for _, i := range first.Source.Images {
			each(i)
		}
	}
	second, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, i := range second.Source.Images {
		switch i.Digest {
		case hash("1"):
			got["1"] = i.LastPulledAt.Equal(day)
		case hash("2"):
			got["2"] = i.LastPulledAt.IsZero()
		case hash("3"):
			got["3"] = i.LastPulledAt.Equal(day.AddDate(0, 2, 0))
		}
	}
	if diff := cmp.Diff(map[string]bool{"1": true, "2": true, "3": true}, got); diff != "" {
		t.Error(diff)
	}
}

func TestATagThatMovesBetweenPagesIsThereOnce(t *testing.T) {
	s := newSource(virginia)
	s.add("api", "new", 9, "latest", "v2")
	s.add("api", "old", 1, "latest", "v1")
	s.add("api", "old", 1, "v1")
	inv, err := Run(t.Context(), config(s))
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{}
	for _, i := range inv.Source.Images {
		tags[i.Digest.String()] = fmt.Sprint(i.Tags)
	}
	want := map[string]string{hash("new").String(): "[latest v2]", hash("old").String(): "[v1]"}
	if diff := cmp.Diff(want, tags); diff != "" {
		t.Error(diff)
	}
}
