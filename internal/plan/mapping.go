package plan

import (
	"errors"
	"fmt"
	"strings"

	"transship/internal/document"
	"transship/internal/ref"
)

// MappingError says that the rules of a configuration do not fit what the sources hold.
type MappingError struct {
	Dead       []ref.DeadRule
	Collisions []Collision
}

// Error is all that is wrong, one line each.
func (e *MappingError) Error() string { return errors.Join(e.Unwrap()...).Error() }

// Unwrap returns each thing that is wrong.
func (e *MappingError) Unwrap() []error {
	out := make([]error, 0, len(e.Dead)+len(e.Collisions))
	for _, d := range e.Dead {
		out = append(out, d)
	}
	for _, c := range e.Collisions {
		out = append(out, c)
	}
	return out
}

// Collision is different content that rules lead to one target image.
type Collision struct {
	Target  ref.TargetImage
	Sources []ref.Repository // at least two; sorted
	Places  []string         // where the rule of each stands; empty for one without a place or by the default target
	Reason  string           // how their content differs
	Remedy  string           // a mapping that keeps them apart
}

// Error names the sources with the rules that lead them there, how they differ, and a remedy.
func (c Collision) Error() string {
	names := make([]string, len(c.Sources))
	at, differ := "", false
	for i, s := range c.Sources {
		names[i] = s.String()
		if c.Places[i] != "" {
			names[i] += " (" + c.Places[i] + ")"
			differ = differ || at != "" && at != c.Places[i]
			at = c.Places[i]
		}
	}
	if at != "" && !differ {
		at += ": "
	} else {
		at = ""
	}
	return fmt.Sprintf("%sdifferent content is mapped to %s, from %s: %s; give each a target of its own, for example with this in place of the rules: %s",
		at, c.Target, strings.Join(names, " and "), c.Reason, c.Remedy)
}

// CheckMapping says which rules decide about no repository of the sources, and where rules lead different content to one
// image, as a *MappingError. What only the default target leads together is no mistake in the rules: such repositories
// are refused one by one. Where the inventory does not know all repositories, no rule is called dead.
func CheckMapping(r Rules, inv document.Inventory) error {
	var e MappingError
	m := &maker{rules: r, inv: inv}
	if !r.Narrowed && m.complete() {
		repositories := make([]ref.Repository, 0, len(inv.Source.Repositories))
		for _, s := range inv.Source.Repositories {
			repositories = append(repositories, s.URI)
		}
		e.Dead = r.Mapping.Dead(repositories)
	}
	if len(r.Mapping.Rules) > 0 {
		e.Collisions = m.collisions()
	}
	if len(e.Dead)+len(e.Collisions) == 0 {
		return nil
	}
	return &e
}

// complete reports whether every source could name all its repositories.
func (m *maker) complete() bool {
	for r := range m.unavailable() {
		if r.Name == "" {
			return false
		}
	}
	return true
}

// collisions are the groups with different content of which a rule decides at least one source.
func (m *maker) collisions() []Collision {
	var out []Collision
	for _, g := range m.group(m.sources()) {
		c := Collision{Target: g.target}
		ruled := false
		for _, s := range g.sources {
			place := ""
			if i, ok := m.rules.Mapping.Rule(s.repo); ok {
				ruled, place = true, m.rules.Mapping.Rules[i].Place
			}
			c.Sources, c.Places = append(c.Sources, s.repo), append(c.Places, place)
		}
		if !ruled || len(g.sources) < 2 {
			continue
		}
		if reason, moving := g.conflict(); reason != "" && !moving {
			c.Reason, c.Remedy = reason, m.proposal(g)
			out = append(out, c)
		}
	}
	return out
}
