package ref

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var api = Registry{"123456789012", "us-east-1"}.Repository("team/api")

func TestGlob(t *testing.T) {
	tests := []struct {
		glob string
		yes  []string
		no   []string
	}{
		{"team/*", []string{"team/api", "team/"}, []string{"team", "team/api/v2", "xteam/api"}},
		{"team/**", []string{"team/api", "team/api/v2"}, []string{"team"}},
		{"**", []string{"", "a", "a/b"}, nil},
		{"a?c", []string{"abc"}, []string{"ac", "a/c", "abbc"}},
		{"a.c", []string{"a.c"}, []string{"abc"}},
		{"*-prod", []string{"api-prod"}, []string{"api-prod2", "x/api-prod"}},
		{"[a](b)+", []string{"[a](b)+"}, []string{"ab"}},
	}
	for _, test := range tests {
		g, err := ParseGlob(test.glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range test.yes {
			if !g.Match(s) {
				t.Errorf("%s does not match %q", g, s)
			}
		}
		for _, s := range test.no {
			if g.Match(s) {
				t.Errorf("%s matches %q", g, s)
			}
		}
	}
	if _, err := ParseGlob(""); err == nil {
		t.Error("an empty pattern passes")
	}
	if (Glob{}).Match("") {
		t.Error("the zero glob matches")
	}
}

func TestRules(t *testing.T) {
	const to = "us-docker.pkg.dev/my-project/app-images"
	tests := []struct{ from, to, want string }{
		{"team/api", to + "/backend", to + "/backend"},                  // one image
		{"team/api", to, to + "/team/api"},                              // a repository: the name is appended
		{"team/*", to + "/x", to + "/x/team/api"},                       // likewise below a path
		{"team/**", to + "/**", to + "/api"},                            // what ** matched
		{"team/**", to + "/backend/**", to + "/backend/api"},            //
		{api.Registry.Host() + "/**", to + "/v/**", to + "/v/team/api"}, // by host
		{"**.us-east-1.amazonaws.com/team/api", to, to + "/team/api"},
		{"other/*", to, ""},
	}
	for _, test := range tests {
		u, err := ParseRule(test.from, test.to)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Mapping{Rules: []Rule{u}}.Map(api)
		if test.want == "" {
			if !errors.Is(err, ErrUnmapped) {
				t.Errorf("%s is mapped to %s, %v", test.from, got, err)
			}
			continue
		}
		if err != nil || got.String() != test.want {
			t.Errorf("%s → %s: %s, %v", test.from, test.to, got, err)
		}
	}
}

func TestRulesRefuse(t *testing.T) {
	const to = "us-docker.pkg.dev/my-project/app-images"
	for _, pair := range [][2]string{
		{"", to}, {"a", "docker.io/x"}, {"a", to + "/*"}, {"a", to + "/**/b"}, {"a", to + "/**"}, {"*", to + "/**"},
		{"**/**", to + "/**"}, {"***", to + "/**"}, {"*/**", to + "/**"}, {"a", ""}, {"a", "/**"},
	} {
		if u, err := ParseRule(pair[0], pair[1]); err == nil {
			t.Errorf("%v passes: %+v", pair, u)
		}
	}
}

func TestTheFirstRuleWins(t *testing.T) {
	rule := func(from, to string) Rule {
		u, err := ParseRule(from, to)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	m := Mapping{
		Default: TargetImage{Repository: TargetRepository{"us", "my-project", "rest"}},
		Rules:   []Rule{rule("team/*", "us-docker.pkg.dev/my-project/one"), rule("**", "europe-docker.pkg.dev/my-project/two/x")},
	}
	if got, _ := m.Map(api); got.String() != "us-docker.pkg.dev/my-project/one/team/api" {
		t.Error(got)
	}
	want := []TargetRepository{{"europe", "my-project", "two"}, {"us", "my-project", "one"}, {"us", "my-project", "rest"}}
	if diff := cmp.Diff(want, m.Targets()); diff != "" {
		t.Error(diff)
	}
	if got := (Mapping{}).Targets(); len(got) != 0 {
		t.Error(got)
	}
}

func TestTheDefaultTargetIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Mapping{Default: drawTarget(t)}
		a, b := drawRepository(t), drawRepository(t)
		b.Registry = a.Registry
		x, errX := m.Map(a)
		y, errY := m.Map(b)
		if errX != nil || errY != nil {
			t.Skip("too long")
		}
		if (x == y) != (a == b) || (x.String() == y.String()) != (a == b) {
			t.Fatalf("%s and %s become %s and %s", a, b, x, y)
		}
		if !strings.HasSuffix(x.String(), "/"+a.Name) {
			t.Fatalf("%s becomes %s", a, x)
		}
	})
}

