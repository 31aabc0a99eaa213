package verify

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
)

// pair is what two sides hold of one image path, by content.
type pair struct {
	source   map[string]bool   // content that the source holds; true: archived
	wanted   map[string]string // its tags
	target   map[string]bool   // content that the target holds; true: listed
	tags     map[string]string // its tags
	outdated map[string]string // tags that its listing shows elsewhere
}

var contents = []string{"a", "b", "c", "d", "e"}

func drawPair(t *rapid.T) pair {
	side := rapid.MapOf(rapid.SampledFrom(contents), rapid.Bool())
	tags := rapid.MapOf(rapid.SampledFrom([]string{"1", "2", "3", "4", "5", "6"}), rapid.SampledFrom(contents))
	p := pair{source: side.Draw(t, "source"), target: side.Draw(t, "target"), outdated: tags.Draw(t, "outdated")}
	p.wanted, p.tags = tags.Draw(t, "wanted"), tags.Draw(t, "tags")
	maps.DeleteFunc(p.wanted, func(_, c string) bool { _, ok := p.source[c]; return !ok })
	maps.DeleteFunc(p.tags, func(_, c string) bool { _, ok := p.target[c]; return !ok })
	return p
}

// listed is the listing: it may show a tag where it is no more, but not where it should be while it is not.
func (p pair) listed() map[string]string {
	out := map[string]string{}
	for tag, c := range p.tags {
		if p.target[c] {
			out[tag] = c
		}
	}
	for tag, c := range p.outdated {
		if p.target[c] && p.wanted[tag] != c {
			out[tag] = c
		}
	}
	return out
}

