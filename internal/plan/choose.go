package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/registry"
)

// choice is what the selection makes of a group. A repository that several registries replicate is chosen from once. The
// nil choice takes everything.
type choice struct {
	selection  Selection
	content    document.Content
	judge      *judge
	items      map[digest.Digest]*item
	order      []*item                           // sorted by digest
	children   map[digest.Digest]bool            // what indexes of the group list
	describers map[digest.Digest][]digest.Digest // by what they describe
	taken      map[digest.Digest]bool            // listed or not
	pulls      map[digest.Digest]time.Time       // see pulled
}

// item is one manifest of a group.
type item struct {
	digest   digest.Digest
	named    []string        // ordinary tags
	tagged   bool            // it has a tag of any kind
	subjects []digest.Digest // what it describes, by a field of its own or by a sha256-* tag
	pushed   time.Time       // where it was pushed last
	pulled   time.Time       // where it was pulled last
	root     bool            // selected itself
	older    bool            // as one that was pushed before a selected one
	expired  bool            // wherever it is listed
}

// describes reports whether i does nothing but describe other images.
func (i *item) describes() bool { return len(i.subjects) > 0 && len(i.named) == 0 }

// choose applies the selection to a group.
func (m *maker) choose(g *group, j *judge) *choice {
	s := m.rules.Selection
	if !s.selects() && !s.WithoutReferrers && !s.TaggedOnly && !s.WithoutExpired {
		return nil
	}
	c := &choice{
		selection: s, content: m.content, judge: j, items: map[digest.Digest]*item{}, children: map[digest.Digest]bool{},
		describers: map[digest.Digest][]digest.Digest{}, taken: map[digest.Digest]bool{},
		pulls: map[digest.Digest]time.Time{},
	}
	for _, s := range g.sources {
		for _, i := range s.images {
			c.add(i, m.rules.Expired[s.repo][i.Digest])
		}
	}
	for _, i := range c.items {
		c.order = append(c.order, i)
	}
	slices.SortFunc(c.order, func(a, b *item) int { return cmp.Compare(a.digest, b.digest) })
	for _, i := range c.order {
		for _, child := range c.content[i.digest].Children {
			c.children[child.Digest] = true
		}
		for _, subject := range i.subjects {
			c.describers[subject] = append(c.describers[subject], i.digest)
		}
	}
	c.roots()
	for _, i := range c.order {
		if i.root || i.older && !i.expired && (len(i.named) > 0 || !s.TaggedOnly) {
			c.take(i.digest)
		}
	}
	return c
}

// add notes an image of one source.
func (c *choice) add(listed *document.SourceImage, expired bool) {
	i := c.items[listed.Digest]
	if i == nil {
		i = &item{digest: listed.Digest, expired: c.selection.WithoutExpired}
		c.items[listed.Digest] = i
	}
	i.expired = i.expired && expired
	for _, subject := range []digest.Digest{listed.Subject, c.content[listed.Digest].Subject} {
		i.describe(subject)
	}
	i.tagged = i.tagged || len(listed.Tags) > 0
	for _, tag := range listed.Tags {
		if subject, ok := subjectOf(tag, listed.Digest); ok {
			i.describe(subject)
		} else if !slices.Contains(i.named, tag) {
			i.named = append(i.named, tag)
		}
	}
	if listed.PushedAt.After(i.pushed) {
		i.pushed = listed.PushedAt
	}
	if listed.LastPulledAt.After(i.pulled) {
		i.pulled = listed.LastPulledAt
	}
}

func (i *item) describe(subject digest.Digest) {
	if subject != "" && subject != i.digest && !slices.Contains(i.subjects, subject) {
		i.subjects = append(i.subjects, subject)
	}
}

// subjectOf returns what a tag of d says that d describes, if it is not d itself.
func subjectOf(tag string, d digest.Digest) (digest.Digest, bool) {
	subject, ok := registry.SubjectOfTag(tag)
	return subject, ok && subject != d
}

// roots marks what is taken for its own sake.
func (c *choice) roots() {
	if !c.selection.selects() {
		for _, i := range c.order {
			i.root = c.wanted(i) && !i.expired
		}
		return
	}
	selected := c.candidates()
	if c.selection.Newest > 0 {
		selected = c.newest(selected)
	}
	for _, i := range selected {
		i.root = true
	}
	if c.selection.OlderVersions > 0 {
		c.markOlder(selected)
	}
}

// wanted reports whether i is taken for its own sake where nothing is selected. What only describes others comes with
// them; where none of them is listed, it stands for itself.
func (c *choice) wanted(i *item) bool {
	if !i.describes() {
		return !c.selection.TaggedOnly || len(i.named) > 0
	}
	listed := slices.ContainsFunc(i.subjects, func(d digest.Digest) bool { return c.items[d] != nil })
	return !c.selection.WithoutReferrers && !listed && (i.tagged || !c.selection.TaggedOnly)
}

// candidates are the images that meet every selector but Newest.
func (c *choice) candidates() []*item {
	var out []*item
	for _, i := range c.order {
		if !i.expired && (c.version(i) && !c.selection.TaggedOnly || len(i.named) > 0) && c.meets(i) {
			out = append(out, i)
		}
	}
	return out
}

