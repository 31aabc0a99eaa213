package governance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"transship/internal/document"
	"transship/internal/governance/access"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/label"
	"transship/internal/ref"
)

// Config is what Govern needs to know.
type Config struct {
	Inventory document.Inventory
	Settings  document.Settings
	Content   document.Content
	Mapping   ref.Mapping
	Scope     ref.Scope              // only repositories in it are governed
	Whole     ref.Scope              // of the migration: a target of which the plan has only a part is left as it is
	Groups    []document.LayoutGroup // that the mapping came from; none where nothing was grouped
	Now       time.Time              // the forecasts count from it
	Options
}

// Options are what the user decided.
type Options struct {
	Cleanup     string // CleanupTranslate, CleanupStandard or CleanupNone; empty is the first
	Keys        []Key  // the first that matches a repository counts
	LeaveOut    bool   // images that ECR would delete today are not copied
	Principals  access.Principals
	AllowPublic bool // a repository that everybody may pull from may become one again
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
	g := &governor{Config: c, plan: plan}
	g.index()
	g.out = document.Governance{
		Header: document.NewHeader(document.KindGovernance, plan.Migration), Scope: plan.Scope, MadeAt: c.Now, Layout: LayoutSingle,
		Repositories: []document.GovernedRepository{}, Registries: []document.GovernedRegistry{}, Targets: []document.GovernedTarget{},
		Access: []document.Grant{},
	}
	if err := g.deadKeys(); err != nil {
		return g.out, err
	}
	groups := g.groups()
	for _, group := range groups {
		if err := g.group(group); err != nil {
			return g.out, err
		}
	}
	g.access(groups)
	for _, group := range groups {
		for _, m := range group.members {
			g.out.Repositories = append(g.out.Repositories, *m.out)
		}
		if len(group.out.Settings) > 0 {
			g.out.Targets = append(g.out.Targets, group.out)
		}
	}
	slices.SortFunc(g.out.Repositories, func(a, b document.GovernedRepository) int { return a.Source.Compare(b.Source) })
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

// index makes the settings easy to find.
func (g *governor) index() {
	g.settings, g.registries = map[ref.Repository]document.RepositorySettings{}, map[ref.Registry]document.RegistrySettings{}
	for _, r := range g.Settings.Repositories {
		g.settings[r.URI] = r
	}
	for _, r := range g.Settings.Registries {
		g.registries[r.Registry] = r
	}
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
	planned  *document.PlannedRepository
	existing *document.TargetSettings // nil where it does not exist
	members  []*member
	outside  []string // names of what is mapped into it and out of scope
	out      document.GovernedTarget
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
	for n := range g.Inventory.Target.Repositories {
		if into := byTarget[g.Inventory.Target.Repositories[n].URI]; into != nil {
			into.existing = &g.Inventory.Target.Repositories[n].TargetSettings
		}
	}
	for _, r := range g.Inventory.Source.Repositories {
		t, err := g.Mapping.Map(r.URI)
		into := byTarget[t.Repository]
		switch {
		case err != nil || into == nil || !g.Whole.Match(r.URI):
		case !g.Scope.Match(r.URI):
			into.outside = append(into.outside, r.Name)
		default:
			into.members = append(into.members, &member{
				SourceRepository: r, settings: g.settings[r.URI], target: t,
				out: &document.GovernedRepository{Source: r.URI, Target: t, Settings: []document.Translation{}, Doomed: []document.Doomed{}},
			})
		}
	}
	for _, group := range out {
		slices.SortFunc(group.members, func(a, b *member) int { return a.URI.Compare(b.URI) })
	}
	return out
}

// group translates the settings of one group, in the order of the report. What a plan covers in part is left as it is:
// nobody can say what all of it shares.
func (g *governor) group(group *group) error {
	g.layout(group)
	if len(group.outside) > 0 {
		g.leave(group)
		return nil
	}
	g.lifecycles(group)
	g.immutability(group)
	g.scanning(group)
	if err := g.encryption(group); err != nil {
		return err
	}
	g.labels(group)
	return nil
}

// layout tells why the group is one.
func (g *governor) layout(group *group) {
	for _, l := range g.Groups {
		if l.Target != group.planned.URI {
			continue
		}
		g.out.Layout = LayoutGrouped
		reason := "they share " + l.Shares
		if l.Differs != "" {
			reason += "; it differs " + l.Differs
		}
		group.tell(document.Translation{Setting: document.SettingLayout, Was: repositories(l.Members),
			Becomes: "one repository", Fate: document.FateExact, Reason: reason})
	}
}

func repositories(n int) string {
	if n == 1 {
		return "1 repository"
	}
	return fmt.Sprintf("%d repositories", n)
}

// leave keeps what an earlier plan of the whole gave the repository.
func (g *governor) leave(group *group) {
	if group.existing != nil {
		for _, p := range group.existing.Cleanup {
			if cleanup.Ours(p) {
				group.planned.Settings.Cleanup = append(group.planned.Settings.Cleanup, p)
			}
		}
		group.planned.Settings.CleanupDryRun = group.existing.CleanupDryRun && len(group.planned.Settings.Cleanup) > 0
	}
	group.tell(document.Translation{
		Setting: document.SettingLayout, Was: fmt.Sprintf("%d of the %d repositories that go there are in the scope of this plan", len(group.members), len(group.members)+len(group.outside)),
		Fate: document.FateRefused, Reason: "what guards images belongs to a repository as a whole, and " + list(group.outside) + " may need something else",
		Decide: `make a plan without --wave, --include and --exclude (what the migration leaves out for good stands in the configuration), and run "transship provision"; or map the rest elsewhere`,
	})
}

// labels gives the repository the tags that all members share.
func (g *governor) labels(group *group) {
	sources := make([]label.Source, 0, len(group.members))
	for _, m := range group.members {
		sources = append(sources, label.Source{Repository: m.URI, Tags: m.settings.Tags})
	}
	shared := label.Share(sources)
	if len(shared.Labels) > 0 {
		group.planned.Settings.Labels = shared.Labels
	}
	for n, m := range group.members {
		m.out.Settings = append(m.out.Settings, shared.Sources[n]...)
	}
}

// access suggests who may do what.
func (g *governor) access(groups []*group) {
	to := map[ref.Repository]*member{}
	for _, group := range groups {
		for _, m := range group.members {
			to[m.URI] = m
		}
	}
	targets := map[ref.TargetRepository]bool{}
	for _, r := range g.plan.Repositories {
		targets[r.URI] = true
	}
	in := access.FromSettings(g.Settings, func(r ref.Repository) (ref.TargetRepository, bool) {
		t, err := g.Mapping.Map(r) // those out of scope, too: a grant is about all that is there
		return t.Repository, err == nil && targets[t.Repository]
	})
	in.Principals, in.AllowPublic = g.Principals, g.AllowPublic
	s := access.Suggest(in)
	g.out.Access = append(g.out.Access, s.Grants...)
	for r, list := range s.Repositories {
		if m := to[r]; m != nil {
			m.out.Settings = append(m.out.Settings, list...)
		}
	}
	for _, r := range g.Settings.Registries {
		told := document.GovernedRegistry{Source: r.Registry, Settings: append([]document.Translation{}, s.Registries[r.Registry]...)}
		if len(told.Settings) > 0 {
			g.out.Registries = append(g.out.Registries, told)
		}
	}
	g.unread(to)
}

// unread tells what could not be read.
func (g *governor) unread(to map[ref.Repository]*member) {
	for _, f := range g.Settings.Failures {
		t := document.Translation{Setting: document.SettingPermission, Was: "not known: " + f.Error, Fate: document.FateRefused,
			Reason: "ECR did not give it", Decide: cmp.Or(f.Hint, `run "transship inventory --settings" again`)}
		var r ref.Repository
		if r.UnmarshalText([]byte(f.Source)) != nil || r.Name == "" {
			g.unreadRegistry(f, t)
			continue
		}
		if m := to[r]; m != nil {
			if strings.Contains(f.Error, "lifecycle") {
				t.Setting = document.SettingLifecycle
			} else if strings.Contains(f.Error, "tags") {
				t.Setting = document.SettingLabel
			}
			m.tell(t)
		}
	}
}

func (g *governor) unreadRegistry(f document.Failure, t document.Translation) {
	source, _, err := ref.ParseRegistry(strings.TrimSuffix(f.Source, "/"))
	if err != nil {
		return
	}
	n := slices.IndexFunc(g.out.Registries, func(r document.GovernedRegistry) bool { return r.Source == source })
	if n < 0 {
		n = len(g.out.Registries)
		g.out.Registries = append(g.out.Registries, document.GovernedRegistry{Source: source})
	}
	g.out.Registries[n].Settings = append(g.out.Registries[n].Settings, t)
}
