package layout

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"transship/internal/ref"
)

var (
	virginia = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	ireland  = ref.Registry{Account: "123456789012", Region: "eu-west-1"}
	other    = ref.Registry{Account: "210987654321", Region: "us-east-1"}
)

func base(path string) ref.TargetImage {
	return ref.TargetImage{Repository: ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"}, Path: path}
}

// drawInput makes any input without frozen rules: names that share prefixes, or are prefixes of others, in several
// registries.
func drawInput(t *rapid.T) Input {
	in := Input{Base: base(rapid.SampledFrom([]string{"", "", "moved"}).Draw(t, "path"))}
	if rapid.IntRange(0, 9).Draw(t, "legacy") == 0 {
		in.Base.Repository.ID = "gcr.io"
	}
	in.Sources = drawSources(t, rapid.IntRange(0, 14).Draw(t, "sources"), nil)
	return in
}

// drawSources adds n sources to those that there are.
func drawSources(t *rapid.T, n int, there []Source) []Source {
	name := rapid.Custom(func(t *rapid.T) string {
		part := rapid.SampledFrom([]string{"app", "team", "team-a", "team.b", "3scale", "web", "us-east-1"})
		return strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "parts"), "/")
	})
	traits := rapid.Custom(func(t *rapid.T) Traits {
		return Traits{
			Immutable: rapid.Bool().Draw(t, "immutable"), Scanned: rapid.IntRange(0, 3).Draw(t, "scanned") == 0,
			Key:     rapid.SampledFrom([]string{"", "", "", "key one", "key two"}).Draw(t, "key"),
			Cleanup: rapid.SampledFrom([]string{"", "", "{1}", "{2}"}).Draw(t, "clean-up"),
			Access:  rapid.SampledFrom([]string{"", "", "", "{x}"}).Draw(t, "access"),
		}
	})
	out := slices.Clone(there)
	for range n {
		s := Source{
			Repository: rapid.SampledFrom([]ref.Registry{virginia, virginia, ireland, other}).Draw(t, "registry").Repository(name.Draw(t, "name")),
			Traits:     traits.Draw(t, "traits"), Content: rapid.SampledFrom([]string{"", "", "", "x"}).Draw(t, "content"),
		}
		if !slices.ContainsFunc(out, func(o Source) bool { return o.Repository == s.Repository }) {
			out = append(out, s)
		}
	}
	return out
}

// check sees to it that a proposal is lawful: its rules lead every source into its group, each source is in one, two of
// different names or content never meet, and no rule is dead.
func check(t *rapid.T, in Input, p Proposal) map[ref.Repository]ref.TargetImage {
	group := map[ref.Repository]ref.TargetRepository{}
	for _, g := range p.Groups {
		if err := g.Target.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, r := range g.Members {
			if _, twice := group[r]; twice {
				t.Fatalf("%s is in two groups", r)
			}
			group[r] = g.Target
		}
	}
	if len(group)+len(p.Left) != len(in.Sources) {
		t.Fatalf("%d of %d are in groups", len(group), len(in.Sources))
	}
	m := p.Mapping()
	images := map[ref.Repository]ref.TargetImage{}
	held := map[ref.TargetImage]Source{}
	var all []ref.Repository
	for _, s := range in.Sources {
		all = append(all, s.Repository)
		x, err := m.Map(s.Repository)
		if err != nil {
			t.Fatalf("%s: %v", s.Repository, err)
		}
		if x.Repository != group[s.Repository] {
			t.Fatalf("%s goes to %s, and not to %s\n%s", s.Repository, x, group[s.Repository], p.YAML())
		}
		if h, ok := held[x]; ok && (h.Repository.Name != s.Repository.Name || h.Content != s.Content) {
			t.Fatalf("%s and %s meet at %s\n%s", h.Repository, s.Repository, x, p.YAML())
		}
		if !s.Settled && !strings.HasSuffix("/"+x.Path, "/"+s.Repository.Name) {
			t.Fatalf("%s goes to %s: its name is lost", s.Repository, x)
		}
		held[x], images[s.Repository] = s, x
	}
	if dead := m.Dead(all); len(dead) > 0 {
		t.Fatalf("%v\n%s", dead[0], p.YAML())
	}
	return images
}

// There are as many groups as different traits, which is the fewest that there can be.
func TestTheFewestGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		p := Propose(in)
		check(t, in, p)
		classes := map[Traits]ref.TargetRepository{}
		for _, s := range in.Sources {
			x, _ := p.Mapping().Map(s.Repository)
			if was, ok := classes[s.Traits]; ok && was != x.Repository {
				t.Fatalf("%s and %s are compatible", was, x.Repository)
			}
			classes[s.Traits] = x.Repository
		}
		if len(p.Groups) != len(classes) {
			t.Fatalf("%d groups for %d classes", len(p.Groups), len(classes))
		}
	})
}

