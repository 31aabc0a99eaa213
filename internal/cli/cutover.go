package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/cli/text"
	"transship/internal/cutover"
	"transship/internal/document"
	"transship/internal/plan"
	"transship/internal/stage"
	"transship/internal/workspace"
)

// gate are the flags of cutover.
type gate struct {
	leave, withoutArchived               bool
	switched, nodes, quietFor, rewriteTo string
	canary, cluster                      []string
}

// newCutover returns the command that says whether it is safe to switch, or to leave.
func newCutover(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cutover [PATH…]",
		Short: "Say whether it is safe to switch, and to leave ECR",
		Long: `Look afresh at both sides, at the files below each PATH, at clusters and at
the documents of the workspace, and say of each condition whether it holds, with
the evidence: everything verified after the last push, nothing behind, nothing
that refers to ECR, nobody who pulls from it, a pull on trial as the nodes, the
settings that guard images, the way back. Exits with 0 only where all hold.
Writes cutover.json. Takes no lock: a sync may run.

Before the switch, pulls from ECR are as they should be; after it, --switched
says since when they are not, which cutover.json remembers.

--leave asks what it takes to switch ECR off, and writes what is safe to delete
there: a list, and leave.sh, for somebody to read and run.

Changes nothing on either side, and deletes nothing, ever.`,
		Example: `  transship cutover deploy --nodes nodes@my-project.iam.gserviceaccount.com
  kubectl get deploy,sts,ds,po -A -o json | transship cutover . --cluster -
  transship cutover deploy --switched 2026-11-20
  transship cutover deploy --leave`,
		RunE: func(cmd *cobra.Command, paths []string) error { return a.cutover(cmd.Context(), paths) },
	}
	f, g := cmd.Flags(), &a.flags.gate
	f.StringArrayVar(&g.canary, "canary", nil, "pull `IMAGE` on trial (repeatable; else those pulled last)")
	f.StringVar(&g.nodes, "nodes", "", "pull on trial as the nodes do: `EMAIL` of a service account")
	f.StringArrayVar(&g.cluster, "cluster", nil, "look at what a cluster uses: `FILE` by kubectl -o json")
	f.StringVar(&g.rewriteTo, "rewrite-to", "", "what rewrite wrote in place of the target: `PREFIX`")
	f.StringVar(&g.switched, "switched", "", "nobody should pull from ECR since `WHEN`, or \"never\"")
	f.BoolVar(&g.leave, "leave", false, "is it safe to switch ECR off?")
	f.StringVar(&g.quietFor, "quiet-for", "", "with --leave: nobody pulled or pushed for `TIME` (30d)")
	f.BoolVar(&g.withoutArchived, "without-archived", false, "with --leave: archived images stay behind")
	return cmd
}

// mergeGate lets the flags win over the file.
func (a *app) mergeGate(f *file) {
	g := &a.flags.gate
	f.Switched, f.Nodes, f.QuietFor = cmp.Or(g.switched, f.Switched), cmp.Or(g.nodes, f.Nodes), cmp.Or(g.quietFor, f.QuietFor)
	if len(g.canary) > 0 {
		f.Canary = g.canary
	}
	if len(g.cluster) > 0 {
		f.Cluster = g.cluster
	}
	f.WithoutArchived = f.WithoutArchived || g.withoutArchived
}

// cutover judges, writes what it came to, and says it.
func (a *app) cutover(ctx context.Context, paths []string) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	e := cutover.Evidence{Leave: a.flags.gate.leave, Archived: s.WithoutArchived, At: a.now(), Units: units()}
	if e.Quiet, err = quiet(s.QuietFor, a.now()); err != nil {
		return err
	}
	a.reads = true
	return a.with(ctx, needBoth, func(ctx context.Context, p *stage.Pipeline) error {
		if err := a.gather(ctx, p, s, paths, &e); err != nil {
			return err
		}
		c := cutover.Judge(e)
		if err := writeCutover(p.Workspace, c); err != nil {
			return err
		}
		a.history.note(term.Count(c.Fail, "check") + " failed, " + term.Number(c.Unknown) + " unknown")
		if err := a.show(c, func(o text.Options) {
			text.Cutover(a.streams.Out, o, c, p.Workspace.Cutover(), p.Workspace.LeaveScript())
		}); err != nil {
			return err
		}
		if !c.Open() {
			return &incompleteError{fmt.Sprintf("the gate is closed: %d failed, %d unknown", c.Fail, c.Unknown)}
		}
		return nil
	})
}

// quiet reads for how long nobody may have pulled or pushed.
func quiet(said string, now time.Time) (time.Duration, error) {
	if said == "" {
		return cutover.DefaultQuiet, nil
	}
	since, err := plan.ParseSince(said, now)
	if d := now.Sub(since); err == nil && d >= 24*time.Hour {
		return d, nil
	}
	return 0, usagef("--quiet-for: %q is no duration of a day or more, such as 30d or 8w: ECR's pull times are up to a day late", said)
}

// switched reads since when nobody should pull: as was said now, or before.
func switched(said string, before *document.Cutover, now time.Time) (time.Time, error) {
	switch said {
	case "":
		if before != nil {
			return before.SwitchedAt, nil
		}
		return time.Time{}, nil
	case "never":
		return time.Time{}, nil
	}
	t, err := plan.ParseSince(said, now)
	if err != nil {
		return t, usagef("--switched: %w", err)
	}
	if t.After(now) {
		return t, usagef("--switched: %s is still to come: say it when it is done", said)
	}
	return t, nil
}

// writeCutover writes cutover.json, and leave.sh where something is safe to delete; an older one would be a trap.
func writeCutover(w *workspace.Workspace, c document.Cutover) error {
	if err := os.MkdirAll(filepath.Dir(w.Cutover()), 0o700); err != nil {
		return fmt.Errorf("create the workspace: %w (make room for it there, or name another workspace with -w)", err)
	}
	if err := document.Write(w.Cutover(), c); err != nil {
		return err
	}
	if len(c.Removable) == 0 {
		if err := os.Remove(w.LeaveScript()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the leave.sh of before: %w", err)
		}
		return nil
	}
	script, err := cutover.Script(c, units())
	if err != nil {
		return err
	}
	return document.WriteText(w.LeaveScript(), script)
}
