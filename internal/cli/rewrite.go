package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/cli/text"
	"transship/internal/document"
	"transship/internal/rewrite"
	"transship/internal/rewrite/diff"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/sarif"
)

// rewriting are the flags of the command.
type rewriting struct {
	write, pin, reverse         bool
	findings, migrated          string
	rewriteTo, cluster, listing string
}

// newRewrite returns the command that moves references in files.
func newRewrite(a *app) *cobra.Command {
	var r rewriting
	cmd := &cobra.Command{
		Use:   "rewrite PATH…",
		Short: "Move the references in a team's files to what was proved",
		Long: `Find what names ECR in the files below each PATH, and show how references
become Artifact Registry's: only those that verify.json proves to be at the
target. Whatever a person must decide is a finding, the most dangerous first.
What git ignores, vendored folders, links and binary files are left out.

--cluster reads what kubectl prints ("-": stdin) and says what still uses ECR:
  kubectl get deploy,sts,ds,cj,po -A -o json | transship rewrite --cluster -

Changes nothing without --write, which changes files in place, each whole or not
at all. --reverse takes that back byte for byte, by rewrite.json; what exists in
Artifact Registry alone is told as of the last "transship verify".`,
		Example: `  transship rewrite deploy charts
  transship rewrite . --findings findings.sarif
  transship rewrite . --write
  transship rewrite . --reverse --write`,
		Args: func(_ *cobra.Command, args []string) error { return r.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.cluster != "" {
				return a.cluster(r)
			}
			return a.rewrite(cmd.Context(), r, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&r.write, "write", false, "change the files")
	f.StringVar(&r.findings, "findings", "", "write the findings to `FILE`: JSON, or SARIF for .sarif")
	f.StringVar(&r.migrated, "migrated", "", "take the repositories that `FILE` lists as proved, in place of verify.json")
	f.StringVar(&r.rewriteTo, "rewrite-to", "", "write `PREFIX` in place of the target, such as a virtual repository")
	f.BoolVar(&r.pin, "pin", false, "append the verified digest to tags")
	f.BoolVar(&r.reverse, "reverse", false, "lead back to ECR")
	f.StringVar(&r.cluster, "cluster", "", "say what in `FILE`, by kubectl -o json, uses ECR")
	f.StringVar(&r.listing, "list", "", "with --cluster: write the images to `FILE`, for --first")
	return cmd
}

// check finds flags that do not go together.
func (r rewriting) check(args []string) error {
	switch {
	case r.cluster != "" && (len(args) > 0 || r.write || r.pin || r.reverse || r.findings != "" || r.rewriteTo != ""):
		return usagef("--cluster looks at no PATH, and goes with --list, --migrated and --json alone")
	case r.cluster == "" && r.listing != "":
		return usagef("--list goes with --cluster")
	case r.cluster == "" && len(args) == 0:
		return usagef(`transship rewrite wants to know which files: name files or folders ("." is this one)`)
	case r.pin && r.reverse:
		return usagef("--pin and --reverse do not go together: the way back takes digests off again that rewrite.json knows of")
	case r.pin && r.migrated != "":
		return usagef("--pin wants digests, which verify.json has and a list of repositories has not")
	}
	return nil
}

// rewrite runs the command on files.
func (a *app) rewrite(ctx context.Context, r rewriting, paths []string) error {
	job, err := a.job(r)
	if err != nil {
		return err
	}
	defer job.close()
	started := a.now()
	doc, err := a.rewriteFiles(ctx, r, paths, job)
	if job.locked && len(job.migration.Sources) > 0 {
		a.history.note(term.Count(len(doc.Edits), "reference") + ", " + term.Count(len(doc.Findings), "finding"))
		run := a.history.run(ctx, err)
		run.Migration = job.migration
		a.append(job.workspace.History(), run, started)
	}
	return err
}

// rewriteFiles does the job, and says what came of it.
func (a *app) rewriteFiles(ctx context.Context, r rewriting, paths []string, job *job) (document.Rewriting, error) {
	doc := document.Rewriting{
		Header: document.NewHeader(document.KindRewrite, job.migration), MadeAt: a.now().UTC(), Paths: paths, Reverse: r.reverse, Written: r.write,
		Edits: []document.Reworded{}, Findings: []document.Mention{}, Changes: []document.FileChange{},
	}
	c := rewrite.Config{
		Paths: paths, Known: job.known, Judges: rewrite.Judges(), Pin: r.pin, Reverse: r.reverse, Past: job.past, Write: r.write,
		Skip: []string{job.workspace.Dir, r.findings, r.migrated},
		Record: func(report rewrite.Report) error {
			fill(&doc, report, job.past)
			return document.Write(job.workspace.Rewrite(), doc)
		},
	}
	if !r.write && !a.flags.json {
		c.Show = a.differ()
	}
	report, err := rewrite.Run(ctx, c)
	if err != nil {
		return doc, unnamed(err)
	}
	fill(&doc, report, job.past)
	if job.locked {
		if err := document.Write(job.workspace.Rewrite(), doc); err != nil {
			return doc, err
		}
	}
	if err := a.tellRewrite(r, report, doc, job); err != nil {
		return doc, err
	}
	if n := len(report.Findings); n > 0 {
		return doc, &incompleteError{term.Count(n, "finding")}
	}
	return doc, nil
}

// fill puts into the document what was found, and adds the changes to those of earlier runs. What leads back is no change:
// the record stays that of the way there.
func fill(doc *document.Rewriting, r rewrite.Report, past []document.FileChange) {
	doc.Files, doc.Findings = r.Files, r.Mentions()
	if r.Edits != nil {
		doc.Edits = r.Edits
	}
	doc.Changes = append(doc.Changes[:0:0], past...)
	if doc.Written && !doc.Reverse {
		doc.Changes = append(doc.Changes, r.Changes...)
	}
	if doc.Changes == nil {
		doc.Changes = []document.FileChange{}
	}
}

// tellRewrite shows the report and writes the findings.
func (a *app) tellRewrite(r rewriting, report rewrite.Report, doc document.Rewriting, job *job) error {
	if r.findings != "" {
		if err := writeFindings(r.findings, report.Findings); err != nil {
			return err
		}
	}
	path := ""
	if job.locked {
		path = job.workspace.Rewrite()
	}
	return a.show(doc, func(o text.Options) {
		text.Rewriting(a.streams.Out, o, text.RewriteReport{Document: doc, Report: report, Path: path, Findings: r.findings})
	})
}

// writeFindings writes the findings for other programs.
func writeFindings(path string, findings []mention.Finding) error {
	if findings == nil {
		findings = []mention.Finding{}
	}
	if !strings.HasSuffix(strings.ToLower(path), ".sarif") {
		return document.Write(path, struct {
			Findings []mention.Finding `json:"findings"`
		}{findings})
	}
	var b bytes.Buffer
	if err := sarif.Write(&b, version, findings); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return document.Write(path, json.RawMessage(b.Bytes()))
}

// differ shows diffs: for a person's terminal without what moves it, for a file or a program as they are.
func (a *app) differ() func(diff.File) {
	s := diff.Plain()
	if style := a.streams.OutStyle(); a.streams.OutWidth() > 0 {
		s = diff.Style{Name: style.Bold, Place: style.Heading, Old: style.Bad, New: style.Good, Clean: visible}
	}
	return func(f diff.File) {
		_ = f.Write(a.streams.Out, s) // as with all that is shown
		fmt.Fprintln(a.streams.Out)
	}
}

// visible is a line of a diff as a terminal may be shown it: with its indentation.
func visible(line string) string {
	rest := strings.TrimLeft(line, " \t")
	return strings.ReplaceAll(line[:len(line)-len(rest)], "\t", "    ") + term.Clean(rest)
}
