package plan

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// conflicts refuses all sources of a group that do not hold the same content, and reports whether it did. They do where
// no tag has two digests and shared digests connect them; what holds nothing is the same as anything.
func (m *maker) conflicts(g *group) bool {
	reason, _ := g.conflict()
	if reason == "" {
		return false
	}
	if len(g.sources) > 1 {
		reason = fmt.Sprintf("different content is mapped to %s: %s; give each source a target of its own, for example with this at the top of the configuration: %s",
			g.target, reason, m.proposal(g))
	}
	for _, s := range g.sources {
		m.refuse(document.Refusal{Source: s.repo, Target: g.target.String(), Rule: document.RuleConflict, Reason: reason})
	}
	return true
}

// conflict says how the sources of g differ, and is empty where they do not; moving, that it is but a tag that moved
// during the listing of one of them.
func (g *group) conflict() (reason string, moving bool) {
	if reason, moving = g.tagConflict(); reason == "" {
		reason = g.strangers()
	}
	return reason, moving
}

// tagConflict names a tag that has two digests: of several, the first by name. Moving says that both are of one source.
func (g *group) tagConflict() (reason string, moving bool) {
	type holder struct {
		digest digest.Digest
		source int
	}
	n := 0
	for _, s := range g.sources {
		n += len(s.images)
	}
	tags := make(map[string]holder, n)
	var worst string
	var one, two holder
	for n, s := range g.sources {
		for _, i := range s.images {
			for _, tag := range i.Tags {
				h, ok := tags[tag]
				if !ok {
					tags[tag] = holder{i.Digest, n}
				} else if h.digest != i.Digest && (worst == "" || tag < worst) {
					worst, one, two = tag, h, holder{i.Digest, n}
				}
			}
		}
	}
	switch {
	case worst == "":
		return "", false
	case one.source == two.source:
		return fmt.Sprintf("the tag %s was listed at both %s and %s, since it moved meanwhile: run the inventory and the plan again", worst, one.digest, two.digest), true
	}
	return fmt.Sprintf("the tag %s is %s in %s and %s in %s", worst, one.digest, g.sources[one.source].repo, two.digest, g.sources[two.source].repo), false
}

// strangers names two sources that share no digest, not even by way of others.
func (g *group) strangers() string {
	if len(g.sources) == 1 {
		return ""
	}
	root := make([]int, len(g.sources))
	for n := range root {
		root[n] = n
	}
	find := func(n int) int {
		for root[n] != n {
			n = root[n]
		}
		return n
	}
	holder := map[digest.Digest]int{}
	for n, s := range g.sources {
		for _, i := range s.images {
			if first, ok := holder[i.Digest]; ok {
				root[find(n)] = find(first)
			} else {
				holder[i.Digest] = n
			}
		}
	}
	one := -1
	for n, s := range g.sources {
		switch {
		case len(s.images) == 0:
		case one < 0:
			one = n
		case find(n) != find(one):
			return fmt.Sprintf("%s and %s have no image in common", g.sources[one].repo, s.repo)
		}
	}
	return ""
}

// proposal is a mapping, in one line of YAML, that gives each source of g a target of its own: below its region, its
// account or both, or below its name where one registry holds several.
func (m *maker) proposal(g *group) string {
	base := m.rules.Mapping.Default
	if base == (ref.TargetImage{}) {
		base = g.target.Repository.Image("")
	}
	prefix := prefixes(g)
	rules := make([]string, len(g.sources))
	for n, s := range g.sources {
		from, to := s.repo.Registry.Host()+"/**", ""
		if prefix == nil {
			from, to = s.repo.String(), g.target.Join(s.repo.Name).String()
		} else {
			to = base.Join(prefix[n]).String() + "/**"
		}
		rules[n] = fmt.Sprintf("{from: %q, to: %q}", from, to)
	}
	return "mappings: [" + strings.Join(rules, ", ") + "]"
}

// prefixes tells the sources of g apart by their registries, or is nil where those do not.
func prefixes(g *group) []string {
	for _, of := range []func(ref.Registry) string{
		func(r ref.Registry) string { return r.Region },
		func(r ref.Registry) string { return r.Account },
		func(r ref.Registry) string { return r.Account + "/" + r.Region },
	} {
		seen := map[string]bool{}
		out := make([]string, len(g.sources))
		for n, s := range g.sources {
			out[n] = of(s.repo.Registry)
			seen[out[n]] = true
		}
		if len(seen) == len(g.sources) {
			return out
		}
	}
	return nil
}
