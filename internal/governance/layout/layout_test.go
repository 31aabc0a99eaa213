package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/ref"
)

// of makes sources in virginia; a name that has an @ is in ireland.
func of(traits Traits, names ...string) (out []Source) {
	for _, n := range names {
		s := Source{Repository: virginia.Repository(n), Traits: traits}
		if name, ok := strings.CutSuffix(n, "@"); ok {
			s.Repository = ireland.Repository(name)
		}
		out = append(out, s)
	}
	return out
}

func sources(lists ...[]Source) (out []Source) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func settled(list []Source) []Source {
	for i := range list {
		list[i].Settled = true
	}
	return list
}

var (
	plain     = Traits{}
	immutable = Traits{Immutable: true}
	keyed     = Traits{Key: "arn:aws:kms:us-east-1:123456789012:key/1"}
	swept     = Traits{Cleanup: `{"rules":[1]}`}
	swept2    = Traits{Cleanup: `{"rules":[2]}`}
)

const (
	at       = "us-docker.pkg.dev/my-project/"
	europe   = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	american = "123456789012.dkr.ecr.us-east-1.amazonaws.com/"
)

func TestPropose(t *testing.T) {
	long := "deep/" + strings.Repeat("a", 195)
	for _, test := range []struct {
		name    string
		sources []Source
		want    []string // rules
	}{
		{"nothing", nil, nil},
		{"all alike: the repository that the user named", of(plain, "team/api", "team/web"), nil},
		{"two kinds in two prefixes", sources(of(plain, "team/api", "team/web"), of(immutable, "base/go", "base/java")), []string{
			"base/** → " + at + "base", "team/** → " + at + "team"}},
		{"one that differs", sources(of(plain, "team/api", "team/web", "team/db"), of(immutable, "team/odd")), []string{
			"team/odd → " + at + "team-odd/team/odd", "team/** → " + at + "team"}},
		{"no name in common: below --to, without rules", sources(of(plain, "api", "web", "db"), of(immutable, "base/go", "base/java")), []string{
			"base/** → " + at + "base"}},
		{"nothing in common, twice: what differs", sources(of(plain, "api", "web", "db"), of(immutable, "go", "java")), []string{
			"go → " + at + "app-images-immutable/go", "java → " + at + "app-images-immutable/java"}},
		{"the same prefix, three times", sources(of(plain, "team/a", "team/b", "team/c"), of(immutable, "team/d", "team/e"), of(keyed, "team/f", "team/g")), []string{
			"team/d → " + at + "team-immutable/team/d", "team/e → " + at + "team-immutable/team/e",
			"team/f → " + at + "team-kms/team/f", "team/g → " + at + "team-kms/team/g", "team/** → " + at + "team"}},
		{"two that differ in the policy's text alone", sources(of(plain, "team/a", "team/b", "team/c", "team/z"), of(swept, "team/d", "team/e", "team/f"), of(swept2, "team/g", "team/h")), []string{
			"team/d → " + at + "team-cleanup/team/d", "team/e → " + at + "team-cleanup/team/e", "team/f → " + at + "team-cleanup/team/f",
			"team/g → " + at + "team-cleanup-2/team/g", "team/h → " + at + "team-cleanup-2/team/h", "team/** → " + at + "team"}},
		{"letters that ids do not have", sources(of(plain, "3scale/a.b", "3scale/a_c"), of(immutable, "my.team__x/a", "my.team__x/b")), []string{
			"3scale/** → " + at + "app-images-3scale-a", "my.team__x/** → " + at + "my-team-x"}},
		{"a name that is a prefix too", sources(of(plain, "team", "other"), of(immutable, "team/api", "team/web")), []string{
			"team/** → " + at + "team"}},
		{"one account against the other", sources(of(plain, "team/a", "team/b", "web"), of(immutable, "team/a@", "team/b@", "web@")), []string{
			american + "** → " + at + "app-images-mutable"}},
		{"one name of many in two registries", sources(of(plain, "team/a", "team/b", "team/c", "team/a@"), of(immutable, "team/b@", "ops/x@")), []string{
			europe + "team/b → " + at + "app-images/team/b", "team/** → " + at + "team"}},
		{"a name that leaves little room", sources(of(plain, long), of(immutable, "base/go", "base/java")), []string{
			"base/** → " + at + "base", long + " → " + at + "deep-" + strings.Repeat("a", 38) + "/" + long}},
	} {
		p := Propose(Input{Base: base(""), Sources: test.sources})
		if got := lines(p.Rules); !cmp.Equal(got, test.want) {
			t.Errorf("%s: %s", test.name, cmp.Diff(test.want, got))
		}
	}
}

