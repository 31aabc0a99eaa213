package retention

import (
	"cmp"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/governance/lifecycle"
)

// selector is what one clean-up policy can say of tags.
type selector struct {
	state  string // TAGGED, UNTAGGED or ANY
	prefix string // with TAGGED: how one of the tags begins; empty where that does not matter
}

var (
	all      = selector{state: document.AnyTags}
	tagged   = selector{state: document.Tagged}
	untagged = selector{state: document.Untagged}
)

// overlaps tells whether an image may meet both.
func (s selector) overlaps(o selector) bool {
	return s.state == o.state || s == all || o == all
}

// within tells whether what meets s meets o.
func (s selector) within(o selector) bool {
	return o == all || (s.state == o.state && strings.HasPrefix(s.prefix, o.prefix))
}

// selectorOf is the narrowest selector that covers what a rule selects, and whether it covers nothing else.
func selectorOf(r lifecycle.Rule) (s selector, exact bool) {
	switch {
	case r.Blind:
		return all, false
	case r.TagStatus == lifecycle.Any:
		return all, true
	case r.TagStatus == lifecycle.Untagged:
		return untagged, true
	}
	patterns := needed(r.Patterns)
	longest := slices.MaxFunc(patterns, func(a, b lifecycle.Pattern) int {
		return cmp.Or(cmp.Compare(len(a.Head()), len(b.Head())), cmp.Compare(b, a))
	})
	return selector{document.Tagged, longest.Head()}, len(patterns) == 1 && longest.Prefix()
}

// needed is the patterns without those that another one implies: what has a tag for prod-eu* has one for prod*, too.
func needed(patterns []lifecycle.Pattern) []lifecycle.Pattern {
	var out []lifecycle.Pattern
	for i, p := range patterns {
		implied := false
		for k, o := range patterns {
			implied = implied || (k != i && p.Follows(o) && (!o.Follows(p) || k < i))
		}
		if !implied {
			out = append(out, p)
		}
	}
	return out
}

// includes tells whether rule a selects all that rule b selects.
func includes(a, b lifecycle.Rule) bool {
	switch {
	case a.TagStatus == lifecycle.Any:
		return true
	case a.TagStatus != b.TagStatus:
		return false
	}
	for _, p := range a.Patterns {
		if !slices.ContainsFunc(b.Patterns, p.Follows) {
			return false
		}
	}
	return true
}
