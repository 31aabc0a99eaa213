// Package stage runs the pipeline one stage at a time: it reads the documents that a stage needs from the workspace,
// lets the stage do its work on the clouds, and writes the documents that it makes. Commands, the demo and the sync
// call it; nothing below knows of a workspace.
//
//	Inventory ─→ inventory.json ─ Plan ─→ content.jsonl, settings.json, plan.json, governance.json, estimate.json ─┬─ Provision
//	                                                                                                                └─ Copy ─→ journal.jsonl, results.json
//	Verify ─→ verify.json
package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"transship/internal/clouds"
	"transship/internal/content"
	"transship/internal/document"
	"transship/internal/governance"
	"transship/internal/inventory"
	"transship/internal/plan"
	"transship/internal/provision"
	"transship/internal/ref"
	"transship/internal/transfer"
	"transship/internal/verify"
	"transship/internal/workspace"
)

// Pipeline is one migration in one workspace.
type Pipeline struct {
	Workspace *workspace.Workspace
	Rules     plan.Rules
	Waves     []ref.Wave // all that there are, to tell repositories that two of them claim
	Sources   []*clouds.Source
	Target    *clouds.Target
	// Guards says what becomes of the settings that guard images; nil leaves them alone, and asks for none.
	Guards *governance.Options
	// Costs says what an estimate of each plan follows from; nil makes none.
	Costs *Costs
	// Whole is what the migration is about at all, of which Rules.Scope may be a part.
	Whole ref.Scope
	// Grouped has the sources grouped into repositories by the settings that those can share; see Layout.
	Grouped bool
	laid    document.Layout // whose rules are the last ones of the mapping
	// Sync says that a sync is configured, which moves tags until the team has switched over: a migration then leaves tags
	// as they can be moved, and "provision --finish" makes them immutable.
	Sync bool
	// PlanFile is the plan to copy by, such as one in a volume that several machines mount, which is only read; empty for
	// plan.json of the workspace.
	PlanFile string
	// referrers says how referrers are looked for that listings do not show; empty is inventory.ReferrersAuto.
	referrers inventory.ReferrersMode
	memory    *memory // of a pipeline that follows, else nil

	Now    func() time.Time
	Logger *slog.Logger
}

// Hooks show what is going on; each may be nil.
type Hooks struct {
	Inventory func(inventory.Progress)
	Settings  func(inventory.SettingsProgress)
	Content   func(content.Progress)
	Provision func(provision.Progress)
	Copy      *transfer.Progress
	Verify    func(verify.Progress)
}

// Inventory lists both sides and writes inventory.json. Pull times that an earlier inventory saw stay as they were
// then, since later ones may be this migration's own. A *ClaimError or a *plan.MappingError says that the waves or the
// rules do not fit what the sources hold: nothing is written then, since other rules make it another migration.
func (p *Pipeline) Inventory(ctx context.Context, h Hooks) (document.Inventory, error) {
	if err := p.layOut(ctx, h); err != nil {
		return document.Inventory{}, err
	}
	inv, err := p.list(ctx, h)
	if err != nil {
		return inv, err
	}
	if err := claimedTwice(p.Waves, inv); err != nil {
		return inv, err
	}
	if err := p.fits(inv); err != nil {
		return inv, err
	}
	p.remember(inv)
	return inv, document.Write(p.Workspace.Inventory(), inv)
}

// Fresh lists both sides as they are now, with the pull times as ECR has them, and writes nothing.
func (p *Pipeline) Fresh(ctx context.Context, h Hooks) (document.Inventory, error) {
	return inventory.Run(ctx, p.lists(h))
}

// ClaimError says that a repository belongs to two waves.
type ClaimError struct {
	Repository  ref.Repository
	First, Then string
}

// Error names the repository, the waves and the remedy.
func (e *ClaimError) Error() string {
	return fmt.Sprintf("the repository %s belongs to two waves, %s and %s: put it under exclude in one of them", e.Repository, e.First, e.Then)
}

