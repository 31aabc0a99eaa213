package stage

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
)

// What lists name gets its rank, in their order; what the plan does not bring is told, with the reason.
func TestRank(t *testing.T) {
	t.Parallel()
	one, two := ref.Registry{Account: "123456789012", Region: "us-east-1"}, ref.Registry{Account: "123456789012", Region: "eu-west-1"}
	d := func(s string) digest.Digest { return digest.FromString(s) }
	at := func(name string) ref.TargetImage {
		return ref.TargetImage{Repository: ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "x"}}.Join(name)
	}
	p := document.Plan{
		Images: []document.PlannedImage{
			{Target: at("api"), Sources: []ref.Repository{two.Repository("team/api"), one.Repository("team/api")}, References: []document.PlannedReference{
				{Digest: d("a1"), Tags: []string{"1", "latest"}}, {Digest: d("a2"), Source: 1}, {Digest: d("a3"), Tags: []string{"3"}},
			}},
			{Target: at("web"), Sources: []ref.Repository{one.Repository("team/web")}, References: []document.PlannedReference{{Digest: d("w1"), Tags: []string{"1"}}}},
			{Target: at("off"), Sources: []ref.Repository{one.Repository("team/off")}, References: []document.PlannedReference{{Digest: d("o1"), Tags: []string{"1"}}}},
		},
		Refused: []document.Refusal{
			{Source: one.Repository("team/web"), Digest: d("w0"), Tag: "0", Rule: document.RuleArchived},
			{Source: one.Repository("team/old"), Rule: document.RuleConflict},
		},
	}
	text := strings.Join([]string{
		"team/web:1", one.Host() + "/team/api@" + d("a2").String(), "team/api:latest", "team/api:wrong@" + d("a3").String(), "team/api", // ranks 1 to 5
		"team/web:9", "team/web:0", "team/old:1", "team/nothing", "team/off:1", "docker.io:443/team/x",
	}, "\n")
	list, err := references.NewFinder(one, two).Read("-", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	first, unmatched := Rank(p, func(r ref.Repository) bool { return r.Name != "team/off" }, list)
	for _, want := range []struct {
		target ref.TargetImage
		digest digest.Digest
		rank   int
	}{
		{at("web"), d("w1"), 1}, {at("api"), d("a2"), 2}, {at("api"), d("a1"), 3}, {at("api"), d("a3"), 4}, {at("off"), d("o1"), 0},
	} {
		if got := first.rank(want.target, want.digest); got != want.rank {
			t.Errorf("%s@%s has the rank %d, want %d", want.target, want.digest, got, want.rank)
		}
	}
	if first.Len() != 4 {
		t.Errorf("%d images are first, want 4", first.Len())
	}
	for i, want := range []Unmatched{
		{"team/web:9", "no such image in the plan", false}, {"team/web:0", "left out: archived", true}, {"team/old:1", "left out: conflict", true},
		{"team/nothing", "no such repository in the plan", false}, {"team/off:1", "not in the scope of this command", true}, {"docker.io:443/team/x", "of another registry", false},
	} {
		if i >= len(unmatched) || unmatched[i] != want {
			t.Fatalf("unmatched are %+v", unmatched)
		}
	}
	if (First{}).rank(at("web"), d("w1")) != 0 {
		t.Error("nothing is first where nothing is named")
	}
}
