package retention

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/image"
)

// proof plays Artifact Registry with those policies, whatever way it may work in, and refuses the sources of each package
// in which it deletes an image that ECR keeps, or keeps longer, at whatever time. It tells whether there was none.
func proof(list []*path, policies []document.CleanupPolicy) bool {
	holds := true
	for _, p := range list {
		lost := p.lost(cleanup.Covering(policies, p.name), cleanup.Variants())
		if len(lost) == 0 {
			continue
		}
		holds = false
		for _, culprit := range list {
			if !strings.HasPrefix(p.name, culprit.name) || len(culprit.templates()) == 0 {
				continue
			}
			for _, s := range culprit.sources {
				s.evidence = lost.digests()
			}
			culprit.refuse("The simulation refused the rules together, since they shield each other: "+lost.words()+".", byHand)
		}
	}
	return holds
}

// losses are images that Artifact Registry could delete before ECR does.
type losses []image.Image

// lost plays both sides and returns what Artifact Registry deletes before ECR does, sorted by digest.
func (p *path) lost(policies []document.CleanupPolicy, variants []cleanup.Variant) losses {
	earliest := slices.Repeat([]image.Moment{image.Never}, len(p.at))
	for _, v := range p.telling(policies, variants) {
		for n, d := range p.pack.Evaluate(policies, v) {
			earliest[n] = min(earliest[n], d.At)
		}
	}
	found := map[digest.Digest]image.Image{}
	for _, s := range p.sources {
		for _, n := range s.copied {
			if i := s.Images[n]; earliest[p.at[i.Digest]] < s.expires[n] {
				found[i.Digest] = i
			}
		}
	}
	return losses(slices.SortedFunc(maps.Values(found), func(a, b image.Image) int { return cmp.Compare(a.Digest, b.Digest) }))
}

// telling is the variants without those that cannot differ from another one here.
func (p *path) telling(policies []document.CleanupPolicy, variants []cleanup.Variant) []cleanup.Variant {
	if !slices.ContainsFunc(policies, func(c document.CleanupPolicy) bool { return strings.EqualFold(c.Action, document.CleanupDelete) }) {
		return nil
	}
	children, referrers := p.pack.Related()
	counting := slices.ContainsFunc(policies, func(c document.CleanupPolicy) bool { return c.MostRecent != nil })
	var out []cleanup.Variant
	for _, v := range variants {
		v.SkipChildren = v.SkipChildren && children && counting
		v.SkipReferrers = v.SkipReferrers && referrers && counting
		v.LooseReferrers = v.LooseReferrers && referrers
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func (l losses) digests() (out []digest.Digest) {
	for _, one := range l {
		out = append(out, one.Digest)
	}
	return out
}

// words names the first of them.
func (l losses) words() string {
	const shown = 3
	var names []string
	for _, one := range l[:min(shown, len(l))] {
		name := one.Digest.String()
		if len(one.Tags) > 0 {
			name += " (" + strings.Join(one.Tags[:min(shown, len(one.Tags))], ", ") + ")"
		} else if one.Subject != "" {
			name += " (describes another image)"
		}
		names = append(names, name)
	}
	if more := len(l) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("Artifact Registry could delete %s that ECR keeps, or keeps longer: %s", plural(len(l), "image", "images"), strings.Join(names, "; "))
}
