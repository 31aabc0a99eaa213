package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/generate"
	"transship/internal/stage"
)

// newTerraform returns the command that writes what provision would do as Terraform.
func newTerraform(a *app) *cobra.Command {
	var finish bool
	cmd := &cobra.Command{
		Use:   "terraform DIR",
		Short: "Write what provision would do as Terraform",
		Long: `Write into DIR, as Terraform, the repositories that plan.json needs, with the
settings that "transship provision" gives them: key, labels, scanning, clean-up
policies in dry run, immutable tags with --finish. Asks the target once for
each repository: what exists is imported, and what others set there stays.

Writes access.tf, imports.tf, repositories.tf and versions.tf, and replaces
those that it wrote before, but none that somebody made their own. Changes
nothing on either side.`,
		Example: `  transship generate terraform infra/registry
  transship generate terraform infra/registry --finish`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("transship generate terraform wants one folder to write into")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), needTarget, func(ctx context.Context, p *stage.Pipeline) error {
				return a.terraform(ctx, p, args[0], finish)
			})
		},
	}
	cmd.Flags().BoolVar(&finish, "finish", false, `make tags immutable, as "provision --finish" does`)
	return cmd
}

// terraform writes the files into dir.
func (a *app) terraform(ctx context.Context, p *stage.Pipeline, dir string, finish bool) error {
	changes, err := p.PreviewProvision(ctx, finish)
	if err != nil {
		return err
	}
	told, err := guarded(p)
	if err != nil {
		return err
	}
	files := generate.Terraform(changes, told.Access)
	if err := generate.Write(dir, files); err != nil {
		return err
	}
	written := terraformWritten{Written: make([]string, 0, len(files)), Repositories: len(changes)}
	for _, c := range changes {
		if !c.Create {
			written.Imported++
		}
	}
	for _, f := range files {
		written.Written = append(written.Written, filepath.Join(dir, f.Name))
	}
	if a.flags.json {
		return encode(a.streams.Out, written)
	}
	text.Terraform(a.streams.Out, a.words(), dir, len(changes), written.Imported)
	return nil
}

// terraformWritten is what --json says.
type terraformWritten struct {
	Written      []string `json:"written"`      // paths
	Repositories int      `json:"repositories"` //
	Imported     int      `json:"imported"`     // of them, those that exist
}
