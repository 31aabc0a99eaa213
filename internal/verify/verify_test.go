package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// What the listing shows is asked for by nobody.
func TestListingProvesPresence(t *testing.T) {
	f := &fake{}
	v := run(t, Config{
		Plan:      planned(reference("a", "1", "2"), reference("b")),
		Inventory: listed(shown("a", "1", "2"), shown("b")), Target: f,
	})
	if !OK(v) || v.Verified != 3 || len(v.Cases) != 0 || len(f.heads) != 0 {
		t.Errorf("verified %d, cases %+v, asked %v", v.Verified, v.Cases, f.heads)
	}
	r := v.Repositories[0]
	if r.Source != source || r.Target != target || len(r.Tags) != 2 || len(r.Digests) != 2 || !r.VerifiedAt.Equal(now) {
		t.Errorf("repository: %+v", r)
	}
}

type caseTest struct {
	plan   document.Plan
	inv    document.Inventory
	fake   *fake
	before map[string]string // tags that the last look found, with their content
	want   string            // KIND TAG CAUSE…, one a line
	heads  int
	ok     bool
}

func caseTests() map[string]caseTest {
	return map[string]caseTest{
		"a late listing": {
			plan: planned(reference("a", "1")), inv: listed(),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("a")}}, heads: 1, ok: true,
		},
		"a deleted tag": {
			plan: planned(reference("a", "1", "2")), inv: listed(shown("a", "2")), heads: 1,
			want: "missing 1 its image is there",
		},
		"an image that is not there": {
			plan: planned(reference("a", "1"), reference("b")), inv: listed(), heads: 2,
			want: "missing  it was never copied\nmissing 1 it was never copied",
		},
		"a repository that is not there": {
			plan: planned(reference("a", "1")), inv: document.Inventory{}, heads: 0,
			want: "missing 1 the repository does not exist",
		},
		"a repository that went meanwhile": {
			plan: planned(reference("a", "1")), inv: listed(), heads: 1,
			fake: &fake{broken: &registry.Error{Side: registry.Target, Op: "head", Class: registry.NoRepository}},
			want: "missing 1 it was never copied",
		},
		"a tag moved within the repository": {
			plan: planned(reference("a", "1"), reference("b", "2")), inv: listed(shown("a"), shown("b", "1", "2")),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("b")}}, heads: 1,
			want: "mismatched 1 the tag was moved at the target to an image that the source repository also holds (" + string(sum("b")) + ", tagged 2)",
		},
		"a tag moved to an archived image": {
			plan: planned(reference("a", "1")), inv: holding(listed(shown("a"), shown("cold", "1")), source, held("a", "1"), held("cold")),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("cold")}}, heads: 1,
			want: "mismatched 1 the tag was moved at the target to an image that the source repository also holds (" + string(sum("cold")) + ", untagged)",
		},
		"a tag moved at the source": {
			plan: planned(reference("a", "1"), reference("b")), inv: listed(shown("b", "1")),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("b")}}, heads: 1,
			want: "mismatched 1 the tag was moved at the source since the copy",
		},
		"a tag that somebody else moved": {
			plan: planned(reference("a", "1")), inv: listed(shown("a"), shown("z", "1")),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("z")}}, heads: 1,
			want: "mismatched 1 somebody pushed another image",
		},
		"a tag that was verified and is gone": {
			plan: planned(reference("a", "1")), inv: listed(shown("a")), before: map[string]string{"1": "a"}, heads: 1,
			want: "missing 1 it was there 2026-11-22 at 12:00 UTC, and was deleted at the target since",
		},
		"a tag that was verified and moved at the source": {
			plan: planned(reference("a"), reference("b", "1")), inv: listed(shown("a", "1"), shown("b")), before: map[string]string{"1": "a"},
			fake: &fake{tags: map[string]digest.Digest{"1": sum("a")}}, heads: 1,
			want: "mismatched 1 the tag was moved at the source since 2026-11-22 at 12:00 UTC",
		},
		"a tag that was verified and somebody else moved": {
			plan: planned(reference("a", "1")), inv: listed(shown("a"), shown("z", "1")), before: map[string]string{"1": "a"},
			fake: &fake{tags: map[string]digest.Digest{"1": sum("z")}}, heads: 1,
			want: "mismatched 1 somebody pushed another image there since 2026-11-22 at 12:00 UTC",
		},
		"an archived image that was copied before": {
			plan: planned(reference("a", "1")), inv: holding(listed(shown("a", "1"), shown("cold", "old")), source, held("a", "1"), held("cold", "old")), ok: true,
		},
		"extras": {
			plan: planned(reference("a", "1")), inv: listed(shown("a", "1", "old"), shown("x", "theirs"), shown("y")), ok: true,
			want: "extra  no source\nextra old no source\nextra theirs no source",
		},
	}
}

