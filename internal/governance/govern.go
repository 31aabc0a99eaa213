package governance

import (
	"cmp"
	"slices"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
)

// Config is what Govern needs to know.
type Config struct {
	Inventory document.Inventory
	Settings  document.Settings
	Content   document.Content
	Mapping   ref.Mapping
	Scope     ref.Scope // only repositories in it are governed
	Layout    string    // single or grouped: how the mapping came about
	Now       time.Time // the forecasts count from it
	Options
}

// Options are what the user decided.
type Options struct {
	Cleanup     string // CleanupTranslate, CleanupStandard or CleanupNone; empty is the first
	Keys        []Key  // the first that matches a repository counts
	AllowPublic bool   // a repository that everybody may pull from may become one again
}

// Key says which key of Google's takes the place of ECR's.
type Key struct {
	From  ref.Glob // on NAME or HOST/NAME of source repositories
	Name  string   // projects/P/locations/L/keyRings/R/cryptoKeys/K
	Where string   // in which line of which file it stands, for errors
}

// What becomes of lifecycle policies.
const (
	CleanupTranslate = "translate" // into clean-up policies, where that is right
	CleanupStandard  = "standard"  // the common pair instead: untagged images go after 7 days, the newest 10 stay
	CleanupNone      = "none"      // nothing
)

// Govern fills in the settings of the plan's repositories, and tells what became of every setting of the sources. The
// error is about the options: what they say contradicts itself or the layout.
func Govern(c Config, plan *document.Plan) (document.Governance, error) {
	g := &governor{Config: c, plan: plan, settings: map[ref.Repository]document.RepositorySettings{}, registries: map[ref.Registry]document.RegistrySettings{}}
	g.out = document.Governance{
		Header: document.NewHeader(document.KindGovernance, plan.Migration), Scope: plan.Scope, MadeAt: c.Now, Layout: cmp.Or(c.Layout, LayoutSingle),
		Repositories: []document.GovernedRepository{}, Registries: []document.GovernedRegistry{}, Targets: []document.GovernedTarget{},
		Access: []document.Grant{},
	}
	for _, r := range c.Settings.Repositories {
		g.settings[r.URI] = r
	}
	for _, r := range c.Settings.Registries {
		g.registries[r.Registry] = r
	}
	if err := g.deadKeys(); err != nil {
		return g.out, err
	}
	for _, group := range g.groups() {
		if err := g.group(group); err != nil {
			return g.out, err
		}
	}
	g.finish()
	return g.out, nil
}

// The layouts.
const (
	LayoutSingle  = "single"  // everything goes where --to and the mappings lead
	LayoutGrouped = "grouped" // repositories that can share settings go together
)

type governor struct {
	Config
	plan       *document.Plan
	settings   map[ref.Repository]document.RepositorySettings
	registries map[ref.Registry]document.RegistrySettings
	out        document.Governance
}

// member is one source repository in a group.
type member struct {
	document.SourceRepository
	settings document.RepositorySettings
	target   ref.TargetImage
	out      *document.GovernedRepository
}

func (m *member) tell(t document.Translation) { m.out.Settings = append(m.out.Settings, t) }

// group is the source repositories that are mapped into one target repository, sorted.
type group struct {
	planned *document.PlannedRepository
	members []*member
	out     document.GovernedTarget
}

func (g *group) tell(t document.Translation) { g.out.Settings = append(g.out.Settings, t) }

// groups are the groups of the plan, sorted. A source that is mapped nowhere has no group; the plan refuses it.
func (g *governor) groups() []*group {
	byTarget := map[ref.TargetRepository]*group{}
	out := make([]*group, 0, len(g.plan.Repositories))
	for n := range g.plan.Repositories {
		r := &g.plan.Repositories[n]
		byTarget[r.URI] = &group{planned: r, out: document.GovernedTarget{Target: r.URI, Settings: []document.Translation{}}}
		out = append(out, byTarget[r.URI])
	}
	for _, r := range g.Inventory.Source.Repositories {
		if !g.Scope.Match(r.URI) {
			continue
		}
		t, err := g.Mapping.Map(r.URI)
		into := byTarget[t.Repository]
		if err != nil || into == nil {
			continue
		}
		into.members = append(into.members, &member{
			SourceRepository: r, settings: g.settings[r.URI], target: t,
			out: &document.GovernedRepository{Source: r.URI, Target: t, Settings: []document.Translation{}, Doomed: []document.Doomed{}},
		})
	}
	for _, group := range out {
		slices.SortFunc(group.members, func(a, b *member) int { return a.URI.Compare(b.URI) })
	}
	return out
}

// group translates the settings of one group, in the order of the report.
func (g *governor) group(group *group) error {
	g.immutability(group)
	g.scanning(group)
	if err := g.encryption(group); err != nil {
		return err
	}
	for _, m := range group.members {
		g.out.Repositories = append(g.out.Repositories, *m.out)
	}
	if len(group.out.Settings) > 0 {
		g.out.Targets = append(g.out.Targets, group.out)
	}
	return nil
}

// finish tells what could not be read, and sorts.
func (g *governor) finish() {
	slices.SortFunc(g.out.Repositories, func(a, b document.GovernedRepository) int { return a.Source.Compare(b.Source) })
}
