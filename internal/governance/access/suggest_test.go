package access

import (
	"strings"
	"testing"

	"transship/internal/document"
	"transship/internal/ref"
)

const pullPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ci"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}`

// What could not be read is not taken for what says nothing: it may be opened, and it may deny.
func TestWhatWasNotReadMayBeAnything(t *testing.T) {
	west := ref.Registry{Account: "123456789012", Region: "eu-west-1"}
	s := document.Settings{
		Registries:   []document.RegistrySettings{{Registry: west}},
		Repositories: []document.RepositorySettings{{URI: testSource("app"), Policy: pullPolicy}, {URI: testSource("half")}, {URI: testSource("elsewhere")}},
		Failures: []document.Failure{
			{Source: testSource("half").String()}, {Source: testSource("gone").String()}, {Source: testRegistry.String()}, {Source: "what is this?"},
			{Source: testSource("app").String()}, // its policy is there: something else failed
		},
	}
	in := FromSettings(s, func(r ref.Repository) (ref.TargetRepository, bool) { return testTarget, r.Name != "elsewhere" })
	unread := map[string]bool{}
	for _, r := range in.Repositories {
		unread[r.Source.Name] = r.Unread
	}
	for _, g := range in.Registries {
		unread[g.Source.Region] = g.Unread
	}
	if len(unread) != 5 || unread["app"] || !unread["half"] || !unread["gone"] || !unread["us-east-1"] || unread["eu-west-1"] {
		t.Errorf("%v", unread)
	}
	got := Suggest(in)
	if len(got.Grants) != 1 || !strings.Contains(got.Grants[0].Decide, "opens 2 other repositories") ||
		!strings.Contains(got.Grants[0].Decide, "the registry's policy could not be read and may deny it") {
		t.Errorf("%+v", got.Grants)
	}
	for _, ts := range [][]document.Translation{got.Repositories[testSource("half")], got.Repositories[testSource("gone")], got.Registries[testRegistry]} {
		if len(ts) != 1 || ts[0].Fate != document.FateRefused || ts[0].Reason == "" || ts[0].Decide == "" {
			t.Errorf("%+v", ts)
		}
	}
}

// A target repository is judged by what goes there, and by nothing else.
func TestTargetsAreJudgedApart(t *testing.T) {
	other := testTarget
	other.ID = "other"
	in := Input{Repositories: []Repository{
		{Source: testSource("a"), Target: testTarget, Policy: pullPolicy}, {Source: testSource("b"), Target: other, Policy: pullPolicy}, {Source: testSource("c"), Target: other},
	}}
	g := Suggest(in).Grants
	if len(g) != 2 || g[0].Target != testTarget || strings.Contains(g[0].Decide, "opens") || g[1].Target != other || !strings.Contains(g[1].Decide, "opens 1 other repository") {
		t.Errorf("%+v", g)
	}
}