func TestCases(t *testing.T) {
	for name, c := range caseTests() {
		t.Run(name, func(t *testing.T) {
			if c.fake == nil {
				c.fake = new(fake)
			}
			v := run(t, Config{Plan: c.plan, Inventory: c.inv, Target: c.fake, Previous: yesterday(c.before)})
			var got []string
			for _, found := range v.Cases {
				got = append(got, fmt.Sprintf("%s %s %s", found.Kind, found.Tag, found.Cause))
			}
			want := strings.Split(c.want, "\n")
			if c.want == "" {
				want = nil
			}
			if len(got) != len(want) {
				t.Fatalf("cases:\n%s\nwant:\n%s", strings.Join(got, "\n"), c.want)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("case %q, want %q…", got[i], want[i])
				}
			}
			if len(c.fake.heads) != c.heads || OK(v) != c.ok {
				t.Errorf("asked %v, ok %v", c.fake.heads, OK(v))
			}
		})
	}
}

// What rules refuse is excluded; what could not be read is missing, since nobody decided it. The references of an image
// that has tags are those.
func TestRefusals(t *testing.T) {
	p := planned()
	archived, unread := document.RuleArchived, document.RuleUnreadable
	p.Refused = []document.Refusal{
		{Source: source, Target: target.String(), Digest: sum("a"), Rule: archived, Reason: "archived"},
		{Source: source, Target: target.String(), Digest: sum("t"), Rule: archived, Reason: "archived"},
		{Source: source, Target: target.String(), Digest: sum("t"), Tag: "1", Rule: archived, Reason: "archived"},
		{Source: source, Target: target.String(), Digest: sum("b"), Rule: unread, Reason: "not served"},
		{Source: source, Target: target.String(), Digest: sum("i"), Rule: document.RuleIncomplete, Reason: "it needs " + string(sum("a")) + ": archived"},
		{Source: source, Target: target.String(), Digest: sum("j"), Rule: document.RuleIncomplete, Reason: "it needs " + string(sum("b")) + ": not served"},
		{Source: source, Target: target.String(), Digest: sum("u"), Tag: "old", Rule: document.RuleNotSelected, Reason: "left out"},
		{Source: source, Target: target.String(), Digest: sum("u"), Rule: unread, Reason: "not served"},
		{Source: source.Registry.Repository("other"), Rule: document.RuleOutOfScope, Reason: "left out"},
		{Source: source.Registry.Repository("hub/nginx"), Rule: document.RulePullThrough, Reason: "cached"},
		{Source: source.Registry.Repository("shut"), Rule: document.RuleUnavailable, Reason: "no permission"},
		{Source: source.Registry.Repository("twin"), Target: repo.Image("twin").String(), Rule: document.RuleConflict, Reason: "two at one target"},
	}
	v := run(t, Config{Plan: p, Inventory: listed(), Target: &fake{}})
	if v.Excluded != 7 || v.Missing != 3 || OK(v) || len(v.Failures) != 1 || v.Failures[0].Source != source.Registry.Repository("shut").String() {
		t.Errorf("excluded %d, missing %d, failures %+v", v.Excluded, v.Missing, v.Failures)
	}
	if len(v.Repositories) != 2 || v.Repositories[0].Excluded != 4 || v.Repositories[0].Missing != 3 || v.Repositories[1].Excluded != 1 {
		t.Errorf("repositories %+v", v.Repositories)
	}
}

