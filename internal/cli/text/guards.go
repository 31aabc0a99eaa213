package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/governance"
	"transship/internal/ref"
)

// guards says what becomes of the settings that guard images: what the targets get, what each side would delete, and
// what is for a person to decide.
func (p *page) guards(told document.Governance, made document.Plan, n names, at PlanFiles) {
	all := translations(told)
	if len(all) == 0 {
		return
	}
	p.section("Guards", term.Count(len(all), "setting"))
	p.say(item, fated(all)+".", nil)
	p.groups(told, at.Layout)
	p.become(made)
	p.forecast(told, n)
	p.decisions(all, at.Governance)
}

// told is a translation with whose it is.
type told struct {
	document.Translation
	of string
}

// translations are all of a governance, those of repositories first.
func translations(g document.Governance) []told {
	n := newNames(g.Migration)
	var out []told
	add := func(of string, list []document.Translation) {
		for _, t := range list {
			out = append(out, told{t, of})
		}
	}
	for _, r := range g.Repositories {
		add(n.source(r.Source), r.Settings)
	}
	for _, r := range g.Registries {
		add(r.Source.Host(), r.Settings)
	}
	for _, r := range g.Targets {
		add(r.Target.String(), r.Settings)
	}
	return out
}

// fateTitle says a fate to people.
func fateTitle(f document.Fate) string {
	switch f {
	case document.FateExact:
		return "exact"
	case document.FateApproximate:
		return "approximate"
	case document.FateLater:
		return "at the end"
	case document.FateSuggested:
		return "for review"
	case document.FateRefused:
		return "not translated"
	case document.FateNeedless:
		return "needless"
	}
	return string(f)
}

var fates = []document.Fate{
	document.FateExact, document.FateApproximate, document.FateLater, document.FateSuggested, document.FateRefused, document.FateNeedless,
}

// fated counts settings by fate.
func fated(all []told) string {
	var parts []string
	for _, f := range fates {
		n := 0
		for _, t := range all {
			if t.Fate == f {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, term.Number(n)+" "+fateTitle(f))
		}
	}
	return strings.Join(parts, ", ")
}