// version reports whether i is an image in its own right: nothing lists it, and it does more than describe others.
func (c *choice) version(i *item) bool {
	return !i.describes() && !c.children[i.digest]
}

func (c *choice) meets(i *item) bool {
	s := c.selection
	switch {
	case len(s.Tags) > 0 && !slices.ContainsFunc(i.named, s.matches):
		return false
	case !s.PushedSince.IsZero() && i.pushed.Before(s.PushedSince):
		return false
	case !s.PulledSince.IsZero() && c.pulled(i.digest).Before(s.PulledSince):
		return false
	}
	return true
}

// pulled is when d or, of an index, any of what it lists was pulled last.
func (c *choice) pulled(d digest.Digest) time.Time {
	if t, known := c.pulls[d]; known {
		return t
	}
	var last time.Time
	if i := c.items[d]; i != nil {
		last = i.pulled
	}
	c.pulls[d] = last // for what is within itself
	for _, child := range c.content[d].Children {
		if t := c.pulled(child.Digest); t.After(last) {
			last = t
		}
	}
	c.pulls[d] = last
	return last
}

// newest are those of the tagged candidates that were pushed last. What another of them lists does not count.
func (c *choice) newest(candidates []*item) []*item {
	listed := map[digest.Digest]bool{}
	for _, i := range candidates {
		if len(i.named) > 0 {
			c.mark(listed, i.digest)
		}
	}
	var out []*item
	for _, i := range candidates {
		if len(i.named) > 0 && !listed[i.digest] {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, byPush)
	return out[:min(len(out), c.selection.Newest)]
}

// byPush puts what was pushed last first.
func byPush(a, b *item) int {
	return cmp.Or(b.pushed.Compare(a.pushed), cmp.Compare(a.digest, b.digest))
}

// mark marks all that d lists.
func (c *choice) mark(listed map[digest.Digest]bool, d digest.Digest) {
	for _, child := range c.content[d].Children {
		if !listed[child.Digest] {
			listed[child.Digest] = true
			c.mark(listed, child.Digest)
		}
	}
}

// markOlder marks the versions that were pushed before each of those selected.
func (c *choice) markOlder(selected []*item) {
	var versions []*item
	for _, i := range c.order {
		if c.version(i) {
			versions = append(versions, i)
		}
	}
	slices.SortFunc(versions, byPush)
	begins := make([]bool, len(versions)+1) // what is older than a selected one
	for _, i := range selected {
		at, found := slices.BinarySearchFunc(versions, i, byPush)
		if found {
			at++
		}
		begins[at] = true
	}
	left := 0
	for n, i := range versions {
		if begins[n] {
			left = c.selection.OlderVersions
		}
		if left > 0 {
			i.older = true
			left--
		}
	}
}

// take takes d with all that it needs and, unless those are not wanted, with all that describes any of it. Nothing comes
// along with what is refused for another reason.
func (c *choice) take(d digest.Digest) {
	open := []digest.Digest{d}
	for len(open) > 0 {
		d := open[len(open)-1]
		open = open[:len(open)-1]
		if c.taken[d] {
			continue
		}
		c.taken[d] = true
		if c.judge.judge(d).rule != "" {
			continue
		}
		for _, child := range c.content[d].Children {
			open = append(open, child.Digest)
		}
		if !c.selection.WithoutReferrers {
			open = append(open, c.describers[d]...)
		}
	}
}

// The reasons are short: there is one for each image that is left out.
const (
	whyReferrer    = "it only describes other images, which are taken without"
	whyUntagged    = "it has no tag, and nothing that is taken needs it"
	whyBesides     = "it only describes untagged images, which are left out"
	whyNotSelected = "the selection leaves it out"
	whyExpired     = "ECR's lifecycle policy would delete it today"
	whyWithExpired = "it belongs to images that ECR's lifecycle policy would delete today"
)

// leaves says why d, which is listed, is left out, if it is.
func (c *choice) leaves(d digest.Digest) verdict {
	if c == nil || c.taken[d] {
		return verdict{}
	}
	switch i := c.items[d]; {
	case i.expired:
		return verdict{document.RuleExpired, whyExpired}
	case c.selection.WithoutReferrers && i.describes():
		return verdict{document.RuleReferrer, whyReferrer}
	case c.selection.TaggedOnly && !i.tagged:
		return verdict{document.RuleUntagged, whyUntagged}
	case !c.selection.selects() && c.selection.WithoutExpired:
		return verdict{document.RuleExpired, whyWithExpired}
	case !c.selection.selects():
		return verdict{document.RuleUntagged, whyBesides}
	}
	return verdict{document.RuleNotSelected, whyNotSelected}
}

// leavesTag says why a tag of d, which is taken, is left out, if it is.
func (c *choice) leavesTag(d digest.Digest, tag string) verdict {
	if c == nil {
		return verdict{}
	}
	subject, describes := subjectOf(tag, d)
	switch {
	case describes && c.selection.WithoutReferrers:
		return verdict{document.RuleReferrer, whyReferrer}
	case len(c.selection.Tags) == 0, c.selection.matches(tag), c.items[d].older, describes && c.taken[subject]:
		return verdict{}
	}
	return verdict{document.RuleNotSelected, whyNotSelected}
}
