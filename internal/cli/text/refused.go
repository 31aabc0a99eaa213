package text

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/ref"
)

// ruleTitle says a rule to people. Rules that are not known here are said as they are.
func ruleTitle(rule string) string {
	switch rule {
	case document.RuleArchived:
		return "Archived in ECR"
	case document.RuleName:
		return "Artifact Registry would refuse the name"
	case document.RuleConflict:
		return "Different content for one target"
	case document.RuleUnreadable:
		return "Manifest cannot be read"
	case document.RuleIncomplete:
		return "Something that it needs is refused"
	case document.RuleUnmapped:
		return "No target"
	case document.RuleUnavailable:
		return "Could not be listed"
	case document.RuleOutOfScope:
		return "Out of scope"
	case document.RuleNotSelected:
		return "Not selected"
	case document.RuleReferrer:
		return "Only describes other images"
	case document.RuleUntagged:
		return "Untagged"
	case document.RulePullThrough:
		return "Filled by ECR from another registry"
	case document.RuleExpired:
		return "Expired by ECR's lifecycle policies"
	}
	return rule
}

// asked reports whether a rule leaves out what the user asked to leave out.
func asked(rule string) bool {
	switch rule {
	case document.RuleOutOfScope, document.RuleNotSelected, document.RuleReferrer, document.RuleUntagged, document.RuleExpired:
		return true
	}
	return false
}

// byRule groups refusals by rule: the largest group first, what was asked for last.
func byRule(list []document.Refusal) [][]document.Refusal {
	var out [][]document.Refusal
	at := map[string]int{}
	for _, r := range list {
		i, ok := at[r.Rule]
		if !ok {
			i = len(out)
			at[r.Rule] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], r)
	}
	slices.SortStableFunc(out, func(a, b []document.Refusal) int {
		switch x, y := asked(a[0].Rule), asked(b[0].Rule); {
		case x && !y:
			return 1
		case y && !x:
			return -1
		}
		return len(b) - len(a)
	})
	return out
}

// refusedInScope is without what was left out on purpose.
func refusedInScope(list []document.Refusal) []document.Refusal {
	return slices.DeleteFunc(slices.Clone(list), func(r document.Refusal) bool { return asked(r.Rule) })
}

// refusedImage is an image that refusals are about: one of its own, and one for each of its tags.
type refusedImage struct {
	source ref.Repository
	digest digest.Digest
}

// refusedWhat counts refusals by what they are about: "2 repositories, 3 images, 4 tags".
func refusedWhat(list []document.Refusal) string {
	var repositories, tags int
	images := map[refusedImage]bool{}
	for _, r := range list {
		if r.Tag != "" {
			tags++
		} else if r.Digest == "" {
			repositories++
		}
		if r.Digest != "" {
			images[refusedImage{r.Source, r.Digest}] = true
		}
	}
	var parts []string
	for _, c := range []struct {
		n    int
		noun string
	}{{repositories, "repository"}, {len(images), "image"}, {tags, "tag"}} {
		if c.n > 0 {
			parts = append(parts, term.Count(c.n, c.noun))
		}
	}
	return strings.Join(parts, ", ")
}

// named drops the refusals of images that have refused tags: those name them.
func named(list []document.Refusal) []document.Refusal {
	tagged := map[refusedImage]bool{}
	for _, r := range list {
		if r.Tag != "" {
			tagged[refusedImage{r.Source, r.Digest}] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(r document.Refusal) bool {
		return r.Tag == "" && tagged[refusedImage{r.Source, r.Digest}]
	})
}

// refused lists what will not be at the target, by rule: how many, why and what to do, and the first few.
func (p *page) refused(list []document.Refusal, n names, path string) {
	if len(list) == 0 {
		return
	}
	groups := byRule(list)
	for len(groups) > 0 && asked(groups[len(groups)-1][0].Rule) {
		outside := groups[len(groups)-1]
		groups = groups[:len(groups)-1]
		p.section(ruleTitle(outside[0].Rule), refusedWhat(outside))
		if p.o.All {
			p.refusedNames(outside, n, item, path)
		}
	}
	if len(groups) == 0 {
		return
	}
	p.section("Refused", p.s.Warn(refusedWhat(slices.Concat(groups...))))
	for _, g := range groups {
		p.line(item, p.s.Bold(term.Clean(ruleTitle(g[0].Rule)))+"  "+refusedWhat(g))
		p.reasons(g, n, path)
	}
}

// reasons lists a group by reason.
func (p *page) reasons(group []document.Refusal, n names, path string) {
	var order []string
	same := map[string][]document.Refusal{}
	for _, r := range group {
		if len(same[r.Reason]) == 0 {
			order = append(order, r.Reason)
		}
		same[r.Reason] = append(same[r.Reason], r)
	}
	shown := p.most(len(order), maxReasons)
	for _, reason := range order[:shown] {
		p.refusedNames(same[reason], n, detail, path)
		p.say(detail+2, reason, p.s.Faint)
	}
	left := 0
	for _, reason := range order[shown:] {
		left += len(named(same[reason]))
	}
	p.more(detail, left, allIn(path))
}

func (p *page) refusedNames(list []document.Refusal, n names, indent int, path string) {
	list = named(list)
	shown := p.most(len(list), maxNames)
	for _, r := range list[:shown] {
		name := n.source(r.Source)
		p.line(indent, p.middle(reference(name, r.Tag, r.Digest), indent))
	}
	p.more(indent, len(list)-shown, allIn(path))
}
