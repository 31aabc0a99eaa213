package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"transship/internal/document"
	"transship/internal/governance"
	"transship/internal/governance/layout"
	"transship/internal/plan"
	"transship/internal/ref"
)

// UseLayout takes over the layout that an earlier inventory proposed, where the migration has a grouped one. Before the
// first there is none, and nothing is grouped.
func (p *Pipeline) UseLayout() error {
	if !p.Grouped {
		return nil
	}
	settled, err := p.readLayout()
	if err != nil {
		return err
	}
	return p.follow(settled)
}

// readLayout reads layout.json; the zero value where there is none.
func (p *Pipeline) readLayout() (document.Layout, error) {
	var out document.Layout
	path := p.Workspace.Layout()
	if p.PlanFile != "" { // what the plan follows stays beside it
		path = filepath.Join(filepath.Dir(p.PlanFile), filepath.Base(path))
	}
	err := document.ReadFor(path, document.KindLayout, p.fileMigration(), &out)
	if errors.Is(err, fs.ErrNotExist) {
		return document.Layout{}, nil
	}
	return out, err
}

// fileMigration is the migration as the configuration alone says it: a layout cannot be made for the rules that it adds.
func (p *Pipeline) fileMigration() document.Migration {
	return plan.NewMigration(p.Rules.Migration.Sources, ref.Mapping{Default: p.Rules.Mapping.Default, Rules: p.fileRules()})
}

// fileRules are the rules of the configuration.
func (p *Pipeline) fileRules() []ref.Rule {
	return p.Rules.Mapping.Rules[:len(p.Rules.Mapping.Rules)-len(p.laid.Rules)]
}

// layoutRules are the rules of a layout.
func (p *Pipeline) layoutRules(l document.Layout) ([]ref.Rule, error) {
	out := make([]ref.Rule, 0, len(l.Rules))
	for n, r := range l.Rules {
		rule, err := ref.ParseRule(r.From, r.To)
		if err != nil {
			return nil, fmt.Errorf("%s: rule %d: %w (remove the file, and everything is grouped anew)", p.Workspace.Layout(), n+1, err)
		}
		out = append(out, rule)
	}
	return out, nil
}

// follow puts the rules of a layout behind those of the configuration.
func (p *Pipeline) follow(l document.Layout) error {
	rules, err := p.layoutRules(l)
	if err != nil {
		return err
	}
	rules = slices.Concat(p.fileRules(), rules)
	p.change(func() {
		p.laid = l
		p.Rules.Mapping.Rules = rules
		p.Rules.Migration = plan.NewMigration(p.Rules.Migration.Sources, p.Rules.Mapping)
	})
	return nil
}

// layOut groups what the sources hold and no layout has yet, writes layout.json, and follows it.
func (p *Pipeline) layOut(ctx context.Context, h Hooks) error {
	if !p.Grouped || p.Guards == nil {
		return nil
	}
	settled, err := p.readLayout()
	if err != nil {
		return err
	}
	repositories, err := p.repositories(ctx)
	if err != nil {
		return err
	}
	// What guards them is asked for whatever the scope: a group is for good.
	settings, err := p.settings(ctx, repositories, ref.Scope{}, false, h)
	if err != nil {
		return err
	}
	if len(settings.Failures) > 0 {
		f := settings.Failures[0]
		return fmt.Errorf("what guards the repositories decides how they are grouped, and not all of it could be read: %s (%s)", f.Error, f.Hint)
	}
	in := layout.Input{Base: p.Rules.Mapping.Default}
	if in.Frozen, err = p.layoutRules(settled); err != nil {
		return err
	}
	file := ref.Mapping{Rules: p.fileRules()}
	traits := governance.Traits(settings, *p.Guards)
	for _, r := range repositories {
		if _, ruled := file.Rule(r.URI); ruled {
			continue // the configuration decides
		}
		_, known := slices.BinarySearchFunc(settled.Repositories, r.URI, ref.Repository.Compare)
		in.Sources = append(in.Sources, layout.Source{Repository: r.URI, Traits: traits(r), Settled: known})
	}
	proposal := layout.Propose(in)
	out := p.laidOut(proposal)
	if err := document.Write(p.Workspace.Layout(), out); err != nil {
		return err
	}
	if err := document.WriteText(p.Workspace.LayoutText(), []byte(proposal.YAML())); err != nil {
		return err
	}
	return p.follow(out)
}

// laidOut is a proposal as the documents say it.
func (p *Pipeline) laidOut(proposal layout.Proposal) document.Layout {
	out := document.Layout{Header: document.NewHeader(document.KindLayout, p.fileMigration()), Groups: []document.LayoutGroup{}, Rules: []document.LayoutRule{}}
	for _, g := range proposal.Groups {
		out.Groups = append(out.Groups, document.LayoutGroup{Target: g.Target, Members: len(g.Members), Shares: g.Shares, Differs: g.Differs})
		out.Repositories = append(out.Repositories, g.Members...)
	}
	slices.SortFunc(out.Repositories, ref.Repository.Compare)
	for _, r := range proposal.Rules {
		out.Rules = append(out.Rules, document.LayoutRule{From: r.From.String(), To: r.To})
	}
	return out
}

// repositories lists those of all sources: a request a 1,000.
func (p *Pipeline) repositories(ctx context.Context) ([]document.SourceRepository, error) {
	var out []document.SourceRepository
	for _, s := range p.Sources {
		for r, err := range s.Repositories(ctx) {
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}
