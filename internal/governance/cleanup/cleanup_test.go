package cleanup

import (
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/governance/image"
)

const day = document.Day

func condition(action string, c document.CleanupCondition) document.CleanupPolicy {
	return document.CleanupPolicy{ID: strings.ToLower(action), Action: action, Condition: &c}
}

func newest(n int, packages ...string) document.CleanupPolicy {
	return document.CleanupPolicy{ID: "newest", Action: "KEEP", MostRecent: &document.MostRecent{KeepCount: n, PackagePrefixes: packages}}
}

func TestCheck(t *testing.T) {
	ok := condition("DELETE", document.CleanupCondition{TagState: "TAGGED", TagPrefixes: []string{"a"}, OlderThan: day})
	with := func(change func(*document.CleanupPolicy)) []document.CleanupPolicy {
		p, c := ok, *ok.Condition
		p.Condition = &c
		change(&p)
		return []document.CleanupPolicy{p}
	}
	many := make([]document.CleanupPolicy, MaxPolicies+1)
	for i := range many {
		many[i] = ok
		many[i].ID = strings.Repeat("x", i+1)
	}
	for _, c := range []struct {
		want     string
		policies []document.CleanupPolicy
	}{
		{"", nil},
		{"", many[1:]},
		{"", []document.CleanupPolicy{newest(1), condition("KEEP", document.CleanupCondition{OlderThan: day, NewerThan: 2 * day})}},
		{"11 clean-up policies", many},
		{"twice", []document.CleanupPolicy{ok, ok}},
		{"1 to 127", with(func(p *document.CleanupPolicy) { p.ID = "" })},
		{"1 to 127", with(func(p *document.CleanupPolicy) { p.ID = strings.Repeat("x", 128) })},
		{`"PURGE"`, with(func(p *document.CleanupPolicy) { p.Action = "PURGE" })},
		{"either", with(func(p *document.CleanupPolicy) { p.Condition = nil })},
		{"either", with(func(p *document.CleanupPolicy) { p.MostRecent = &document.MostRecent{KeepCount: 1} })},
		{"only be kept", with(func(p *document.CleanupPolicy) {
			p.Condition, p.MostRecent = nil, &document.MostRecent{KeepCount: 1}
		})},
		{"keeps 0 versions", []document.CleanupPolicy{newest(0)}},
		{"keeps 2147483648 versions", []document.CleanupPolicy{newest(MaxKeep + 1)}},
		{"prefix is empty", []document.CleanupPolicy{newest(1, "")}},
		{"condition is empty", with(func(p *document.CleanupPolicy) { *p.Condition = document.CleanupCondition{} })},
		{"prefix is empty", with(func(p *document.CleanupPolicy) { p.Condition.PackagePrefixes = []string{"a", ""} })},
		{`"SIGNED"`, with(func(p *document.CleanupPolicy) { p.Condition.TagState = "SIGNED" })},
		{"prefixes of tags", with(func(p *document.CleanupPolicy) { p.Condition.TagState = "UNTAGGED" })},
		{"-1 seconds", with(func(p *document.CleanupPolicy) { p.Condition.OlderThan = -1 })},
		{"ten thousand years", with(func(p *document.CleanupPolicy) { p.Condition.NewerThan = MaxAge + 1 })},
		{"older and newer", with(func(p *document.CleanupPolicy) { p.Condition.NewerThan = day })},
	} {
		err := Check(c.policies)
		if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, not %q", err, c.want)
		}
	}
}

