package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/stage"
)

// newStatus returns the command that says where the migration stands.
func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status [DIR…]",
		Short: "Say where the migration stands, wave by wave",
		Long: `Say where each wave of the migration stands, from the documents of the
workspace: what is listed, planned, copied and verified, when it was, what is
left, and how the sync stands, also while it runs.

With the workspaces of workers that each copied a shard, adds up what those did,
and names the shards that are missing or not done; exits with 3 where any is.

Changes nothing, and asks no registry.`,
		Example: `  transship status
  transship status workers/*
  transship status --json | jq '.waves[] | select(.state != "verified").name'`,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			if len(dirs) > 0 {
				return a.joined(dirs)
			}
			a.reads = true
			return a.with(cmd.Context(), 0, func(_ context.Context, p *stage.Pipeline) error {
				s, err := p.Status()
				if err != nil {
					return err
				}
				return a.show(s, func(o text.Options) { text.Status(a.streams.Out, o, s) })
			})
		},
	}
}

// joined adds up what workers did.
func (a *app) joined(dirs []string) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	j, err := stage.JoinWorkers(dirs, s.Wave)
	if err != nil {
		return err
	}
	if err := a.show(j, func(o text.Options) { text.Joined(a.streams.Out, o, j) }); err != nil {
		return err
	}
	if open := j.Open(); open > 0 {
		return &incompleteError{fmt.Sprintf("%d of %d shards are not done", open, len(j.Shards))}
	}
	return nil
}