// What cannot be looked at is neither verified nor missing, and not right.
func TestFailures(t *testing.T) {
	f := &fake{broken: &registry.Error{Side: registry.Target, Op: "head", Class: registry.Denied, Hint: "ask"}}
	v := run(t, Config{Plan: planned(reference("a", "1")), Inventory: listed(), Target: f})
	if OK(v) || len(v.Failures) != 1 || v.Failures[0].Class != "denied" || v.Failures[0].Hint != "ask" || v.Missing+v.Verified != 0 {
		t.Errorf("%+v", v)
	}
	inv := listed()
	inv.Failures = []document.Failure{{Source: source.String(), Class: "denied", Error: "no"}}
	if v := run(t, Config{Plan: planned(), Inventory: inv, Target: f}); OK(v) || len(v.Failures) != 1 {
		t.Errorf("a source that could not be listed was called right: %+v", v)
	}
}

// Repositories that cannot be looked at keep their last verification; of what was seen, the last look says nothing.
func TestPrevious(t *testing.T) {
	of := func(name string) ref.Repository { return source.Registry.Repository(name) }
	old := &document.Verification{}
	p, inv := planned(reference("a", "1")), listed(shown("a", "1"))
	p.Scope.Exclude = []string{"outside"}
	p.Refused = []document.Refusal{
		{Source: of("outside"), Rule: document.RuleOutOfScope}, {Source: of("shut"), Rule: document.RuleUnavailable},
		{Source: of("unmapped"), Rule: document.RuleUnmapped},
	}
	for _, name := range []string{"outside", "shut", "unmapped", "emptied", "gone", "team/api"} {
		old.Repositories = append(old.Repositories, document.VerifiedRepository{Source: of(name), Target: repo.Image(name), VerifiedAt: now.Add(-time.Hour)})
		if name != "gone" {
			inv.Source.Repositories = append(inv.Source.Repositories, document.SourceRepository{URI: of(name)})
		}
	}
	v := run(t, Config{Plan: p, Inventory: inv, Target: &fake{}, Previous: old})
	var got []string
	for _, r := range v.Repositories {
		got = append(got, fmt.Sprint(r.Source.Name, " ", now.Sub(r.VerifiedAt)))
	}
	if want := []string{"gone 1h0m0s", "outside 1h0m0s", "shut 1h0m0s", "team/api 0s"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Sources that were merged into one target have each what they hold, and what no listing shows of an index.
func TestMergedSources(t *testing.T) {
	other := ref.Registry{Account: "123456789012", Region: "eu-west-1"}.Repository("team/api")
	p := planned(reference("a", "1"), reference("b", "2"), reference("child"), reference("both", "3"))
	p.Images[0].Sources = []ref.Repository{other, source}
	inv := listed(shown("a"), shown("b", "2"), shown("child"), shown("both", "3"))
	inv = holding(holding(inv, other, held("a", "1"), held("both", "3")), source, held("b", "2"), held("both", "3"))
	v := run(t, Config{Plan: p, Inventory: inv, Target: &fake{}})
	if v.Verified != 3 || v.Missing != 1 || v.Cases[0].Source != other || v.Cases[0].Tag != "1" || len(v.Repositories) != 2 {
		t.Fatalf("verified %d, missing %d, %+v", v.Verified, v.Missing, v.Cases)
	}
	first, second := v.Repositories[0], v.Repositories[1]
	if first.Source != other || first.Missing != 1 || len(first.Tags) != 1 || len(first.Digests) != 3 {
		t.Errorf("%+v", first)
	}
	if second.Source != source || second.Missing != 0 || len(second.Tags) != 2 || len(second.Digests) != 3 {
		t.Errorf("%+v", second)
	}
}

// A look that was broken off says nothing.
func TestTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Config{Plan: planned(reference("a", "1")), Inventory: listed(), Target: &fake{}, Now: func() time.Time { return now }}); err == nil {
		t.Error("no error")
	}
}
