package doctor

import (
	"fmt"
	"strings"

	"transship/internal/ref"
)

// configuration says what is wrong with values that are right each by itself. It sees names that are written out; what
// patterns match is for the plan, which knows the repositories.
func configuration(m ref.Mapping, s ref.Scope, waves []ref.Wave) []Check {
	var out []Check
	claimed := map[string]string{}
	for _, w := range waves {
		for _, g := range w.Include {
			name := g.String()
			if !g.Literal() || excludes(w.Exclude, name) {
				continue
			}
			if other := claimed[name]; other != "" && other != w.Name {
				out = append(out, failed("waves", fmt.Sprintf("the waves %s and %s both claim %s", other, w.Name, name), "take it out of one of them"))
			}
			claimed[name] = w.Name
			if excludes(s.Exclude, name) {
				out = append(out, warned("waves", fmt.Sprintf("the wave %s claims %s, which exclude leaves out", w.Name, name), "take it out of one of them"))
			}
		}
	}
	out = append(out, overlaps(waves)...)
	for _, g := range s.Include {
		if g.Literal() && excludes(s.Exclude, g.String()) {
			out = append(out, warned("selection", g.String()+" is included, and excluded too: exclude wins", "take it out of one of them"))
		}
	}
	for i, rule := range m.Rules {
		for _, earlier := range m.Rules[:i] {
			if covers(earlier.From, rule.From) {
				out = append(out, warned("mappings", fmt.Sprintf("the rule for %s is never reached: the one for %s comes first and matches all of it", rule.From, earlier.From),
					"put the narrower one first"))
				break
			}
		}
	}
	if len(out) == 0 {
		return []Check{passed("configuration", "it can be read, and nothing in it contradicts itself")}
	}
	return out
}

// overlaps names literal names of one wave that a pattern of another claims.
func overlaps(waves []ref.Wave) (out []Check) {
	for i, w := range waves {
		for _, g := range w.Include {
			if !g.Literal() || excludes(w.Exclude, g.String()) {
				continue
			}
			for j, other := range waves {
				if i == j || excludes(other.Exclude, g.String()) {
					continue
				}
				for _, o := range other.Include {
					if !o.Literal() && o.Match(g.String()) {
						out = append(out, failed("waves", fmt.Sprintf("the waves %s and %s both claim %s, the latter by %s", w.Name, other.Name, g, o),
							fmt.Sprintf("exclude %s from %s", g, other.Name)))
					}
				}
			}
		}
	}
	return out
}

func excludes(globs []ref.Glob, name string) bool {
	for _, g := range globs {
		if g.Match(name) {
			return true
		}
	}
	return false
}

// covers reports whether everything that narrow matches is surely matched by wide.
func covers(wide, narrow ref.Glob) bool {
	if wide.String() == narrow.String() || wide.String() == "**" {
		return true
	}
	if narrow.Literal() {
		return wide.Match(narrow.String())
	}
	prefix, ok := strings.CutSuffix(wide.String(), "/**")
	return ok && !strings.ContainsAny(prefix, "*?") && strings.HasPrefix(narrow.String(), prefix+"/")
}
