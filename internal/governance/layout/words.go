package layout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// owners names, for each policy, the first repository that has it.
func (l *layout) owners() owners {
	out := owners{}
	for _, x := range l.all {
		for _, text := range []string{x.Traits.Cleanup, x.Traits.Access} {
			if _, ok := out[text]; !ok {
				out[text] = x.Repository.Name
			}
		}
	}
	return out
}

// shares says what the members of p have in common.
func shares(p *place, own owners) string {
	var common []string
	for _, t := range traits {
		if !slices.ContainsFunc(p.traits, func(o Traits) bool { return t.value(o) != t.value(p.traits[0]) }) {
			common = append(common, t.words(p.traits[0], own))
		}
	}
	if len(p.traits) > 1 {
		return "settled, and of different settings by now; in common: " + cmp.Or(and(common), "nothing")
	}
	return and(common)
}

// maxContrasts is in how many ways a group is told apart from others in words, and how many others are named in each.
const maxContrasts = 3

// contrast is what tells a group apart from some others.
type contrast struct {
	in   []string // the names of the traits
	from []string // the ids of the others
}

// differs says how p differs from the other places: those from which it differs alike in one breath, the most alike
// first.
func (l *layout) differs(p *place) string {
	if len(p.traits) != 1 {
		return ""
	}
	found := map[string]*contrast{}
	var order []*contrast
	for _, other := range l.places {
		if other == p || len(other.members) == 0 || len(other.traits) != 1 {
			continue
		}
		var in []string
		for _, t := range differing(p.traits[0], other.traits[0]) {
			in = append(in, t.name)
		}
		c := found[and(in)]
		if c == nil {
			c = &contrast{in: in}
			found[and(in)] = c
			order = append(order, c)
		}
		c.from = append(c.from, other.target.ID)
	}
	slices.SortStableFunc(order, func(a, b *contrast) int { return len(a.in) - len(b.in) })
	var parts []string
	for i, c := range order {
		if i == maxContrasts {
			parts = append(parts, "from others in other things")
			break
		}
		from := c.from
		if more := len(from) - maxContrasts; more > 0 {
			from = append(from[:maxContrasts:maxContrasts], fmt.Sprintf("%d more", more))
		}
		parts = append(parts, "from "+and(from)+" in "+cmp.Or(and(c.in), "nothing but that it was there before"))
	}
	return strings.Join(parts, ", ")
}

// and joins texts as in a, b and c.
func and(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

// yamlWidth is how wide the lines of comments are.
const yamlWidth = 100

// YAML is the proposal as the mappings of transship.yaml, with the reason of each group in front.
func (p Proposal) YAML() string {
	var b strings.Builder
	for _, g := range p.Groups {
		count := fmt.Sprintf("%d repositories", len(g.Members))
		if len(g.Members) == 1 {
			count = "1 repository"
		}
		text := fmt.Sprintf("%s: %s with %s.", g.Target, count, g.Shares)
		if g.Differs != "" {
			text += " It differs " + g.Differs + "."
		}
		comment(&b, text)
	}
	for _, r := range p.Dropped {
		comment(&b, fmt.Sprintf("Left out, since it decides about no repository any more: %q to %s.", r.From, clean(r.To)))
	}
	if len(p.Rules) == 0 {
		b.WriteString("mappings: []\n")
		return b.String()
	}
	b.WriteString("mappings: # the first match wins; everything else goes below to\n")
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "  - from: %q\n    to: %s\n", r.From, r.To)
	}
	return b.String()
}

// comment writes text as lines that begin with #.
func comment(b *strings.Builder, text string) {
	line := "#"
	for word := range strings.FieldsSeq(clean(text)) {
		if len(line)+1+len(word) > yamlWidth {
			b.WriteString(line + "\n")
			line = "#  "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
