package cutover

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// onlyTarget are the images at the mapped paths that no source in scope holds.
func (j *judge) onlyTarget() []document.TargetOnly {
	held := map[ref.TargetImage]map[digest.Digest]bool{}
	for _, s := range j.repositories {
		if held[s.target] == nil {
			held[s.target] = map[digest.Digest]bool{}
		}
		for _, i := range s.images {
			held[s.target][i.Digest] = true
		}
	}
	out := []document.TargetOnly{}
	for path, ours := range held {
		p := j.target[path]
		if p == nil {
			continue
		}
		tags := map[digest.Digest][]string{}
		for tag, d := range p.tags {
			tags[d] = append(tags[d], tag)
		}
		for d := range p.digests {
			if !ours[d] {
				out = append(out, document.TargetOnly{Image: path, Digest: d, Tags: append([]string{}, slices.Sorted(slices.Values(tags[d]))...)})
			}
		}
	}
	slices.SortFunc(out, func(a, b document.TargetOnly) int {
		return cmp.Or(a.Image.Compare(b.Image), cmp.Compare(a.Digest, b.Digest))
	})
	return out
}

func onlyName(t document.TargetOnly) string {
	if len(t.Tags) > 0 {
		return t.Image.Path + ":" + t.Tags[0]
	}
	return t.Image.Path + "@" + t.Digest.String()
}

// decided reports whether what a rule leaves out was left out by somebody's decision, rather than because it could not be
// brought.
func decided(rule string) bool {
	switch rule {
	case document.RuleOutOfScope, document.RuleNotSelected, document.RuleReferrer, document.RuleUntagged, document.RulePullThrough, document.RuleExpired:
		return true
	}
	return false
}

// leftOut is whether somebody decided about everything that is not at the target.
func (j *judge) leftOut() document.GateCheck {
	c := document.GateCheck{Name: CheckLeftOut, Title: "What is not at the target is decided", State: document.CheckPass}
	var archived, refused []string
	chosen := 0
	for _, s := range j.repositories {
		for _, i := range s.images {
			rule := s.rule(i)
			switch {
			case s.digests[i.Digest]:
			case rule == document.RuleArchived || rule == "" && i.Status != document.StatusActive:
				archived = append(archived, name(s, "", i))
			case decided(rule):
				chosen++
			case rule != "":
				refused = append(refused, name(s, "", i)+" ("+rule+")")
			}
		}
	}
	u := j.Units
	if n := len(archived); n > 0 {
		text := u.Count(n, "archived image") + " only in ECR: " + j.some(archived) + "."
		if j.Archived {
			text += " They stay behind, as was decided."
		} else {
			c.State, c.Do = document.CheckFail, []string{"restore and copy them, as the inventory says, or decide that they stay behind: --without-archived"}
		}
		c.Evidence = append(c.Evidence, text)
	}
	if n := len(refused); n > 0 {
		c.State = document.CheckFail
		c.Do = append(c.Do, "mend what verify.json says of each, or exclude it")
		c.Evidence = append(c.Evidence, u.Count(n, "image")+" refused, and nobody decided about them: "+j.some(refused)+".")
	}
	if chosen > 0 {
		c.Evidence = append(c.Evidence, u.Count(chosen, "image")+" left behind by the rules of the migration.")
	}
	if len(c.Evidence) == 0 {
		c.Evidence = []string{"Every image of ECR is at the target."}
	}
	return c
}

// removable is what may be deleted at the source without a loss, and what may not, and why.
func (j *judge) removable() ([]document.Removable, []document.Retained) {
	removable, retained := []document.Removable{}, []document.Retained{}
	for _, s := range j.repositories {
		r := document.Removable{Source: s.repository, Whole: true}
		images := slices.Clone(s.images)
		slices.SortStableFunc(images, func(a, b document.SourceImage) int { return cmp.Compare(indexFirst(a), indexFirst(b)) })
		for _, i := range images {
			if why := j.keeps(s, i); why != "" {
				retained = append(retained, document.Retained{Source: s.repository, Digest: i.Digest, Tags: i.Tags, Why: why})
				r.Whole = false
				continue
			}
			r.Digests = append(r.Digests, i.Digest)
			r.Bytes += i.Size
			r.Indexes += 1 - indexFirst(i)
		}
		if len(r.Digests) > 0 {
			removable = append(removable, r)
		}
	}
	slices.SortFunc(retained, func(a, b document.Retained) int {
		return cmp.Or(a.Source.Compare(b.Source), cmp.Compare(a.Digest, b.Digest))
	})
	return removable, retained
}

func indexFirst(i document.SourceImage) int {
	if registry.IsIndex(i.MediaType) {
		return 0
	}
	return 1
}

// keeps says why an image is not safe to delete, or nothing.
func (j *judge) keeps(s *side, i document.SourceImage) string {
	switch rule := s.rule(i); {
	case !s.digests[i.Digest] && rule != "":
		return "only ECR has it: left out by the rule " + rule
	case !s.digests[i.Digest]:
		return "it was not proved to be at the target"
	case !j.at(s).digests[i.Digest]:
		return "it is not at the target any more"
	case i.LastPulledAt.After(j.At.Add(-j.Quiet)):
		return "it was pulled at " + moment(i.LastPulledAt)
	case i.PushedAt.After(j.At.Add(-j.Quiet)):
		return "it was pushed at " + moment(i.PushedAt)
	}
	return ""
}
