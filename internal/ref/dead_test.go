package ref

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// mappingOf makes rules that all lead to one target, written in f.yaml from line 1.
func mappingOf(t testing.TB, patterns ...string) Mapping {
	t.Helper()
	var m Mapping
	for i, p := range patterns {
		u, err := ParseRule(p, "us-docker.pkg.dev/my-project/images")
		if err != nil {
			t.Fatal(err)
		}
		u.Place = "f.yaml:" + string(rune('1'+i))
		m.Rules = append(m.Rules, u)
	}
	return m
}

func named(names ...string) (out []Repository) {
	for _, n := range names {
		out = append(out, api.Registry.Repository(n))
	}
	return out
}

func TestDead(t *testing.T) {
	there := named("team/api", "team/web", "payments/ledger")
	for _, test := range []struct {
		name  string
		rules []string
		among []Repository
		want  []string // what the errors say
	}{
		{"all of use", []string{"team/api", "team/**", "**"}, there, nil},
		{"none", nil, there, nil},
		{"by host", []string{api.Registry.Host() + "/team/**"}, there, nil},
		{"a typing error", []string{"taem/**"}, there, []string{
			`f.yaml:1: the rule for "taem/**" matches none of the 3 repositories of the sources: did you mean "team/api"? mend the pattern, or take the rule out`}},
		{"a name that is nearly right", []string{"**", "payment/ledger"}, there, []string{
			`f.yaml:2: the rule for "payment/ledger" matches none of the 3 repositories of the sources: did you mean "payments/ledger"? mend the pattern, or take the rule out`}},
		{"nothing like it", []string{"zzz/qqq/**"}, there, []string{
			`f.yaml:1: the rule for "zzz/qqq/**" matches none of the 3 repositories of the sources: mend the pattern, or take the rule out`}},
		{"another region", []string{strings.Replace(api.Registry.Host(), "us-east-1", "us-east-2", 1) + "/team/api"}, there, []string{
			`of the 3 repositories of the sources: did you mean "` + api.String() + `"? `}},
		{"behind a wider one", []string{"team/**", "team/api"}, there, []string{
			`f.yaml:2: the rule for "team/api" is never reached: all that it matches (1 repository) is taken before by "team/**" (f.yaml:1); put it in front of that, or take it out`}},
		{"behind several", []string{"team/api", "team/web", "team/*"}, there, []string{
			`(2 repositories) is taken before by "team/api" (f.yaml:1), "team/web" (f.yaml:2); `}},
		{"behind many", []string{"a1", "a2", "a3", "a4", "a5", "a*"}, named("a1", "a2", "a3", "a4", "a5"), []string{
			`"a1" (f.yaml:1), "a2" (f.yaml:2), "a3" (f.yaml:3), 2 more; `}},
		{"twice", []string{"team/**", "team/**", "**"}, there, []string{`f.yaml:2: the rule for "team/**" is never reached`}},
		{"no repositories", []string{"**"}, nil, []string{`matches none of the 0 repositories of the sources: mend`}},
	} {
		var got []string
		for _, d := range mappingOf(t, test.rules...).Dead(test.among) {
			got = append(got, d.Error())
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], test.want[i]) {
				t.Errorf("%s: %s", test.name, cmp.Diff(test.want[i], got[i]))
			}
		}
	}
	if d := (DeadRule{Rule: Rule{From: Glob{text: "a"}}}); !strings.HasPrefix(d.Error(), `the rule for "a" `) {
		t.Error("without a place:", d)
	}
}

// Without its dead rules a mapping leads where it led, and none of the others is dead then; nor does any rule decide
// that is called dead.
func TestDeadRulesDecideNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"a", "b", "a/a", "a/b", "b/a/b", "ab"})
		pattern := rapid.SampledFrom([]string{"**", "*", "a", "b", "a/**", "a/*", "**/b", "b/**", "?", "a?", "ab"})
		var m Mapping
		for i, p := range rapid.SliceOfN(pattern, 0, 6).Draw(t, "rules") {
			u, err := ParseRule(p, "us-docker.pkg.dev/my-project/images-"+string(rune('a'+i)))
			if err != nil {
				t.Fatal(err)
			}
			m.Rules = append(m.Rules, u)
		}
		among := named(rapid.SliceOfN(word, 0, 6).Draw(t, "names")...)
		dead := map[string]bool{}
		for _, d := range m.Dead(among) {
			dead[d.Rule.To] = true
		}
		less := Mapping{Default: m.Default}
		for _, u := range m.Rules {
			if !dead[u.To] {
				less.Rules = append(less.Rules, u)
			}
		}
		if again := less.Dead(among); len(again) > 0 {
			t.Fatalf("%v are dead now", again)
		}
		for _, r := range among {
			before, errBefore := m.Map(r)
			after, errAfter := less.Map(r)
			if before != after || (errBefore == nil) != (errAfter == nil) {
				t.Fatalf("%s goes to %s, and to %s without the dead rules", r, before, after)
			}
			if i, ok := m.Rule(r); ok && dead[m.Rules[i].To] {
				t.Fatalf("%s is decided by a dead rule", r)
			}
		}
	})
}

// The distance is 0 for what a pattern matches, but for a slash, which no * stands for.
func TestDistance(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          int
	}{
		{"team/api", "team/api", 0}, {"team/**", "team/web/front", 0}, {"taem/**", "team/web", 2}, {"team", "teams", 1},
		{"te?m", "team", 0}, {"te?m", "tem", 1}, {"", "abc", 3}, {"abc", "", 3}, {"**", "", 0},
	} {
		if got := (Glob{text: test.pattern}).distance(test.name, 99); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.pattern, test.name, got, test.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		g, err := ParseGlob(rapid.StringMatching(`[ab/*?]{1,8}`).Draw(t, "pattern"))
		if err != nil {
			t.Fatal(err)
		}
		if name := rapid.StringMatching(`[ab/]{0,8}`).Draw(t, "name"); g.Match(name) && g.distance(name, 99) != 0 {
			t.Fatalf("%q matches %q at a distance of %d", g, name, g.distance(name, 99))
		}
	})
}

// What is matched in a short way is what the expression matches.
func TestShortWaysOfMatching(t *testing.T) {
	host := api.Registry.Host()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"a", "b", "/", "/**", "*", "?", host, host[:12], "\n"})
		g, err := ParseGlob("a" + strings.Join(rapid.SliceOfN(part, 0, 3).Draw(t, "pattern"), ""))
		if rapid.Bool().Draw(t, "from its beginning") {
			g, err = ParseGlob(rapid.SampledFrom([]string{host, host + "/", host + "/a", "/", "a/"}).Draw(t, "begin") + rapid.SampledFrom([]string{"", "/**", "**", "b/**"}).Draw(t, "end"))
		}
		if err != nil {
			t.Fatal(err)
		}
		r := api.Registry.Repository(strings.Join(rapid.SliceOfN(part, 0, 4).Draw(t, "name"), ""))
		if g.Match(r.Name) != g.re.MatchString(r.Name) || g.MatchRepository(r) != (g.re.MatchString(r.Name) || g.re.MatchString(r.String())) {
			t.Fatalf("%q, %q: %t, %t", g, r, g.Match(r.Name), g.MatchRepository(r))
		}
	})
}