// The path of --to stays in front of the names.
func TestThePathOfTheTargetStays(t *testing.T) {
	p := Propose(Input{Base: base("ecr"), Sources: sources(of(plain, "team/api", "team/web", "x1"), of(immutable, "team/db", "base/go", "base/java"))})
	want := []string{"team/db → " + at + "app-images/ecr/team/db", "team/** → " + at + "app-images-mutable/ecr", "x1 → " + at + "app-images-mutable/ecr/x1"}
	if got := lines(p.Rules); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

// Repositories of one name that hold different things are kept apart.
func TestDifferentContentIsKeptApart(t *testing.T) {
	list := sources(of(plain, "team/api", "team/api@", "team/web", "team/web@"), of(immutable, "base/go", "base/java"))
	for i := range list {
		if list[i].Repository == ireland.Repository("team/api") {
			list[i].Content = "other"
		}
	}
	want := []string{american + "team/api → " + at + "team/us-east-1/team/api", "base/** → " + at + "base", "team/** → " + at + "team"}
	if got := lines(Propose(Input{Base: base(""), Sources: list}).Rules); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got)) // eu-west-1 comes first
	}
}

func TestFrozen(t *testing.T) {
	frozen := func(pairs ...string) (out []ref.Rule) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, rule(pairs[i], at+pairs[i+1]))
		}
		return out
	}
	for _, test := range []struct {
		name          string
		frozen        []ref.Rule
		sources       []Source
		want, dropped []string
	}{
		{"nothing new", frozen("team/**", "team"), settled(of(plain, "team/a", "web")), []string{"team/** → " + at + "team"}, nil},
		{"what changed stays", frozen("team/**", "team"), settled(sources(of(plain, "team/a"), of(immutable, "team/b"))), []string{"team/** → " + at + "team"}, nil},
		{"new, and led to compatible company", frozen("team/**", "team"), sources(settled(of(plain, "team/a")), of(plain, "team/b")), []string{"team/** → " + at + "team"}, nil},
		{"new, and led to others", frozen("team/**", "team"), sources(settled(of(plain, "team/a")), of(immutable, "team/b")), []string{
			"team/b → " + at + "team-b/team/b", "team/** → " + at + "team"}, nil},
		{"new, and led nowhere", frozen("team/**", "team"), sources(settled(of(plain, "team/a")), of(plain, "web/a", "web/b")), []string{
			"team/** → " + at + "team", "web/** → " + at + "team"}, nil},
		{"new, and mixed company", frozen("team/**", "team"), sources(settled(of(plain, "team/a")), settled(of(immutable, "team/b")), of(plain, "team/c")), []string{
			"team/c → " + at + "team-c/team/c", "team/** → " + at + "team"}, nil},
		{"new, and two that fit: the more alike", frozen("team/**", "team", "web/**", "web"), sources(settled(of(plain, "team/a", "web/a")), of(plain, "web")), []string{
			"team/** → " + at + "team", "web/** → " + at + "web", "web → " + at + "web/web"}, nil},
		{"a rule that is of no use any more", frozen("team/**", "team", "gone/**", "gone"), settled(of(plain, "team/a")), []string{"team/** → " + at + "team"}, []string{"gone/** → " + at + "gone"}},
	} {
		p := Propose(Input{Base: base(""), Sources: test.sources, Frozen: test.frozen})
		if got := lines(p.Rules); !cmp.Equal(got, test.want) {
			t.Errorf("%s: %s", test.name, cmp.Diff(test.want, got))
		}
		if got := lines(p.Dropped); !cmp.Equal(got, test.dropped) {
			t.Errorf("%s, dropped: %s", test.name, cmp.Diff(test.dropped, got))
		}
	}
}

func TestYAML(t *testing.T) {
	p := Propose(Input{Base: base(""), Sources: sources(
		of(plain, "api", "web"), of(Traits{Cleanup: "{x}", Scanned: true}, "team/a", "team/b", "team/c"), of(Traits{Immutable: true, Cleanup: "{x}", Access: "{y}", Key: "arn:\nx: y"}, "team/d"),
		[]Source{{Repository: virginia.Repository("NO NAME")}},
	)})
	want := `# us-docker.pkg.dev/my-project/app-images: 2 repositories with tags that can be moved, no key of
#   their own, no lifecycle policy, images that are not scanned and no repository policy. It differs
#   from team in clean-up and scanning, from team-d in immutability, key, clean-up and readers.
# us-docker.pkg.dev/my-project/team: 3 repositories with tags that can be moved, no key of their
#   own, the lifecycle policy of team/a, scanned images and no repository policy. It differs from
#   app-images in clean-up and scanning, from team-d in immutability, key, scanning and readers.
# us-docker.pkg.dev/my-project/team-d: 1 repository with immutable tags, the key arn:?x: y, the
#   lifecycle policy of team/a, images that are not scanned and the repository policy of team/d. It
#   differs from app-images in immutability, key, clean-up and readers, from team in immutability,
#   key, scanning and readers.
mappings: # the first match wins; everything else goes below to
  - from: "team/d"
    to: us-docker.pkg.dev/my-project/team-d/team/d
  - from: "team/**"
    to: us-docker.pkg.dev/my-project/team
`
	if got := p.YAML(); got != want {
		t.Error(cmp.Diff(want, got))
	}
	if len(p.Left) != 1 {
		t.Errorf("left: %v", p.Left)
	}
	if got := Propose(Input{Base: base("")}).YAML(); got != "mappings: []\n" {
		t.Error(got)
	}
}
