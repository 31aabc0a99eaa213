package cli

import (
	"context"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/stage"
)

// newStatus returns the command that says where the migration stands.
func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say where the migration stands, wave by wave",
		Long: `Say where each wave of the migration stands, from the documents of the
workspace: what is listed, planned, copied and verified, when it was, and what
is left.

Changes nothing, and asks no registry.`,
		Example: `  transship status
  transship status --json | jq '.waves[] | select(.state != "verified").name'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
