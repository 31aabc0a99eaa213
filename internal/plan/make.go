package plan

import (
	"cmp"
	"slices"

	"transship/internal/document"
	"transship/internal/ref"
)

// Description is what a repository says of itself that provision creates.
const Description = "Container images migrated from Amazon ECR by Transship"

// Make returns the desired state of the target. The same inventory, content and rules make the same plan, whatever the
// order in which they list things. It changes none of its arguments.
func Make(r Rules, inv document.Inventory, content document.Content) document.Plan {
	m := &maker{rules: r, inv: inv, content: content, unread: newUnread(r.Unread)}
	m.plan = document.Plan{
		Header:       document.NewHeader(document.KindPlan, r.Migration),
		Scope:        document.NewScope(r.Scope),
		Repositories: []document.PlannedRepository{}, Images: []document.PlannedImage{},
		Refused: []document.Refusal{},
	}
	m.plan.Scope.Selection = r.Selection.Document()
	groups := m.group(m.sources())
	planned := groups[:0:0]
	for _, g := range groups {
		if m.conflicts(g) {
			continue
		}
		m.plan.Repositories = append(m.plan.Repositories, document.PlannedRepository{URI: g.target.Repository, Description: Description})
		if image := m.image(g); len(image.References) > 0 {
			m.plan.Images = append(m.plan.Images, image)
			planned = append(planned, g)
		}
	}
	m.plan.Repositories = slices.CompactFunc(m.plan.Repositories, func(a, b document.PlannedRepository) bool {
		return a.URI == b.URI // the groups are sorted by target
	})
	slices.SortFunc(m.plan.Refused, func(a, b document.Refusal) int {
		return cmp.Or(a.Source.Compare(b.Source), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Tag, b.Tag))
	})
	m.tables()
	m.compare(planned)
	return m.plan
}

type maker struct {
	rules   Rules
	inv     document.Inventory
	content document.Content
	unread  unread
	plan    document.Plan
}

// source is one repository of the inventory in scope, with its images sorted by digest, each digest once.
type source struct {
	repo     ref.Repository
	upstream string // from which ECR fills it, empty for most
	images   []*document.SourceImage
}

// group is the sources that are mapped to one target image, sorted.
type group struct {
	target  ref.TargetImage
	sources []*source
}

// sources returns the repositories that can be planned, sorted, and refuses the others as a whole.
func (m *maker) sources() []*source {
	failed, listed := m.unavailable(), m.listed()
	found := map[ref.Repository]*source{}
	for _, r := range m.inv.Source.Repositories {
		found[r.URI] = &source{repo: r.URI, upstream: r.PullThrough}
	}
	for i := range m.inv.Source.Images {
		image := &m.inv.Source.Images[i]
		s := found[image.URI]
		if s == nil {
			s = &source{repo: image.URI}
			found[image.URI] = s
		}
		s.images = append(s.images, image)
	}
	for repo := range failed {
		if found[repo] == nil {
			found[repo] = &source{repo: repo}
		}
	}
	var out []*source
	for _, s := range found {
		switch {
		case s.repo.Name != "" && !m.rules.Scope.Match(s.repo):
			m.refuse(document.Refusal{Source: s.repo, Rule: document.RuleOutOfScope, Reason: "the scope leaves it out"})
		case s.upstream != "" && !m.rules.Selection.PullThrough:
			m.refuse(cached(s))
		case failed[s.repo] != "":
			m.refuse(document.Refusal{Source: s.repo, Rule: document.RuleUnavailable, Reason: failed[s.repo]})
		case !listed.Match(s.repo):
			m.refuse(document.Refusal{Source: s.repo, Rule: document.RuleUnavailable,
				Reason: `the inventory was made for a narrower scope and has none of its images: run "transship inventory" with the scope of this plan`})
		default:
			s.tidy()
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *source) int { return a.repo.Compare(b.repo) })
	return out
}

// unavailable says why repositories, or a registry as a whole, could not be listed.
func (m *maker) unavailable() map[ref.Repository]string {
	out := map[ref.Repository]string{}
	for _, f := range m.inv.Failures {
		var repo ref.Repository
		if f.Digest != "" || f.Tag != "" || repo.UnmarshalText([]byte(f.Source)) != nil {
			continue // about one image, or about the target
		}
		reason := "it could not be listed: " + f.Error
		if repo.Name == "" {
			reason = "not all of its repositories could be listed: " + f.Error
		}
		if f.Hint != "" {
			reason += " (" + f.Hint + ")"
		}
		if old := out[repo]; old == "" || reason < old {
			out[repo] = reason
		}
	}
	return out
}

// listed is the scope of the inventory. One that cannot be read is taken for all.
func (m *maker) listed() ref.Scope {
	s, err := m.inv.Scope.Parse()
	if err != nil {
		return ref.Scope{}
	}
	return s
}

// tidy sorts the images and sees that each digest is there once. Of an image that is listed twice, the tags are joined.
func (s *source) tidy() {
	byDigest := func(a, b *document.SourceImage) int {
		return cmp.Or(cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Status, b.Status), slices.Compare(a.Tags, b.Tags))
	}
	if !slices.IsSortedFunc(s.images, byDigest) {
		slices.SortFunc(s.images, byDigest)
	}
	out := s.images[:0]
	for _, i := range s.images {
		if n := len(out); n > 0 && out[n-1].Digest == i.Digest {
			joined := *out[n-1]
			joined.Tags = slices.Concat(joined.Tags, i.Tags)
			out[n-1] = &joined
			continue
		}
		out = append(out, i)
	}
	s.images = out
}

// group returns the sources by target, sorted, and refuses those that the mapping leads nowhere.
func (m *maker) group(sources []*source) []*group {
	groups := map[ref.TargetImage]*group{}
	for _, s := range sources {
		t, err := m.rules.Mapping.Map(s.repo)
		if err != nil {
			m.refuse(unmappable(s.repo, t, err))
			continue
		}
		g := groups[t]
		if g == nil {
			g = &group{target: t}
			groups[t] = g
		}
		g.sources = append(g.sources, s)
	}
	out := make([]*group, 0, len(groups))
	for _, g := range groups {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b *group) int { return a.target.Compare(b.target) })
	return out
}

func (m *maker) refuse(r document.Refusal) { m.plan.Refused = append(m.plan.Refused, r) }