// groups says which repositories go together, and why.
func (p *page) groups(g document.Governance, mappings string) {
	var list []document.GovernedTarget
	for _, t := range g.Targets {
		if slices.ContainsFunc(t.Settings, grouped) {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return
	}
	p.say(item, "Grouped by the settings that repositories can share; as mappings they are in "+mappings+".", nil)
	if p.o.All {
		for _, g := range list {
			l := g.Settings[slices.IndexFunc(g.Settings, grouped)]
			p.say(detail, g.Target.ID+", from "+l.Was+": "+l.Reason+".", nil)
		}
	}
}

func grouped(t document.Translation) bool {
	return t.Setting == document.SettingLayout && t.Fate == document.FateExact
}

// become says what each target repository will have: in words, or where there are many of them as a table.
func (p *page) become(made document.Plan) {
	if len(made.Repositories) > maxOwners {
		p.becomeTable(made)
		return
	}
	for _, r := range made.Repositories {
		var parts []string
		s := r.Settings
		if len(s.Cleanup) > 0 {
			parts = append(parts, term.Count(len(s.Cleanup), "clean-up policy")+" in dry run")
		}
		if len(s.Labels) > 0 {
			parts = append(parts, term.Count(len(s.Labels), "label"))
		}
		if s.Scanning == document.ScanningInherited {
			parts = append(parts, "scanning as the project has it")
		}
		if s.KMSKey != "" {
			parts = append(parts, "the key "+s.KMSKey)
		}
		if s.ImmutableTags {
			parts = append(parts, "immutable tags at the end")
		}
		if len(parts) > 0 {
			p.say(item, r.URI.String()+" gets "+strings.Join(parts, ", ")+".", nil)
		}
	}
}

// becomeTable is become for many repositories.
func (p *page) becomeTable(made document.Plan) {
	paths := map[ref.TargetRepository]int{}
	for _, image := range made.Images {
		paths[image.Target.Repository]++
	}
	p.blank()
	t := &term.Table{Indent: item, Columns: []term.Column{
		{Head: "Repository", Shrink: true}, {Head: "Images of", Right: true}, {Head: "Clean-up", Right: true}, {Head: "Labels", Right: true},
		{Head: "Scanned"}, {Head: "Immutable"}, {Head: "Key", Shrink: true},
	}}
	shown := p.most(len(made.Repositories), maxRows)
	for _, r := range made.Repositories[:shown] {
		s := r.Settings
		scanned, immutable := "as it is", "no"
		switch s.Scanning {
		case document.ScanningInherited:
			scanned = "yes"
		case document.ScanningDisabled:
			scanned = "no"
		}
		if s.ImmutableTags {
			immutable = "at the end"
		}
		name := r.URI.ID
		if first := made.Repositories[0].URI; r.URI.Project != first.Project || r.URI.Location != first.Location {
			name = r.URI.String()
		}
		t.Row(name, term.Number(paths[r.URI]), term.Number(len(s.Cleanup)), term.Number(len(s.Labels)), scanned, immutable, s.KMSKey[strings.LastIndex(s.KMSKey, "/")+1:])
	}
	p.table(t)
	p.more(item, len(made.Repositories)-shown, " (-v shows all)")
	p.say(item, "Clean-up policies are in dry run.", p.s.Faint)
}

// forecast is a table of how many images each side would delete, of the repositories where one would.
func (p *page) forecast(g document.Governance, n names) {
	var doomed []document.GovernedRepository
	for _, r := range g.Repositories {
		if len(r.Doomed) > 0 {
			doomed = append(doomed, r)
		}
	}
	if len(doomed) == 0 {
		return
	}
	slices.SortStableFunc(doomed, func(a, b document.GovernedRepository) int { return cmp.Compare(len(b.Doomed), len(a.Doomed)) })
	p.blank()
	t := &term.Table{Indent: item, Columns: []term.Column{{Head: "Would be deleted", Shrink: true}, {Head: "by"}}}
	for _, days := range document.Horizons {
		t.Columns = append(t.Columns, term.Column{Head: horizon(days), Right: true})
	}
	shown := p.most(len(doomed), maxFew)
	for _, r := range doomed[:shown] {
		ecr, gar := []string{n.source(r.Source), "ECR"}, []string{"", "AR"}
		for _, days := range document.Horizons {
			bySource, byTarget := r.DoomedWithin(days)
			ecr, gar = append(ecr, term.Number(bySource)), append(gar, term.Number(byTarget))
		}
		t.Row(ecr...)
		t.Row(gar...)
	}
	p.table(t)
	p.more(item, len(doomed)-shown, " (-v shows all)")
	if p.o.All {
		p.doomed(doomed, n)
	}
	p.say(item, "If nothing else were pushed. Ages count from the upload into Artifact Registry, so they begin anew there.", p.s.Faint)
}

// doomed lists the images that one of the sides would delete within a year.
func (p *page) doomed(list []document.GovernedRepository, n names) {
	p.blank()
	t := &term.Table{Indent: item, Columns: []term.Column{{Head: "Repository", Shrink: true}, {Head: "Digest"}, {Head: "Tags", Shrink: true}, {Head: "ECR", Right: true}, {Head: "AR", Right: true}}}
	for _, r := range list {
		for _, d := range r.Doomed {
			t.Row(n.source(r.Source), term.ShortDigest(d.Digest), strings.Join(d.Tags, ", "), deletedBy(d.Source), deletedBy(d.Target))
		}
	}
	p.table(t)
	p.blank()
}

// deletedBy says by when a side deletes an image.
func deletedBy(days int) string {
	if days == document.Never {
		return "keeps it"
	}
	return horizon(days)
}

func horizon(days int) string {
	switch days {
	case 0:
		return "today"
	case 365:
		return "a year"
	}
	return fmt.Sprintf("%d days", days)
}

// decisions lists what was not translated, or not exactly, and leaves something to decide: what is the same for several
// repositories once. The reasons take most of the room, so a plan that is shown whole has them, and governance.md.
func (p *page) decisions(all []told, path string) {
	type group struct {
		told
		of []string
	}
	var groups []*group
	at := map[document.Translation]*group{}
	for _, t := range all {
		if t.Decide == "" || t.Fate != document.FateRefused && t.Fate != document.FateApproximate {
			continue
		}
		key := t.Translation
		key.Item, key.Becomes = "", ""
		g := at[key]
		if g == nil {
			g = &group{told: t}
			at[key] = g
			groups = append(groups, g)
		}
		if !slices.Contains(g.of, t.of) {
			g.of = append(g.of, t.of)
		}
	}
	if len(groups) == 0 {
		return
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(slices.Index(fates, b.Fate), slices.Index(fates, a.Fate)), cmp.Compare(len(b.of), len(a.of)))
	})
	p.blank()
	p.line(item, p.s.Warn("To decide")+"  "+term.Number(len(groups)))
	shown := p.most(len(groups), maxFew)
	for _, g := range groups[:shown] {
		few := p.most(len(g.of), maxOwners)
		names := strings.Join(g.of[:few], ", ")
		if more := len(g.of) - few; more > 0 {
			names += " and " + term.Number(more) + " more"
		}
		p.say(detail, names+": "+g.Was, p.s.Bold)
		if p.o.All && g.Reason != "" {
			p.say(detail+2, fateTitle(g.Fate)+": "+governance.Sentence(g.Reason), p.s.Faint)
		}
		if p.o.All {
			p.say(detail+2, governance.Sentence(g.Decide), nil)
		}
	}
	if rest := len(groups) - shown; rest > 0 {
		p.more(detail, rest, allIn(path))
	} else if !p.o.All {
		p.line(detail, p.s.Faint("-v shows the reasons, and what to decide"))
	}
}
