package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/report"
	"transship/internal/workspace"
)

// newReport returns the command that writes the report.
func newReport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "report [DIR…]",
		Short: "Write a report for whoever signs the migration off",
		Long: `Write report.html, one page that opens from anywhere, and report.md, the same
for a pull request, from the documents of the workspace: whether the migration
is complete, what must be decided, and the evidence for both.

With the workspaces of workers that each copied a shard, adds up what those did.
Each document may be missing; what cannot be read is named in the report.

Changes nothing on either side, and asks no registry. Exits with 0 whatever the
verdict is.`,
		Example: `  transship report
  transship report workers/*
  transship report --json | jq .state`,
		RunE: func(_ *cobra.Command, dirs []string) error { return a.report(dirs) },
	}
}

// reported is what came of a report, for programs.
type reported struct {
	HTML       string       `json:"html"` // paths
	Markdown   string       `json:"markdown"`
	State      report.State `json:"state"`
	Sentence   string       `json:"sentence"`
	Verified   int          `json:"verified"`   // references
	References int          `json:"references"` // that must be at the target
	Decisions  []decision   `json:"decisions"`
}

// decision is one of what is open.
type decision struct {
	Text    string      `json:"text"`
	Tone    report.Tone `json:"tone"`    // bad or warn
	Section string      `json:"section"` // of the page
}

// report writes the report of the workspace and says where it is.
func (a *app) report(dirs []string) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	made, err := a.writeReport(s, dirs)
	if err != nil {
		return err
	}
	if a.flags.json {
		return document.Encode(a.streams.Out, made)
	}
	a.tellReport(made)
	return nil
}

// writeReport takes no lock: it reads documents that are replaced whole, and replaces its own.
func (a *app) writeReport(s settings, dirs []string) (reported, error) {
	e, err := a.evidence(s, dirs)
	if err != nil {
		return reported{}, err
	}
	made, w := report.New(e), workspace.At(s.Workspace, s.Wave)
	// Where the documents are those of workers alone, nothing has made it yet.
	if err := os.MkdirAll(filepath.Dir(w.Report()), 0o700); err != nil {
		return reported{}, fmt.Errorf("make the workspace: %w", err)
	}
	for _, file := range []struct {
		path  string
		write func(io.Writer, report.Report) error
	}{{w.Report(), report.HTML}, {w.ReportText(), report.Markdown}} {
		var b bytes.Buffer
		if err := file.write(&b, made); err != nil {
			return reported{}, fmt.Errorf("write %s: %w", file.path, err)
		}
		if err := document.WriteText(file.path, b.Bytes()); err != nil {
			return reported{}, err
		}
	}
	out := reported{
		HTML: w.Report(), Markdown: w.ReportText(), State: made.Verdict.State, Sentence: made.Verdict.Sentence,
		Verified: made.Verdict.Verified, References: made.Verdict.References, Decisions: []decision{},
	}
	for _, d := range made.Decisions {
		out.Decisions = append(out.Decisions, decision{Text: d.Text, Tone: d.Tone, Section: d.Section})
	}
	return out, nil
}

// tellReport says the verdict in a line, and where the report is.
func (a *app) tellReport(r reported) {
	style := a.streams.OutStyle()
	mark := map[report.State]func(string) string{report.StateComplete: style.Good, report.StateIncomplete: style.Bad}[r.State]
	if mark == nil {
		mark = style.Warn
	}
	line := "Report: " + mark(string(r.State)) + ", " + term.Number(r.Verified) + " of " + term.Count(r.References, "reference") + " verified"
	if n := len(r.Decisions); n > 0 {
		line += ", " + term.Number(n) + " to decide or mend"
	}
	fmt.Fprintln(a.streams.Out, line)
	for _, path := range []string{r.HTML, r.Markdown} {
		fmt.Fprintln(a.streams.Out, "  "+filepath.Clean(path))
	}
}
