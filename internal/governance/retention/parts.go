package retention

import (
	"transship/internal/document"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/image"
	"transship/internal/governance/lifecycle"
)

// endless is from how many images on a rule that keeps the newest of some is taken for one that keeps them all, as
// people write it, if no more of them are there.
const endless = 1000

// part is what one rule comes to.
type part struct {
	rule    lifecycle.Rule
	outcome outcome
	cover   selector // of all that the rule selects
	exact   bool     // and of nothing else
	days    int      // until the rule has deleted what it selects; 0 where it may never
	inert   bool     // it decides over no image here
	by      int      // the priority of the rule that shadows it or with which it falls

	delete *template // what the rule deletes
	count  *template // and the newest that it keeps
	shield *template // what keeps its images from the rules behind it, where one needs it
	// longer are the priorities of rules whose shields keep some of the images longer than the rule does.
	longer []int
}

func (p part) templates() (out []template) {
	for _, t := range []*template{p.delete, p.count, p.shield} {
		if t != nil {
			out = append(out, *t)
		}
	}
	return out
}

// partsOf translates the rules of a policy that has no problems.
func partsOf(policy lifecycle.Policy, images []image.Image) []part {
	parts := make([]part, len(policy.Rules))
	for i, r := range policy.Rules {
		parts[i] = partOf(r, images)
		for _, before := range parts[:i] {
			if p := &parts[i]; !p.inert && !before.inert && r.Problem == "" && before.rule.Problem == "" && includes(before.rule, r) {
				p.outcome, p.by, p.inert = shadowed, before.rule.Priority, true
			}
		}
	}
	for i := range parts {
		parts[i].decide(parts)
	}
	for i := range parts {
		parts[i].shieldFrom(parts[:i])
	}
	for i := range parts {
		parts[i].settle(parts)
	}
	return parts
}

// partOf looks at a rule alone.
func partOf(r lifecycle.Rule, images []image.Image) part {
	p := part{rule: r}
	p.cover, p.exact = selectorOf(r)
	switch {
	case r.Problem != "":
		p.outcome, p.inert = unknown, r.Archive && !r.Blind
	case r.Archive:
		p.outcome, p.inert = leaves, true
	case r.Transition:
		p.outcome = transitions
	case r.Count == lifecycle.MoreThan:
		p.outcome = countTags
		if r.TagStatus == lifecycle.Any {
			p.outcome = countMixed
		} else if r.Number >= endless && selected(r, images) <= r.Number {
			p.outcome = keepsAll
		}
	case document.Seconds(r.Number) > cleanup.MaxAge/document.Day:
		p.outcome = tooOld
	default:
		p.days = r.Number
		p.outcome = p.tags()
	}
	return p
}

// tags is the outcome of a rule with an age, by what it wants of tags.
func (p part) tags() outcome {
	patterns := needed(p.rule.Patterns)
	switch {
	case p.exact:
		return byAge
	case len(patterns) > 1:
		return severalTags
	case patterns[0].Head() == string(patterns[0]):
		return wholeTag
	default:
		return wildcard
	}
}

// selected is how many images a rule selects.
func selected(r lifecycle.Rule, images []image.Image) (n int) {
	for _, i := range images {
		if !i.Archived && r.Select(i.Tags) {
			n++
		}
	}
	return n
}

// decide gives the part what it deletes, shields aside.
func (p *part) decide(parts []part) {
	if p.outcome == countMixed && alone(*p, parts) {
		// A day, so that nothing is deleted while it is pushed.
		p.outcome = byCount
		p.delete = &template{action: document.CleanupDelete, selector: p.cover, older: document.Day}
		p.count = &template{action: document.CleanupKeep, newest: p.rule.Number}
	}
	if p.outcome == byAge {
		p.delete = &template{action: document.CleanupDelete, selector: p.cover, older: document.Seconds(p.days) * document.Day}
	}
}

// alone tells whether every other rule leaves all images where they are. Otherwise images that are deleted in ECR, and
// take no place in its count any more, would still take one in Artifact Registry, which would push out others.
func alone(p part, parts []part) bool {
	for _, o := range parts {
		if o.rule.Priority != p.rule.Priority && o.outcome != keepsAll && o.outcome != shadowed {
			return false
		}
	}
	return true
}
