package cli

import (
	"context"
	"os"

	"transship/internal/cli/term"
	"transship/internal/cli/text"
	"transship/internal/document"
	"transship/internal/governance"
	"transship/internal/governance/access"
	"transship/internal/inventory"
	"transship/internal/ref"
	"transship/internal/stage"
)

// guards reads what the file says of the settings that guard images; nil where they are left alone.
func (c config) guards() (*governance.Options, error) {
	switch c.Layout {
	case "", governance.LayoutSingle, governance.LayoutGrouped:
	default:
		return nil, usagef("%s: layout: %q is neither single nor grouped", c.path, c.Layout)
	}
	o := &governance.Options{Cleanup: c.Cleanup, AllowPublic: c.AllowPublic, LeaveOut: c.LeaveOutExpired}
	if c.Principals != "" {
		b, err := os.ReadFile(c.Principals)
		if err != nil {
			return nil, usagef("%s: principals: %w", c.path, err)
		}
		if o.Principals, err = access.ParsePrincipals(b, c.AllowPublic); err != nil {
			return nil, usagef("%s: %w", c.Principals, err)
		}
	}
	switch c.Cleanup {
	case "", governance.CleanupTranslate, governance.CleanupStandard, governance.CleanupNone:
	default:
		return nil, usagef("%s: cleanup: %q is none of translate, standard and none", c.path, c.Cleanup)
	}
	for n, k := range c.Keys {
		where := c.line("keys", n)
		from, err := ref.ParseGlob(k.From)
		if err != nil {
			return nil, usagef("%s: %w", where, err)
		}
		if k.Key == "" {
			return nil, usagef("%s: the key has no name", where)
		}
		o.Keys = append(o.Keys, governance.Key{From: from, Name: k.Key, Where: where})
	}
	if c.NoGuards {
		return nil, nil //nolint:nilnil // which says that guards are left alone
	}
	return o, nil
}

// settingsAnew reads the settings of the source with its progress, whatever is known of them.
func (a *app) settingsAnew(ctx context.Context, p *stage.Pipeline, inv document.Inventory) error {
	if p.Guards == nil {
		return nil
	}
	m := a.streams.Meter("Settings")
	read, err := p.Settings(ctx, inv, true, stage.Hooks{Settings: asking(m)})
	if err != nil {
		m.Stop("")
		return err
	}
	m.Stop(term.Count(len(read.Repositories), "repository"))
	return nil
}

func asking(m *term.Meter) func(inventory.SettingsProgress) {
	return func(at inventory.SettingsProgress) { m.Set(at.Done, at.Total, "settings") }
}

// planFiles is where the plan is, and what is told of it.
func planFiles(p *stage.Pipeline) text.PlanFiles {
	return text.PlanFiles{Plan: p.Workspace.Plan(), Governance: p.Workspace.GovernanceText(), Layout: p.Workspace.LayoutText()}
}

// guarded is the governance that belongs to the plan; the zero value where guards are left alone.
func guarded(p *stage.Pipeline) (document.Governance, error) {
	if p.Guards == nil {
		return document.Governance{}, nil
	}
	return p.ReadGovernance()
}
