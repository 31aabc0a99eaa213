package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/stage"
)

// looking is how long a look at both sides may take. Of 5,000 repositories, 24 at a time, it takes some 20 seconds.
const looking = 30 * time.Second

// newStatus returns the command that says where the migration stands.
func newStatus(a *app) *cobra.Command {
	var offline bool
	var within string
	cmd := &cobra.Command{
		Use:   "status [DIR…]",
		Short: "Say where the migration stands, wave by wave",
		Long: `Say where each wave of the migration stands, from the documents of the
workspace and a quick look at both sides: what is verified, what is in place at
the target now, what was pushed, moved or deleted at the source since, how the
sync, the references and the cut-over stand, and what to do next.

The look takes bulk listings alone, reads no manifest and moves no pull time.
A side that cannot be seen is named with the reason, and the rest is shown.
--offline asks no registry.

With the workspaces of workers that each copied a shard, adds up what those did,
and names the shards that are missing or not done; exits with 3 where any is.

Changes nothing, and takes no lock: a sync may run beside it.`,
		Example: `  transship status
  transship status --offline
  transship status workers/*
  transship status --json | jq '.waves[] | select(.state != "verified").name'`,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			if len(dirs) > 0 {
				return a.joined(dirs)
			}
			a.reads = true
			if offline {
				return a.with(cmd.Context(), 0, func(_ context.Context, p *stage.Pipeline) error {
					s, err := p.Status()
					return a.showStatus(s, err)
				})
			}
			limit, err := parseSpan("--timeout", within)
			if err != nil {
				return err
			}
			limit = cmp.Or(limit, looking)
			a.patience = limit / 2 // so that what failed again and again is told, rather than that the time is up
			ctx, cancel := context.WithTimeout(cmd.Context(), limit)
			defer cancel()
			return a.with(ctx, needBoth, func(ctx context.Context, p *stage.Pipeline) error {
				s, err := p.StatusNow(ctx, a.unseen)
				return a.showStatus(s, err)
			})
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "answer from the workspace alone")
	cmd.Flags().StringVar(&within, "timeout", "", "give up the look at both sides after `DURATION` (30s)")
	return cmd
}

func (a *app) showStatus(s stage.Status, err error) error {
	if err != nil {
		return err
	}
	return a.show(s, func(o text.Options) { text.Status(a.streams.Out, o, s) })
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