// The order of the input means nothing.
func TestTheOrderMeansNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		first := Propose(in)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(in.Sources), func(i, j int) { in.Sources[i], in.Sources[j] = in.Sources[j], in.Sources[i] })
		if second := Propose(in); !equal(first, second) {
			t.Fatal(diff(first, second))
		}
	})
}

// There are never more rules than sources, nor a pattern beyond what is needed: what no two share goes by its name.
func TestRulesAreFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		p := Propose(in)
		if len(p.Rules) > len(in.Sources) {
			t.Fatalf("%d rules for %d sources", len(p.Rules), len(in.Sources))
		}
		m := p.Mapping()
		used := make([]int, len(p.Rules))
		for _, s := range in.Sources {
			if i, ok := m.Rule(s.Repository); ok {
				used[i]++
			}
		}
		for i, u := range p.Rules {
			if !u.From.Literal() && used[i] < 2 {
				t.Fatalf("%s decides about %d\n%s", u.From, used[i], p.YAML())
			}
		}
	})
}

// A proposal for what was proposed already is the same one, whether its sources count as settled or not.
func TestAProposalIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		first := Propose(in)
		in.Frozen = first.Rules
		settled := rapid.Bool().Draw(t, "settled")
		for i := range in.Sources {
			in.Sources[i].Settled = settled
		}
		second := Propose(in)
		check(t, in, second)
		if first, second := lines(first.Rules), lines(second.Rules); !slices.Equal(first, second) {
			t.Fatal(cmp.Diff(first, second))
		}
		for i, g := range first.Groups {
			if h := second.Groups[i]; g.Target != h.Target || !slices.Equal(g.Members, h.Members) {
				t.Fatalf("%v, and then %v", g, h)
			}
		}
	})
}

// Whatever comes, goes or changes, what is settled stays where it is; what is new goes to compatible company, and there
// is no second group for it.
func TestSettledStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		before := check(t, in, Propose(in))
		in.Frozen = Propose(in).Rules
		var kept []Source
		for _, s := range in.Sources {
			s.Settled = true
			switch rapid.IntRange(0, 5).Draw(t, "what became of it") {
			case 0:
				continue
			case 1:
				s.Traits.Immutable = !s.Traits.Immutable
			}
			kept = append(kept, s)
		}
		in.Sources = drawSources(t, rapid.IntRange(0, 5).Draw(t, "new"), kept)
		p := Propose(in)
		after := check(t, in, p)
		pure := map[ref.TargetRepository]map[Traits]bool{}
		for _, s := range in.Sources {
			if s.Settled && after[s.Repository] != before[s.Repository] {
				t.Fatalf("%s was at %s, and is at %s now", s.Repository, before[s.Repository], after[s.Repository])
			}
			at := after[s.Repository].Repository
			if pure[at] == nil {
				pure[at] = map[Traits]bool{}
			}
			pure[at][s.Traits] = true
		}
		home := map[Traits]ref.TargetRepository{}
		for _, s := range in.Sources {
			at := after[s.Repository].Repository
			if s.Settled {
				continue
			}
			if len(pure[at]) != 1 {
				t.Fatalf("the new %s is among %v", s.Repository, slices.Collect(maps.Keys(pure[at])))
			}
			if was, ok := home[s.Traits]; ok && was != at && !slices.ContainsFunc(in.Sources, func(o Source) bool {
				return o.Settled && o.Traits == s.Traits && (after[o.Repository].Repository == was || after[o.Repository].Repository == at)
			}) {
				t.Fatalf("%s and %s are both new", was, at)
			}
			home[s.Traits] = at
		}
		in.Frozen = p.Rules
		for i := range in.Sources {
			in.Sources[i].Settled = true
		}
		if again := Propose(in); !slices.Equal(lines(again.Rules), lines(p.Rules)) {
			t.Fatal(cmp.Diff(lines(p.Rules), lines(again.Rules)))
		}
	})
}

func lines(rules []ref.Rule) (out []string) {
	for _, u := range rules {
		out = append(out, u.From.String()+" → "+u.To)
	}
	return out
}

func equal(a, b Proposal) bool { return diff(a, b) == "" }

func diff(a, b Proposal) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmp.Transformer("rule", func(u ref.Rule) string { return u.From.String() + " → " + u.To }))
}
