package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/cli/text"
	"transship/internal/governance/desired"
	"transship/internal/provision"
	"transship/internal/stage"
)

// newProvision returns the command that creates repositories and sets what guards their images.
func newProvision(a *app) *cobra.Command {
	var finish bool
	cmd := &cobra.Command{
		Use:   "provision",
		Short: "Create and set up the Artifact Registry repositories of the plan",
		Long: `Create the Artifact Registry repositories that plan.json needs and that do not
exist (format DOCKER, one every two seconds, as Artifact Registry allows), with
their key, labels, scanning and clean-up policies, and change of those that
exist what differs. Shows each change and asks before it makes any. Run it
again at any time: it does only what is missing.

Clean-up policies begin in dry run and delete nothing; the result says how to
see what they would delete, and how to put them to work. --finish makes tags
immutable where the plan says so: once everything is copied, and nobody moves
tags any more.

--iam DIR writes, instead, files for review: who may do what, as ECR's policies
suggest. With --apply NAME, it gives what the named one of them says.

Changes the target: creates repositories, and changes settings of those that
exist; --apply adds members to roles. Labels, clean-up policies and members of
others stay, and so do descriptions.`,
		Example: `  transship provision
  transship provision --yes
  transship provision --finish
  transship provision --iam access
  transship provision --iam access --apply us-my-gcp-project-app-images`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.checkAccess(); err != nil {
				return err
			}
			return a.with(cmd.Context(), needTarget, func(ctx context.Context, p *stage.Pipeline) error {
				if a.flags.access.dir != "" {
					return a.access(ctx, p)
				}
				return a.provisionAlone(ctx, p, finish)
			})
		},
	}
	a.addAccess(cmd)
	cmd.Flags().BoolVar(&finish, "finish", false, "make tags immutable where the plan says so")
	return cmd
}

// provisionAlone shows what provision would do, asks, and does it.
func (a *app) provisionAlone(ctx context.Context, p *stage.Pipeline, finish bool) error {
	changes, err := p.PreviewProvision(ctx, finish)
	if err != nil {
		return err
	}
	if question := provisionQuestion(changes); question != "" {
		a.say(func(o text.Options) { text.Changes(a.streams.Out, o, changes) })
		if err := a.confirm(ctx, question); err != nil {
			return err
		}
	}
	result, err := a.provision(ctx, p, stage.ProvisionOptions{Finish: finish, Seen: changes})
	if err != nil && result.Nothing() {
		return err
	}
	if failed := errors.Join(err, a.show(result, func(o text.Options) {
		text.Provision(a.streams.Out, o, result)
		if err == nil && !finish {
			text.Next(a.streams.Out, o, `Next: "transship copy" copies the images.`)
		}
	})); failed != nil {
		return failed
	}
	if n := len(result.LeftOut); n > 0 {
		return &incompleteError{fmt.Sprintf("%d settings were left out", n)}
	}
	return nil
}

// provisionQuestion asks for what changes; nothing where nothing does.
func provisionQuestion(changes []desired.Change) string {
	created, changed := 0, 0
	for _, c := range changes {
		switch {
		case c.Create:
			created++
		case !c.Nothing():
			changed++
		}
	}
	switch {
	case created == 0 && changed == 0:
		return ""
	case changed == 0:
		return "Create " + term.Count(created, "repository") + "?"
	case created == 0:
		return "Change " + term.Count(changed, "repository") + "?"
	}
	return fmt.Sprintf("Create %s, and change %s?", term.Count(created, "repository"), term.Number(changed))
}

// provision runs the stage with its progress, where there is something to do.
func (a *app) provision(ctx context.Context, p *stage.Pipeline, o stage.ProvisionOptions) (provision.Result, error) {
	if provisionQuestion(o.Seen) == "" {
		return p.Provision(ctx, o, stage.Hooks{})
	}
	m := a.streams.Meter("Provision")
	result, err := p.Provision(ctx, o, stage.Hooks{Provision: func(at provision.Progress) {
		m.Set(at.Done, at.Total, at.Current.ID)
	}})
	if err != nil {
		m.Stop("")
		return result, err
	}
	summary := term.Count(len(result.Created), "repository") + " created"
	if n := len(result.Changed); n > 0 {
		summary += ", " + term.Number(n) + " changed"
	}
	a.history.note(summary)
	m.Stop(summary)
	return result, nil
}

// finish makes tags immutable, which ends a migration. With a sync it is too early: that moves tags until the team has
// switched over, and "provision --finish" is for afterwards.
func (a *app) finish(ctx context.Context, p *stage.Pipeline, before provision.Result) (provision.Result, error) {
	if p.Sync || len(before.Unfinished) == 0 {
		return before, nil
	}
	changes, err := p.PreviewProvision(ctx, true)
	if err != nil {
		return before, err
	}
	result, err := a.provision(ctx, p, stage.ProvisionOptions{Finish: true, Seen: changes})
	if err == nil {
		a.say(func(o text.Options) { text.Provision(a.streams.Out, o, result) })
	}
	return result, err
}
