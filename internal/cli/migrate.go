package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/provision"
	"transship/internal/stage"
)

// newMigrate returns the command that runs the stages in a row.
func newMigrate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Run inventory, plan, provision, copy and verify in a row",
		Long: `Run inventory, plan, provision, copy and verify in a row, then make tags
immutable where planned. Shows the plan, asks once, does only what is missing.

Changes the target: creates repositories, writes images and tags, and sets what
guards them. Nothing is deleted on either side.`,
		Example: `  transship migrate --from 123456789012.dkr.ecr.us-east-1.amazonaws.com \
    --to us-docker.pkg.dev/my-gcp-project/app-images
  transship migrate --yes --deep --include 'team/**'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.flags.ranks, a.flags.costs = true, true
			return a.with(cmd.Context(), needBoth, func(ctx context.Context, p *stage.Pipeline) error {
				return a.migrate(ctx, p)
			})
		},
	}
	a.addOverwrite(cmd)
	a.addDeep(cmd)
	a.addFirst(cmd)
	a.addCosts(cmd)
	a.addSelection(cmd)
	a.addLimits(cmd)
	a.addCopying(cmd)
	return cmd
}

// migrate runs the stages in a row. What was incomplete on the way is told at the end, since each later stage goes on
// with what there is.
func (a *app) migrate(ctx context.Context, p *stage.Pipeline) error {
	inv, err := a.inventory(ctx, p)
	if err != nil {
		return err
	}
	a.say(func(w text.Options) { text.Inventory(a.streams.Out, w, inv, p.Workspace.Inventory()) })
	made, err := a.plan(ctx, p)
	if err != nil {
		return err
	}
	told, err := guarded(p)
	if err != nil {
		return err
	}
	cost, err := p.ReadEstimate()
	if err != nil {
		return err
	}
	a.say(func(w text.Options) { text.Plan(a.streams.Out, w, made, told, cost, planFiles(p)) })
	created, err := a.agree(ctx, p, made)
	if err != nil {
		return err
	}
	results, err := a.copy(ctx, p, false)
	if err != nil {
		return err
	}
	a.say(func(w text.Options) { text.Results(a.streams.Out, w, results, p.Workspace.Results()) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	v, err := a.verify(ctx, p)
	if err != nil {
		return err
	}
	if err := a.show(v, func(w text.Options) {
		w.Row = unverified(v) == nil // then what is next comes last
		text.Verification(a.streams.Out, w, v, p.Workspace.Verification())
	}); err != nil {
		return err
	}
	for _, err := range []error{unlisted(inv), unread(made), undecided(made), uncopied(ctx, results), unverified(v)} {
		if err != nil {
			return err
		}
	}
	if created, err = a.finish(ctx, p, created); err != nil {
		return err
	}
	if !a.flags.json {
		text.Afterwards(a.streams.Out, a.words(), created)
		text.Migrated(a.streams.Out, a.words(), v)
	}
	return nil
}

// agree asks once for all that a migration changes, the target's repositories and what guards their images included, and
// sets those up.
func (a *app) agree(ctx context.Context, p *stage.Pipeline, made document.Plan) (provision.Result, error) {
	changes, err := p.PreviewProvision(ctx, false)
	if err != nil {
		return provision.Result{}, err
	}
	if slices.ContainsFunc(changes, func(c desired.Change) bool { return len(c.Steps)+len(c.LeftOut) > 0 }) {
		a.say(func(w text.Options) { text.Changes(a.streams.Out, w, changes) })
	}
	finishing := !p.Sync && slices.ContainsFunc(changes, func(c desired.Change) bool { return c.Unfinished })
	if question := migrateQuestion(!idle(made), provisionQuestion(changes) != "", finishing); question != "" {
		if err := a.confirm(ctx, question); err != nil {
			return provision.Result{}, err
		}
	}
	result, err := a.provision(ctx, p, stage.ProvisionOptions{Seen: changes})
	if err == nil && !result.Nothing() {
		a.say(func(w text.Options) { text.Provision(a.streams.Out, w, result) })
	}
	return result, err
}

// migrateQuestion asks for what a migration changes: images, settings, and at its end the tags; nothing where nothing does.
func migrateQuestion(images, settings, finishing bool) string {
	question := ""
	switch {
	case images:
		question = "Create, copy and tag all this"
	case settings:
		question = "Change all this"
	case finishing:
		return "Make tags immutable once everything is verified?"
	default:
		return ""
	}
	if finishing {
		question += ", and make tags immutable once it is verified"
	}
	return question + "?"
}

// undecided is the error of a migration that leaves something behind which only a decision of the user's can bring over:
// another name, or another target.
func undecided(made document.Plan) error {
	n := 0
	for _, r := range made.Refused {
		if r.Rule == document.RuleConflict || r.Rule == document.RuleName || r.Rule == document.RuleUnmapped {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &incompleteError{fmt.Sprintf("%d refused until somebody decides", n)}
}

// idle reports whether a plan has nothing to create, copy or tag.
func idle(made document.Plan) bool {
	d := made.Difference
	return d.CreateRepositories+d.CopyManifests+d.SetTags+d.MoveTags == 0
}

// say prints words unless the user wants JSON, of which there is one document, at the end.
func (a *app) say(words func(text.Options)) {
	if !a.flags.json {
		a.breathe()
		o := a.words()
		o.Row = true
		words(o)
		fmt.Fprintln(a.streams.Out)
	}
}
