package governance

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/governance/image"
	"transship/internal/governance/lifecycle"
	"transship/internal/governance/retention"
	"transship/internal/ref"
)

// lifecycles makes clean-up policies of the members' lifecycle policies, as far as they delete nothing that ECR keeps.
func (g *governor) lifecycles(group *group) {
	if g.Cleanup == CleanupNone {
		g.withoutCleanup(group)
		return
	}
	in := retention.Input{Target: group.planned.URI, Existing: group.existing, Now: g.Now, LeaveOut: g.LeaveOut, Immutable: len(movable(group)) == 0}
	if g.Cleanup == CleanupStandard {
		in.Preset = retention.Standard
	}
	paths := map[string]bool{}
	for _, m := range group.members {
		in.Sources = append(in.Sources, retention.Source{
			Repository: m.URI, Package: m.target.Path, Policy: m.settings.Lifecycle, Images: image.Of(g.images(m.URI), g.Content),
		})
		paths[m.target.Path] = true
	}
	for _, i := range g.Inventory.Target.Images {
		if i.URI.Repository == group.planned.URI && !paths[i.URI.Path] {
			paths[i.URI.Path] = true
			in.Others = append(in.Others, i.URI.Path)
		}
	}
	result := retention.Translate(in)
	group.planned.Settings.Cleanup, group.planned.Settings.CleanupDryRun = result.Policies, len(result.Policies) > 0
	for n, m := range group.members {
		m.out.Settings = append(m.out.Settings, result.Sources[n].Settings...)
		m.out.Doomed = append(m.out.Doomed, result.Sources[n].Doomed...)
	}
	group.out.Settings = append(group.out.Settings, result.Target...)
}

// withoutCleanup tells of the policies that nobody wants.
func (g *governor) withoutCleanup(group *group) {
	for _, m := range group.members {
		if m.settings.Lifecycle != "" {
			m.tell(document.Translation{Setting: document.SettingLifecycle, Was: "a lifecycle policy", Fate: document.FateNeedless,
				Reason: "the configuration says cleanup: none, so that Artifact Registry deletes nothing"})
		}
	}
}

// images are those of one source repository.
func (g *governor) images(r ref.Repository) []document.SourceImage {
	all := g.Inventory.Source.Images // sorted by repository
	from, _ := slices.BinarySearchFunc(all, r, func(i document.SourceImage, r ref.Repository) int { return i.URI.Compare(r) })
	to := from
	for to < len(all) && all[to].URI == r {
		to++
	}
	return all[from:to]
}

// Expired are the images that ECR's lifecycle policies would delete today.
func Expired(c Config) map[ref.Repository]map[digest.Digest]bool {
	g := &governor{Config: c}
	out := map[ref.Repository]map[digest.Digest]bool{}
	for _, s := range c.Settings.Repositories {
		p, err := lifecycle.Parse(s.Lifecycle)
		if s.Lifecycle == "" || err != nil {
			continue
		}
		images := image.Of(g.images(s.URI), c.Content)
		for n, v := range lifecycle.Evaluate(p, images, c.Now) {
			if v.Expires.Passed(c.Now) {
				if out[s.URI] == nil {
					out[s.URI] = map[digest.Digest]bool{}
				}
				out[s.URI][images[n].Digest] = true
			}
		}
	}
	return out
}
