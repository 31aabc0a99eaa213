package layout

import (
	"slices"
	"strings"

	"transship/internal/ref"
)

// exceptions are exact rules for what frozen rules or patterns would lead elsewhere.
func (l *layout) exceptions() (out []ref.Rule) {
	holders := map[string]int{}
	for _, x := range l.all {
		holders[x.Repository.Name]++
	}
	for _, x := range l.all {
		if !l.special(x) && (!x.ruled || x.image == x.led) {
			continue
		}
		from := x.Repository.Name
		if holders[from] > 1 {
			from = x.Repository.String()
		}
		out = append(out, rule(from, x.image.String()))
	}
	return out
}

// special reports whether x has another path than its name: only an exact rule leads there.
func (l *layout) special(x *placed) bool {
	return !x.Settled && !x.stays() && x.image != x.place.target.Image(l.base.Path).Join(x.Repository.Name)
}

// patterns are the fewest rules that lead to its place what neither a frozen rule nor an exception does. What goes below
// Base needs none. A pattern PREFIX/** covers what no rule before it takes: where most of a prefix is in one group, the
// others are exceptions in front of it.
func (l *layout) patterns() []ref.Rule {
	var byName, byHost []item
	registries := map[string]map[*place]bool{} // of each name
	hosts := map[ref.Registry]bool{}
	var left []*placed
	for _, x := range l.all {
		if x.ruled || l.special(x) {
			continue
		}
		left = append(left, x)
		hosts[x.Repository.Registry] = true
		if registries[x.Repository.Name] == nil {
			registries[x.Repository.Name] = map[*place]bool{}
		}
		registries[x.Repository.Name][x.place] = true
	}
	for _, x := range left {
		host, names := x.Repository.Registry.Host(), strings.Split(x.Repository.Name, "/")
		if len(registries[x.Repository.Name]) == 1 {
			byName = append(byName, item{names, x.Repository.Name, x})
		} else {
			key := append(slices.Clone(names), host)
			key[len(names)-1] += apart // NAME/** does not match NAME
			byName = append(byName, item{key, x.Repository.String(), x})
		}
		byHost = append(byHost, item{append([]string{host}, names...), x.Repository.String(), x})
	}
	base := &place{target: l.base.Repository}
	for _, p := range l.places {
		if p.target == base.target {
			base = p
		}
	}
	rules := l.cover(byName, base)
	if len(hosts) > 1 {
		if perHost := l.cover(byHost, base); len(perHost) < len(rules) {
			return perHost
		}
	}
	return rules
}

// item is a source in the tree of names.
type item struct {
	key   []string
	exact string // the pattern that matches it alone, or all of its name where those share a place
	*placed
}

// apart ends the last word of a name that registries hold in different places, which are below it in the tree.
const apart = "@"

// node is a part of the tree of names.
type node struct {
	pattern string // what matches all below; empty for the root
	name    string // where the pattern is one name, this
	place   *place // of a leaf
	below   []*node
	fit     map[*place]int // the places under which the fewest rules are needed below; with how many leaves they have
	repeats bool           // a rule here saves more than one below
}

func (l *layout) cover(items []item, base *place) []ref.Rule {
	slices.SortFunc(items, func(a, b item) int { return slices.Compare(a.key, b.key) })
	// Several registries that hold one name in one place are one leaf.
	items = slices.CompactFunc(items, func(a, b item) bool { return a.exact == b.exact })
	return l.rules(grow("", items, 0), base, nil)
}

// grow makes the tree of items, which share the first depth words of their keys.
func grow(pattern string, items []item, depth int) *node {
	n := &node{pattern: pattern}
	for len(items) > 0 {
		word := items[0].key[depth]
		if len(items[0].key) == depth+1 {
			leaf := &node{pattern: items[0].exact, name: items[0].Repository.Name, place: items[0].place}
			leaf.fit = map[*place]int{leaf.place: 1}
			n.below = append(n.below, leaf)
			items = items[1:]
			continue
		}
		end := slices.IndexFunc(items, func(i item) bool { return i.key[depth] != word })
		if end < 0 {
			end = len(items)
		}
		name, one := strings.CutSuffix(strings.Join(items[0].key[:depth+1], "/"), apart)
		child := grow(name+"/**", items[:end], depth+1)
		if one {
			child.pattern, child.name = name, name
		}
		n.below = append(n.below, child)
		items = items[end:]
	}
	n.weigh()
	return n
}

// weigh finds the places that most of the parts below can share.
func (n *node) weigh() {
	count, leaves := map[*place]int{}, map[*place]int{}
	most := 0
	for _, c := range n.below {
		for p, of := range c.fit {
			count[p]++
			leaves[p] += of
			most = max(most, count[p])
		}
	}
	n.fit, n.repeats = map[*place]int{}, most > 1
	for p, c := range count {
		if c == most {
			n.fit[p] = leaves[p]
		}
	}
}

// rules appends what is needed below n, where what no rule takes goes to inherited, and then the rule of n itself.
func (l *layout) rules(n *node, inherited *place, out []ref.Rule) []ref.Rule {
	if n.place != nil {
		if n.place != inherited {
			out = append(out, rule(n.pattern, l.exact(n.place, n.name)))
		}
		return out
	}
	own := inherited
	if _, fits := n.fit[inherited]; !fits && n.repeats && n.pattern != "" {
		own = n.best()
	}
	for _, c := range n.below {
		out = l.rules(c, own, out)
	}
	switch {
	case own == inherited:
	case n.name != "":
		out = append(out, rule(n.pattern, l.exact(own, n.name)))
	default:
		out = append(out, rule(n.pattern, own.target.Image(l.base.Path).String()))
	}
	return out
}

func (l *layout) exact(p *place, name string) string {
	return p.target.Image(l.base.Path).Join(name).String()
}

// best is the place with the most leaves below n, of several the first by name.
func (n *node) best() (best *place) {
	for p, leaves := range n.fit {
		if best == nil || leaves > n.fit[best] || leaves == n.fit[best] && p.target.Compare(best.target) < 0 {
			best = p
		}
	}
	return best
}

// rule makes a rule of lawful names.
func rule(from, to string) ref.Rule {
	u, _ := ref.ParseRule(from, to)
	return u
}
