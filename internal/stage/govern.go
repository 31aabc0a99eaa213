package stage

import (
	"context"
	"errors"
	"io/fs"

	"transship/internal/document"
	"transship/internal/governance"
	"transship/internal/inventory"
	"transship/internal/ref"
)

// Settings reads what guards the source repositories in scope and writes settings.json. What an earlier run read is not
// read again, unless anew says so: such settings change seldom, and each repository costs three requests.
func (p *Pipeline) Settings(ctx context.Context, inv document.Inventory, anew bool, h Hooks) (document.Settings, error) {
	return p.settings(ctx, inv.Source.Repositories, p.Rules.Scope, anew, h)
}

func (p *Pipeline) settings(ctx context.Context, repositories []document.SourceRepository, scope ref.Scope, anew bool, h Hooks) (document.Settings, error) {
	c := inventory.SettingsConfig{
		Migration: p.fileMigration(), Repositories: repositories, Scope: scope, Now: p.Now, Progress: h.Settings, Logger: p.Logger,
	}
	for _, s := range p.Sources {
		c.Sources = append(c.Sources, s)
	}
	err := document.ReadFor(p.Workspace.Settings(), document.KindSettings, p.fileMigration(), &c.Known)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.Logger.Debug("the earlier settings are of no use", "error", err)
		c.Known = document.Settings{}
	}
	if anew {
		c.Known = forget(c.Known, scope)
	}
	read, err := inventory.Settings(ctx, c)
	if err != nil {
		return read, err
	}
	return read, document.Write(p.Workspace.Settings(), read)
}

// forget keeps of what is known only what is out of scope: the rest is read anew.
func forget(known document.Settings, scope ref.Scope) document.Settings {
	out := document.Settings{Header: known.Header}
	for _, r := range known.Repositories {
		if !scope.Match(r.URI) {
			out.Repositories = append(out.Repositories, r)
		}
	}
	return out
}

// ahead is the reading of settings while manifests are read: both take requests to ECR's API that wait for its answers.
type ahead struct {
	done   chan struct{}
	cancel context.CancelFunc
	read   document.Settings
	err    error
}

// settingsAhead begins to read the settings, where they are needed and somebody wants them at all.
func (p *Pipeline) settingsAhead(ctx context.Context, inv document.Inventory, needed bool) *ahead {
	a := &ahead{done: make(chan struct{}), cancel: func() {}}
	if p.Guards == nil || !needed {
		close(a.done)
		return a
	}
	ctx, a.cancel = context.WithCancel(ctx)
	go func() {
		defer close(a.done)
		a.read, a.err = p.Settings(ctx, inv, false, Hooks{})
	}()
	return a
}

func (a *ahead) wait() (document.Settings, error) {
	<-a.done
	a.cancel()
	return a.read, a.err
}

// end gives the reading up, and waits until it has ended. What fails for that is no error.
func (a *ahead) end() error {
	a.cancel()
	<-a.done
	if errors.Is(a.err, context.Canceled) {
		return nil
	}
	return a.err
}

// govern fills in the settings of the plan's repositories, and writes governance.json and governance.md.
func (p *Pipeline) govern(inv document.Inventory, content document.Content, ahead *ahead, made *document.Plan) error {
	settings, err := ahead.wait()
	if err != nil || p.Guards == nil {
		return err
	}
	c := p.guarding(inv, settings, content)
	c.Groups = p.laid.Groups
	told, err := governance.Govern(c, made)
	if err != nil {
		return err
	}
	if err := document.Write(p.Workspace.Governance(), told); err != nil {
		return err
	}
	return document.WriteText(p.Workspace.GovernanceText(), []byte(governance.Markdown(told, *made)))
}

// guarding is what the governance looks at.
func (p *Pipeline) guarding(inv document.Inventory, settings document.Settings, content document.Content) governance.Config {
	return governance.Config{
		Inventory: inv, Settings: settings, Content: content, Mapping: p.Rules.Mapping, Scope: p.Rules.Scope, Whole: p.Whole, Now: p.Now(), Options: *p.Guards,
	}
}

// ReadSettings reads settings.json.
func (p *Pipeline) ReadSettings() (document.Settings, error) {
	var read document.Settings
	err := document.ReadFor(p.Workspace.Settings(), document.KindSettings, p.fileMigration(), &read)
	if errors.Is(err, fs.ErrNotExist) {
		return read, &MissingError{Path: p.Workspace.Settings(), Command: "plan"}
	}
	return read, err
}

// ReadGovernance reads governance.json.
func (p *Pipeline) ReadGovernance() (document.Governance, error) {
	var told document.Governance
	err := p.read(p.Workspace.Governance(), document.KindGovernance, "plan", &told)
	return told, err
}
