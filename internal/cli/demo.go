package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"transship/internal/cli/demo"
	"transship/internal/cli/term"
	"transship/internal/stage"
)

// newDemo returns the command that shows everything on embedded clouds.
func newDemo(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Watch a whole migration on embedded clouds; needs no account",
		Long: `Start an embedded ECR full of images and an empty embedded Artifact Registry in
this process, at their real names, and migrate 26 repositories stage by stage,
with everything that real registries hold: platforms, shared layers, untagged
images, signatures, charts, an archived image. Then run the migration again, to
see that nothing is left to do.

Changes nothing outside of a workspace in the folder for temporary files, or in
the one that -w names. Talks to no network.`,
		Example: `  transship demo
  transship demo -w demo-workspace`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context()) },
	}
}

// demo runs the stages on embedded clouds, twice.
func (a *app) demo(ctx context.Context) error {
	world, err := demo.Start()
	if err != nil {
		return err
	}
	defer world.Close()
	if a.flags.workspace == "" {
		if a.flags.workspace, err = os.MkdirTemp("", "transship-demo-"); err != nil {
			return err
		}
	}
	a.clouds = world.Options()
	a.flags.from, a.flags.to, a.flags.yes = []string{demo.From}, demo.To, true
	a.flags.deep, a.flags.costs = true, true
	a.flags.include, a.flags.exclude, a.flags.config = nil, nil, os.DevNull

	a.tell("An embedded ECR and an embedded Artifact Registry are running in this process.")
	a.tell("$ transship migrate --from %s \\\n    --to %s --deep --yes\n", demo.From, demo.To)
	err = a.with(ctx, needBoth, func(ctx context.Context, p *stage.Pipeline) error {
		if err := a.migrate(ctx, p); err != nil {
			return err
		}
		requests, read := world.Requests(), world.BytesRead()
		a.tell("\nOnce more, now that everything is there:\n$ transship inventory && transship plan && transship copy\n")
		if err := a.again(ctx, p); err != nil {
			return err
		}
		a.tell("\nThe first run took %s and read %s from ECR;\nthis one took %s and read %s.\n",
			term.Count(requests, "request"), term.Bytes(read), term.Count(world.Requests()-requests, "request"), term.Bytes(world.BytesRead()-read))
		return nil
	})
	if err != nil {
		return err
	}
	a.tell("The documents are in %s:", a.flags.workspace)
	if err := a.documents(a.flags.workspace); err != nil {
		return err
	}
	return a.demoReport() // which tells of the run that ended
}

// again runs the migration a second time, up to the copy, with its progress alone.
func (a *app) again(ctx context.Context, p *stage.Pipeline) error {
	if _, err := a.inventory(ctx, p); err != nil {
		return err
	}
	if _, err := a.plan(ctx, p); err != nil {
		return err
	}
	results, err := a.copy(ctx, p, false)
	if err != nil {
		return err
	}
	return uncopied(ctx, results)
}

// demoReport writes the report, and says where it is.
func (a *app) demoReport() error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	made, err := a.writeReport(s, nil)
	if err != nil {
		return err
	}
	a.tell("\nAnd for whoever signs it off:\n$ transship report -w %s\n", s.Workspace)
	if !a.flags.json {
		a.tellReport(made)
	}
	return nil
}

// documents lists what a workspace holds.
func (a *app) documents(dir string) error {
	t := term.Table{Indent: 2, Columns: []term.Column{{}, {}}}
	for _, d := range [][2]string{
		{"inventory.json", "what is there, on both sides"},
		{"content.jsonl", "what the manifests say"},
		{"plan.json", "the desired state, and what is refused"},
		{"journal.jsonl", "what happened, as it happened"},
		{"results.json", "what the last copy did"},
		{"verify.json", "what a fresh look found"},
		{"history.jsonl", "which command ran when, and what it asked for"},
	} {
		if _, err := os.Stat(filepath.Join(dir, d[0])); err != nil {
			return err
		}
		t.Row(d[0], d[1])
	}
	t.Write(a.streams.Out, a.streams.OutStyle(), a.streams.OutWidth())
	return nil
}

// tell prints a line of the demo's own words, unless the user wants JSON.
func (a *app) tell(format string, args ...any) {
	if !a.flags.json {
		fmt.Fprintf(a.streams.Out, format+"\n", args...)
	}
}
