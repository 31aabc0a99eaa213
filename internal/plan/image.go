package plan

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// image is what a group shall hold at its target: every listed digest that can be copied, and the children that are not
// listed themselves. The others are refused.
func (m *maker) image(g *group) document.PlannedImage {
	image := document.PlannedImage{Target: g.target, Sources: make([]ref.Repository, len(g.sources))}
	n := 0
	for i, s := range g.sources {
		image.Sources[i] = s.repo
		n += len(s.images)
	}
	j := judge{maker: m, group: g, known: map[digest.Digest]verdict{}}
	c := m.choose(g, &j)
	image.References = make([]document.PlannedReference, 0, n)
	for i, s := range g.sources {
		for _, listed := range s.images {
			if v := c.leaves(listed.Digest); v.rule != "" {
				m.refuseImage(g, s, listed.Digest, listed.Tags, v)
				continue
			}
			tags := m.refuseTags(c, g, s, listed)
			if v := j.judge(listed.Digest); v.rule != "" {
				m.refuseImage(g, s, listed.Digest, tags, v)
			} else {
				image.References = append(image.References, document.PlannedReference{Digest: listed.Digest, Tags: tags, Source: i})
			}
		}
	}
	image.References = g.merge(image.References)
	image.References = m.close(image.References)
	return image
}

// refuseImage refuses an image and each of the given tags.
func (m *maker) refuseImage(g *group, s *source, d digest.Digest, tags []string, v verdict) {
	r := document.Refusal{Source: s.repo, Target: g.target.String(), Digest: d, Rule: v.rule, Reason: v.reason}
	m.refuse(r)
	for _, tag := range slices.Compact(slices.Sorted(slices.Values(tags))) {
		r.Tag = tag
		m.refuse(r)
	}
}

// refuseTags refuses those tags of an image that is taken which the choice leaves out, or which no registry takes, and
// returns the others. With one of the latter the image itself might be written, and fail.
func (m *maker) refuseTags(c *choice, g *group, s *source, i *document.SourceImage) []string {
	wrong := slices.ContainsFunc(i.Tags, func(tag string) bool { return !ref.ValidTag(tag) })
	if c == nil && !wrong {
		return i.Tags
	}
	kept := make([]string, 0, len(i.Tags))
	for _, tag := range slices.Compact(slices.Sorted(slices.Values(i.Tags))) {
		var v verdict
		if c != nil {
			v = c.leavesTag(i.Digest, tag)
		}
		if v.rule == "" && wrong && !ref.ValidTag(tag) {
			v = verdict{document.RuleName, "it is not a tag that a registry takes: give the image another one, and delete this one"}
		}
		if v.rule == "" {
			kept = append(kept, tag)
		} else {
			m.refuse(document.Refusal{Source: s.repo, Target: g.target.String(), Digest: i.Digest, Tag: tag, Rule: v.rule, Reason: v.reason})
		}
	}
	return kept
}

// merge sorts references and makes one of those of a digest: with the tags of all, and the first source that can serve
// it.
func (g *group) merge(references []document.PlannedReference) []document.PlannedReference {
	slices.SortFunc(references, func(a, b document.PlannedReference) int {
		return cmp.Or(cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Source, b.Source))
	})
	out := references[:0]
	for from := 0; from < len(references); {
		to := from + 1
		for to < len(references) && references[to].Digest == references[from].Digest {
			to++
		}
		one := document.PlannedReference{Digest: references[from].Digest, Source: g.serving(references[from].Digest)}
		tags := make([]string, 0, len(references[from].Tags))
		for _, r := range references[from:to] {
			tags = append(tags, r.Tags...)
		}
		slices.Sort(tags)
		one.Tags = slices.Compact(tags)
		out = append(out, one)
		from = to
	}
	return out
}

// close adds what the references need and that is not among them: the children of indexes, untagged.
func (m *maker) close(references []document.PlannedReference) []document.PlannedReference {
	var added []document.PlannedReference
	var seen map[digest.Digest]bool
	for n := 0; n < len(references)+len(added); n++ {
		parent := &references
		at := n
		if n >= len(references) {
			parent, at = &added, n-len(references)
		}
		source := (*parent)[at].Source
		for _, child := range m.content[(*parent)[at].Digest].Children {
			if seen[child.Digest] || holdsReference(references, child.Digest) {
				continue
			}
			if seen == nil {
				seen = map[digest.Digest]bool{}
			}
			seen[child.Digest] = true
			added = append(added, document.PlannedReference{Digest: child.Digest, Tags: []string{}, Source: source})
		}
	}
	if len(added) == 0 {
		return references
	}
	references = append(references, added...)
	slices.SortFunc(references, func(a, b document.PlannedReference) int { return cmp.Compare(a.Digest, b.Digest) })
	return references
}

func holdsReference(references []document.PlannedReference, d digest.Digest) bool {
	_, ok := slices.BinarySearchFunc(references, d, func(r document.PlannedReference, d digest.Digest) int { return cmp.Compare(r.Digest, d) })
	return ok
}

// find returns s's image d, or nil.
func (s *source) find(d digest.Digest) *document.SourceImage {
	n, ok := slices.BinarySearchFunc(s.images, d, func(i *document.SourceImage, d digest.Digest) int { return cmp.Compare(i.Digest, d) })
	if !ok {
		return nil
	}
	return s.images[n]
}

// serving is the first source where d can be read.
func (g *group) serving(d digest.Digest) int {
	for n, s := range g.sources {
		if i := s.find(d); i != nil && i.Status == document.StatusActive {
			return n
		}
	}
	return 0
}

// holds reports whether any source lists d, whatever its status.
func (g *group) holds(d digest.Digest) bool {
	return slices.ContainsFunc(g.sources, func(s *source) bool { return s.find(d) != nil })
}