// What a rule with ** leads to tells what it came from, so that no two repositories meet there; and what went by the
// default target never ends among them, where that is another repository.
func TestRulesAreReversible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix, to, def := drawRepository(t), drawTarget(t), drawTarget(t)
		if to.Repository == def.Repository {
			t.Skip("one repository for both")
		}
		u, err := ParseRule(prefix.Name+"/**", to.String()+"/**")
		if err != nil {
			t.Fatal(err)
		}
		m := Mapping{Default: def, Rules: []Rule{u}}
		name := rapid.SampledFrom([]string{prefix.Name + "/", ""}).Draw(t, "below") + drawRepository(t).Name
		x, err := m.Map(prefix.Registry.Repository(name))
		if err != nil {
			t.Skip("too long")
		}
		back := strings.TrimPrefix(x.String(), def.String()+"/")
		if x.Repository == to.Repository {
			back = prefix.Name + "/" + strings.TrimPrefix(x.String(), to.String()+"/")
		}
		if back != name {
			t.Fatalf("%s becomes %s, which comes from %s", name, x, back)
		}
	})
}

func TestWhatIsMappedIsValid(t *testing.T) {
	u, _ := ParseRule("**a", "us-docker.pkg.dev/my-project/app-images/**")
	rapid.Check(t, func(t *rapid.T) {
		m := Mapping{Default: drawTarget(t), Rules: []Rule{u}}
		x, err := m.Map(drawRepository(t))
		if err != nil {
			return
		}
		if back, err := ParseTarget(x.String()); err != nil || back != x {
			t.Fatalf("%s is %+v, %v", x, back, err)
		}
		if !containsRepository(m.Targets(), x.Repository) {
			t.Fatalf("%s is in none of %v", x, m.Targets())
		}
	})
}

func containsRepository(list []TargetRepository, r TargetRepository) bool {
	for _, x := range list {
		if x == r {
			return true
		}
	}
	return false
}

func TestScope(t *testing.T) {
	tests := []struct {
		include, exclude []string
		want             bool
	}{
		{nil, nil, true},
		{[]string{"web", "team/*"}, nil, true},
		{[]string{"web"}, nil, false},
		{nil, []string{"team/**"}, false},
		{[]string{"team/api"}, []string{"**/api"}, false},
		{[]string{api.Registry.Host() + "/**"}, nil, true},
		{nil, []string{"**.eu-west-1.**"}, true},
	}
	for _, test := range tests {
		s, err := ParseScope(test.include, test.exclude)
		if err != nil {
			t.Fatal(err)
		}
		if s.Match(api) != test.want {
			t.Errorf("%v, %v: %t", test.include, test.exclude, !test.want)
		}
		include, exclude := s.Texts()
		if diff := cmp.Diff([][]string{test.include, test.exclude}, [][]string{include, exclude}); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := ParseScope([]string{""}, nil); err == nil || !strings.Contains(err.Error(), "include") {
		t.Error(err)
	}
}

func FuzzParseGlob(f *testing.F) {
	f.Add("team/**", "team/api")
	f.Add("a?[b]\\Q*", "ab")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		g, err := ParseGlob(pattern)
		if err != nil {
			return
		}
		if g.String() != pattern {
			t.Errorf("%q becomes %q", pattern, g)
		}
		g.Match(name)
		if g.Literal() && g.Match(name) != (name == pattern) {
			t.Errorf("%q matches %q: %t", pattern, name, g.Match(name))
		}
	})
}

func FuzzParseRule(f *testing.F) {
	f.Add("team/**", "us-docker.pkg.dev/my-project/app-images/**")
	f.Add("team/api", "us-docker.pkg.dev/my-project/app-images/api")
	f.Fuzz(func(t *testing.T, from, to string) {
		u, err := ParseRule(from, to)
		if err != nil {
			return
		}
		m := Mapping{Rules: []Rule{u}}
		if len(m.Targets()) != 1 {
			t.Errorf("%q leads to %v", to, m.Targets())
		}
		if x, err := m.Map(api); err == nil {
			if back, err := ParseTarget(x.String()); err != nil || back != x || x.Repository != m.Targets()[0] {
				t.Errorf("%q → %q: %s", from, to, x)
			}
		}
	})
}