func claimedTwice(waves []ref.Wave, inv document.Inventory) error {
	for _, r := range inv.Source.Repositories {
		first := ""
		for _, w := range waves {
			if !w.Match(r.URI) {
				continue
			}
			if first != "" {
				return &ClaimError{Repository: r.URI, First: first, Then: w.Name}
			}
			first = w.Name
		}
	}
	return nil
}

func (p *Pipeline) list(ctx context.Context, h Hooks) (document.Inventory, error) {
	c := p.lists(h)
	c.Previous = p.previousImages
	return inventory.Run(ctx, c)
}

// lists is how both sides are listed.
func (p *Pipeline) lists(h Hooks) inventory.Config {
	c := inventory.Config{
		Migration: p.Rules.Migration, Target: p.Target, Mapping: p.Rules.Mapping, Scope: p.Rules.Scope,
		Referrers: p.referrers, Caches: p.caches, Tolerant: p.memory != nil, Progress: h.Inventory, Logger: p.Logger,
	}
	for _, s := range p.Sources {
		c.Sources = append(c.Sources, s)
	}
	return c
}

// caches are the repositories that ECR filled from another registry by the latest inventory.
func (p *Pipeline) caches() map[ref.Repository]string {
	out := map[ref.Repository]string{}
	if inv := p.previous(); inv != nil {
		for _, r := range inv.Source.Repositories {
			if r.PullThrough != "" {
				out[r.URI] = r.PullThrough
			}
		}
	}
	return out
}

// previousImages calls each with every source image of the latest inventory of the same migration, if there is one.
func (p *Pipeline) previousImages(each func(document.SourceImage)) {
	p.latest(func(path string) error { return document.EachSourceImage(path, p.Rules.Migration, each) })
}

// previous is the latest inventory of the same migration, nil for none.
func (p *Pipeline) previous() *document.Inventory {
	var inv document.Inventory
	if p.latest(func(path string) error {
		inv = document.Inventory{}
		return document.ReadFor(path, document.KindInventory, p.Rules.Migration, &inv)
	}) {
		return &inv
	}
	return nil
}

// latest reads the latest inventory that can be read: this wave's own, or else that of the whole.
func (p *Pipeline) latest(read func(path string) error) bool {
	whole := workspace.Workspace{Dir: p.Workspace.Dir}
	for _, path := range []string{p.Workspace.Inventory(), whole.Inventory()} {
		err := read(path)
		if err == nil {
			return true
		}
		if !errors.Is(err, fs.ErrNotExist) {
			p.Logger.Debug("the earlier inventory is of no use", "error", err)
		}
	}
	return false
}

// Plan makes plan.json of inventory.json, reading those manifests that content.jsonl does not know yet. A *plan.MappingError
// says that the rules do not fit what the sources hold; nothing is read then.
func (p *Pipeline) Plan(ctx context.Context, h Hooks) (document.Plan, error) {
	var inv document.Inventory
	if err := p.read(p.Workspace.Inventory(), document.KindInventory, "inventory", &inv); err != nil {
		return document.Plan{}, err
	}
	return p.PlanOf(ctx, inv, h)
}

// PlanOf is Plan of an inventory that was just taken.
func (p *Pipeline) PlanOf(ctx context.Context, inv document.Inventory, h Hooks) (document.Plan, error) {
	if err := p.fits(inv); err != nil {
		return document.Plan{}, err
	}
	settings := p.settingsAhead(ctx, inv, true)
	made, learned, err := p.plan(ctx, inv, settings, h)
	if err != nil {
		return made, errors.Join(err, settings.end())
	}
	if err := p.govern(inv, learned, settings, &made); err != nil {
		return made, err
	}
	if err := document.Write(p.Workspace.Plan(), made); err != nil {
		return made, err
	}
	return made, p.estimate(inv, learned, settings, made)
}