func TestEvaluate(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	version := func(name digest.Digest, pushed, uploaded int, tags string) Version {
		return Version{image.Image{Digest: name, PushedAt: now.AddDate(0, 0, -pushed), Tags: strings.Fields(tags)}, now.AddDate(0, 0, -uploaded)}
	}
	index := version("index", 90, 9, "v1")
	index.Children = []digest.Digest{"child"}
	signature := version("signature", 90, 9, "")
	signature.Subject = "index"
	p := NewPackage("team/app", []Version{index, version("child", 90, 9, ""), signature,
		version("old", 80, 8, "prod-1 x"), version("mid", 70, 7, ""), version("new", 1, 1, "y"), version("twin", 1, 1, "")})
	any := func(older document.Seconds) document.CleanupPolicy {
		return condition("DELETE", document.CleanupCondition{TagState: "ANY", OlderThan: older})
	}
	untagged := condition("DELETE", document.CleanupCondition{TagState: "UNTAGGED", OlderThan: day})
	tags := func(prefixes ...string) document.CleanupPolicy {
		return condition("DELETE", document.CleanupCondition{TagState: "TAGGED", TagPrefixes: prefixes})
	}
	for _, c := range []struct {
		want     string
		v        Variant
		policies []document.CleanupPolicy
	}{
		{"", Variant{}, []document.CleanupPolicy{newest(1), condition("KEEP", document.CleanupCondition{OlderThan: day})}},
		{"index child signature old mid", Variant{}, []document.CleanupPolicy{any(day)}},
		{"index child signature", Variant{}, []document.CleanupPolicy{any(8 * day)}},
		{"index child signature old mid", Variant{FromPush: true}, []document.CleanupPolicy{any(8 * day)}},
		{"signature mid", Variant{LooseReferrers: true}, []document.CleanupPolicy{untagged}},
		{"mid", Variant{}, []document.CleanupPolicy{untagged}},
		{"mid", Variant{Immutable: true}, []document.CleanupPolicy{any(day)}},
		{"index signature old", Variant{}, []document.CleanupPolicy{tags("v", "prod-")}},
		{"", Variant{}, []document.CleanupPolicy{tags("rod", "X")}},
		{"old mid", Variant{}, []document.CleanupPolicy{any(day), condition("KEEP", document.CleanupCondition{TagPrefixes: []string{"v"}})}},
		{"mid", Variant{}, []document.CleanupPolicy{any(day), condition("KEEP", document.CleanupCondition{TagState: "TAGGED"})}},
		{"index child signature", Variant{}, []document.CleanupPolicy{any(day), condition("KEEP", document.CleanupCondition{NewerThan: 8 * day})}},
		{"old", Variant{}, []document.CleanupPolicy{condition("DELETE", document.CleanupCondition{VersionPrefixes: []string{"ol"}})}},
		{"index child signature old mid new twin", Variant{}, []document.CleanupPolicy{any(0), newest(1)}},
		{"index child signature old mid", Variant{}, []document.CleanupPolicy{any(0), newest(2)}},
		{"index child signature old", Variant{}, []document.CleanupPolicy{any(0), newest(3)}},
		{"", Variant{}, []document.CleanupPolicy{any(0), newest(7)}},
		{"index child signature", Variant{}, []document.CleanupPolicy{any(0), newest(4)}},
		{"index child signature", Variant{}, []document.CleanupPolicy{any(0), newest(5)}},
		{"", Variant{SkipChildren: true, SkipReferrers: true}, []document.CleanupPolicy{any(0), newest(5)}},
		{"index child signature old mid new twin", Variant{}, []document.CleanupPolicy{any(0), newest(9, "team/app2")}},
		{"", Variant{}, []document.CleanupPolicy{any(0), newest(9, "other", "team/")}},
		{"", Variant{}, []document.CleanupPolicy{condition("DELETE", document.CleanupCondition{PackagePrefixes: []string{"app"}})}},
	} {
		var got []string
		for n, d := range p.Evaluate(c.policies, c.v) {
			if (d.At == image.Never) != (d.Policy == "") || (d.Policy != "" && d.Policy != "delete") {
				t.Errorf("%q deletes at %v", d.Policy, d.At)
			}
			if d.At.Passed(now) {
				got = append(got, p.versions[n].Digest.String())
			}
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%v, %+v: %q, not %q", c.policies, c.v, g, c.want)
		}
	}
}

func TestVariants(t *testing.T) {
	seen := map[Variant]bool{}
	for _, v := range Variants() {
		seen[v] = true
	}
	if len(seen) != 32 || Variants()[0] != (Variant{}) {
		t.Error(len(seen), Variants()[0])
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		want string
		p    document.CleanupPolicy
	}{
		{"keep the newest 10 versions", newest(10)},
		{"delete untagged images older than 14 days", condition("DELETE", document.CleanupCondition{TagState: "UNTAGGED", OlderThan: 14 * day})},
		{"keep images tagged a* or b* until they are older than 1 day", condition("KEEP", document.CleanupCondition{TagState: "TAGGED", TagPrefixes: []string{"a", "b"}, NewerThan: day})},
		{"delete all images older than 90 seconds", condition("DELETE", document.CleanupCondition{TagState: "ANY", OlderThan: 90})},
		{"keep tagged images", condition("KEEP", document.CleanupCondition{TagState: "TAGGED"})},
	} {
		if got := Words(c.p); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}