func tagsOf(tags map[string]string, content string) []string {
	out := []string{}
	for tag, c := range tags {
		if c == content {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return out
}

// config is what Run is given.
func (p pair) config() (Config, *fake) {
	inv, f := listed(), &fake{tags: map[string]digest.Digest{}, manifests: map[digest.Digest][]byte{}}
	var references []document.PlannedReference
	var refused []document.Refusal
	for c, archived := range p.source {
		tags := tagsOf(p.wanted, c)
		inv = holding(inv, source, held(c, tags...))
		if !archived {
			references = append(references, reference(c, tags...))
			continue
		}
		for _, tag := range append(tags, "") {
			refused = append(refused, document.Refusal{Source: source, Digest: sum(c), Tag: tag, Rule: document.RuleArchived})
		}
	}
	shows := p.listed()
	for c, visible := range p.target {
		f.manifests[sum(c)] = nil
		if visible {
			i := shown(c, tagsOf(shows, c)...)
			i.URI = target
			inv.Target.Images = append(inv.Target.Images, i)
		}
	}
	for tag, c := range p.tags {
		f.tags[tag] = sum(c)
	}
	made := planned(references...)
	made.Refused = refused
	return Config{Plan: made, Inventory: inv, Target: f}, f
}

// oracle compares what is really there, one reference after the other, and says KIND TAG SOURCE TARGET of each.
func (p pair) oracle() (out []string) {
	say := func(kind, tag, from, to string) { out = append(out, fmt.Sprintf("%s %s %s %s", kind, tag, from, to)) }
	for c, archived := range p.source {
		tags := tagsOf(p.wanted, c)
		if len(tags) == 0 {
			_, there := p.target[c]
			switch {
			case archived:
				say("excluded", "", c, "")
			case !there:
				say("missing", "", c, "")
			default:
				say("verified", "", c, "")
			}
		}
		for _, tag := range tags {
			at, there := p.tags[tag]
			switch {
			case archived:
				say("excluded", tag, c, "")
			case !there:
				say("missing", tag, c, "")
			case at != c:
				say("mismatched", tag, c, at)
			default:
				say("verified", tag, c, "")
			}
		}
	}
	shows := p.listed()
	for tag, c := range shows {
		if wanted, ok := p.wanted[tag]; !ok || p.source[wanted] && wanted != c {
			say("extra", tag, "", c)
		}
	}
	for c, visible := range p.target {
		if _, ok := p.source[c]; visible && !ok && len(tagsOf(shows, c)) == 0 {
			say("extra", "", "", c)
		}
	}
	slices.Sort(out)
	return out
}

// Whatever both sides hold, the counts and cases are those of a naive comparison of what is really there, and nobody is
// asked about what the listing shows.
func TestCasesAgreeWithANaiveComparison(t *testing.T) {
	names := map[digest.Digest]string{}
	for _, c := range contents {
		names[sum(c)] = c
	}
	rapid.Check(t, func(t *rapid.T) {
		p := drawPair(t)
		c, f := p.config()
		v := run(t, c)
		var got []string
		n := map[document.CaseKind]int{}
		for _, c := range v.Cases {
			n[c.Kind]++
			got = append(got, fmt.Sprintf("%s %s %s %s", c.Kind, c.Tag, names[c.SourceDigest], names[c.TargetDigest]))
		}
		verified, doubts := 0, 0
		want := slices.DeleteFunc(p.oracle(), func(s string) bool {
			is := len(s) > 8 && s[:8] == "verified"
			if is {
				verified++
			}
			return is
		})
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatal(cmp.Diff(want, got))
		}
		if v.Verified != verified || v.Missing != n["missing"] || v.Mismatched != n["mismatched"] || v.Excluded != n["excluded"] || v.Extra != n["extra"] {
			t.Fatalf("%d verified, not %d; %+v", v.Verified, verified, v)
		}
		shows := p.listed()
		for c, archived := range p.source {
			tags := tagsOf(p.wanted, c)
			if !archived && len(tags) == 0 && !p.target[c] {
				doubts++
			}
			for _, tag := range tags {
				if !archived && shows[tag] != c {
					doubts++
				}
			}
		}
		if len(f.heads) != doubts {
			t.Fatalf("asked %v, of %d doubts", f.heads, doubts)
		}
	})
}

// Whatever of an image path is lost, a deep look finds exactly what is whole, at the price of one GET a manifest and one
// HEAD a blob, and always says the same.
func TestDeepAgreesWithANaiveWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blobs := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"k", "l", "m", "n", "o"}), 1, 4, rapid.ID)
		var manifests, tagged []string
		needs, parts := map[string][]string{}, map[string][]string{} // children and blobs
		for range rapid.IntRange(1, 4).Draw(t, "images") {
			b := blobs.Draw(t, "blobs")
			m := manifestOf(b...)
			parts[m], manifests = b, append(manifests, m)
		}
		for range rapid.IntRange(0, 3).Draw(t, "indexes") {
			children := rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Clone(manifests)), 1, 3, rapid.ID).Draw(t, "children")
			m := indexOf(children...)
			needs[m], manifests, tagged = children, append(manifests, m), append(tagged, m)
		}
		slices.Sort(manifests)
		manifests = slices.Compact(manifests)
		there := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"k", "l", "m", "n", "o"}), rapid.ID).Draw(t, "there")
		served := rapid.SliceOfDistinct(rapid.SampledFrom(manifests), rapid.ID).Draw(t, "served")
		var references []document.PlannedReference
		var shows []document.TargetImage
		asked := map[string]bool{}
		for _, m := range manifests {
			var tags []string
			if slices.Contains(tagged, m) {
				tags = []string{sum(m).Encoded()[:8]}
			}
			references, shows = append(references, reference(m, tags...)), append(shows, shown(m, tags...))
			for _, b := range parts[m] {
				asked[b] = asked[b] || slices.Contains(served, m)
			}
		}
		maps.DeleteFunc(asked, func(_ string, asked bool) bool { return !asked })
		var whole func(m string) bool
		whole = func(m string) bool {
			return slices.Contains(served, m) && !slices.ContainsFunc(needs[m], func(c string) bool { return !whole(c) }) &&
				!slices.ContainsFunc(parts[m], func(b string) bool { return !slices.Contains(there, b) })
		}
		var want []digest.Digest
		for _, m := range manifests {
			if whole(m) {
				want = append(want, sum(m))
			}
		}
		slices.Sort(want)
		var first document.Verification
		for range 2 {
			f := serving(served, there...)
			v := run(t, Config{Deep: true, Plan: planned(slices.Clone(references)...), Inventory: listed(shows...), Target: f})
			if !slices.Equal(v.Repositories[0].Digests, want) || v.Verified != len(want) || v.Missing != len(manifests)-len(want) || len(v.Cases) != v.Missing {
				t.Fatalf("whole %v, want %v; cases %+v", v.Repositories[0].Digests, want, v.Cases)
			}
			if f.gets != len(manifests) || f.blobHeads != len(asked) || len(f.heads) != 0 {
				t.Fatalf("%d GETs of %d manifests, %d HEADs of %d blobs", f.gets, len(manifests), f.blobHeads, len(asked))
			}
			if first.Kind != "" && !cmp.Equal(v, first) {
				t.Fatal(cmp.Diff(first, v))
			}
			first = v
		}
	})
}