// plan is the plan that follows from an inventory, and what was read for it.
func (p *Pipeline) plan(ctx context.Context, inv document.Inventory, ahead *ahead, h Hooks) (document.Plan, document.Content, error) {
	learned, unread, err := p.learn(ctx, inv, false, h)
	if err != nil {
		return document.Plan{}, nil, err
	}
	rules := p.Rules
	rules.Unread = unread
	if rules.Selection.WithoutExpired && p.Guards != nil {
		settings, err := ahead.wait()
		if err != nil {
			return document.Plan{}, nil, err
		}
		rules.Expired = governance.Expired(p.guarding(inv, settings, learned))
	}
	return plan.Make(rules, inv, learned), learned, nil
}

// learn reads the manifests of an inventory that are not known yet. few says that it is of a few images alone.
func (p *Pipeline) learn(ctx context.Context, inv document.Inventory, few bool, h Hooks) (document.Content, []document.Failure, error) {
	known, err := p.known()
	if err != nil {
		return nil, nil, err
	}
	c := content.Config{
		Fallback: p, Inventory: inv, Scope: p.Rules.Scope, PullThrough: p.Rules.Selection.PullThrough, Known: known, Progress: h.Content, Logger: p.Logger,
	}
	for _, s := range p.Sources {
		c.Sources = append(c.Sources, s)
	}
	learned, unread, err := content.Read(ctx, c)
	return learned, unread, errors.Join(err, p.keep(known, learned, few)) // facts stay facts, whatever became of the rest
}

// HasInventory reports whether there is an inventory.json.
func (p *Pipeline) HasInventory() bool {
	_, err := os.Stat(p.Workspace.Inventory())
	return !errors.Is(err, fs.ErrNotExist)
}

// Verify takes a fresh look at both sides and writes verify.json. What it expects follows from what the source holds
// now, not from plan.json.
func (p *Pipeline) Verify(ctx context.Context, deep bool, h Hooks) (document.Verification, error) {
	inv, err := p.list(ctx, h)
	if err != nil {
		return document.Verification{}, err
	}
	settings := p.settingsAhead(ctx, inv, p.Rules.Selection.WithoutExpired)
	expected, _, err := p.plan(ctx, inv, settings, h)
	err = errors.Join(err, settings.end())
	if err != nil {
		return document.Verification{}, err
	}
	c := verify.Config{
		Plan: expected, Inventory: inv, Target: p.Target, Deep: deep, Now: p.Now, Progress: h.Verify, Logger: p.Logger,
	}
	var previous document.Verification
	if err := document.ReadFor(p.Workspace.Verification(), document.KindVerification, p.Rules.Migration, &previous); err == nil {
		c.Previous = &previous
	}
	v, err := verify.Run(ctx, c)
	if err != nil {
		return v, err
	}
	return v, document.Write(p.Workspace.Verification(), v)
}

// SelectAsPlanned takes over which images plan.json chose, where the rules choose none: a verification that expects
// more than was ever planned would only find what nobody asked for. Without a plan everything is expected.
func (p *Pipeline) SelectAsPlanned() error {
	if !p.Rules.Selection.IsZero() {
		return nil
	}
	made, err := p.ReadPlan()
	if _, missing := errors.AsType[*MissingError](err); missing || err == nil && made.Scope.Selection.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	p.Rules.Selection, err = plan.ParseSelection(made.Scope.Selection)
	return err
}

// ReadPlan reads plan.json, or PlanFile.
func (p *Pipeline) ReadPlan() (document.Plan, error) {
	var made document.Plan
	err := p.read(cmp.Or(p.PlanFile, p.Workspace.Plan()), document.KindPlan, "plan", &made)
	return made, err
}

// read reads a document that the stage named by command makes.
func (p *Pipeline) read(path string, kind document.Kind, command string, v document.Headed) error {
	err := document.ReadFor(path, kind, p.Rules.Migration, v)
	if errors.Is(err, fs.ErrNotExist) {
		return &MissingError{Path: path, Command: command}
	}
	return err
}

// MissingError says that a document is not there yet.
type MissingError struct{ Path, Command string }

// Error names the document and the command that makes it.
func (e *MissingError) Error() string {
	return fmt.Sprintf(`%s does not exist yet: run "transship %s" first`, e.Path, e.Command)
}
