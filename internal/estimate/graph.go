package estimate

import (
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// graph is the plan, easy to walk.
type graph struct {
	plan     *document.Plan
	position map[digest.Digest]int // of manifests
	groups   []group               // one a planned image, in the plan's order
}

// group is what is at one image path: planned, and there already.
type group struct {
	*document.PlannedImage
	there     map[digest.Digest]bool
	tags      map[string]digest.Digest // that are there
	kept      map[string]bool          // tags that somebody else moved, which stay as they are
	listed    map[digest.Digest]int    // positions of references
	subjects  [][]digest.Digest        // what each reference describes
	described map[digest.Digest]bool
}

func newGraph(c *Config) *graph {
	g := &graph{plan: &c.Plan, position: make(map[digest.Digest]int, len(c.Plan.Manifests)), groups: make([]group, len(c.Plan.Images))}
	for n, m := range c.Plan.Manifests {
		g.position[m.Digest] = n
	}
	at := make(map[ref.TargetImage]int, len(c.Plan.Images))
	for n := range c.Plan.Images {
		g.groups[n] = group{
			PlannedImage: &c.Plan.Images[n], there: map[digest.Digest]bool{}, tags: map[string]digest.Digest{}, kept: map[string]bool{},
			listed: map[digest.Digest]int{}, described: map[digest.Digest]bool{},
		}
		at[c.Plan.Images[n].Target] = n
		g.describe(&g.groups[n])
	}
	for _, t := range c.Inventory.Target.Images {
		n, ok := at[t.URI]
		if !ok {
			continue
		}
		g.groups[n].there[t.Digest] = true
		for _, tag := range t.Tags {
			g.groups[n].tags[tag] = t.Digest
		}
	}
	for _, tag := range c.Plan.Difference.ForeignTags {
		if n, ok := at[tag.Target]; ok {
			g.groups[n].kept[tag.Tag] = true
		}
	}
	return g
}

// describe finds what describes what: a tag appears only when what describes its image is there, which costs a PUT more.
func (g *graph) describe(p *group) {
	p.subjects = make([][]digest.Digest, len(p.References))
	for n, r := range p.References {
		p.listed[r.Digest] = n
		if m := g.manifest(r.Digest); m != nil && m.Subject != "" {
			p.subjects[n] = append(p.subjects[n], m.Subject)
		}
		for _, tag := range r.Tags {
			if subject, ok := registry.SubjectOfTag(tag); ok && subject != r.Digest {
				p.subjects[n] = append(p.subjects[n], subject)
			}
		}
		for _, subject := range p.subjects[n] {
			p.described[subject] = true
		}
	}
	for _, r := range p.References {
		m := g.manifest(r.Digest)
		for n := 0; m != nil && n < len(m.Children); n++ {
			if p.described[m.Children[n]] {
				p.described[r.Digest] = true
			}
		}
	}
}

// manifest is what the plan knows of d, or nil.
func (g *graph) manifest(d digest.Digest) *document.PlannedManifest {
	if n, ok := g.position[d]; ok {
		return &g.plan.Manifests[n]
	}
	return nil
}

// below calls each with d and everything that it lists, once each.
func (g *graph) below(d digest.Digest, each func(*document.PlannedManifest)) {
	seen := map[digest.Digest]bool{}
	open := []digest.Digest{d}
	for len(open) > 0 {
		d := open[len(open)-1]
		open = open[:len(open)-1]
		m := g.manifest(d)
		if m == nil || seen[d] {
			continue
		}
		seen[d] = true
		each(m)
		open = append(open, m.Children...)
	}
}

// describes reports whether reference n of p does nothing but describe others.
func (p *group) describes(n int) bool {
	for _, tag := range p.References[n].Tags {
		if _, ok := registry.SubjectOfTag(tag); !ok {
			return false
		}
	}
	return len(p.subjects[n]) > 0
}

// missing is how many tags of r are to be set.
func (p *group) missing(r document.PlannedReference) int {
	n := 0
	for _, tag := range r.Tags {
		if p.tags[tag] != r.Digest && !p.kept[tag] {
			n++
		}
	}
	return n
}

// puts is how many requests write r.
func (p *group) puts(r document.PlannedReference) int {
	n := p.missing(r)
	if !p.there[r.Digest] && (n == 0 || p.described[r.Digest]) {
		n++
	}
	return n
}
