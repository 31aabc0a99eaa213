package report

import (
	"fmt"
	"io"
	"strings"

	"transship/internal/markdown"
)

// fewest is how many rows of a table the Markdown has, or twice as many where they need attention: a pull request takes
// 65,536 characters.
const fewest = 20

// Markdown writes the report for a pull request. Tables have their first rows, which are those that need
// attention; the page has all.
func Markdown(w io.Writer, r Report) error {
	var b strings.Builder
	title := r.Title
	if r.Wave != "" {
		title += ", wave " + r.Wave
	}
	sign := map[Tone]string{Good: "✅ ", Bad: "❌ ", Warn: "⚠️ "}[r.Verdict.State.tone()]
	fmt.Fprintf(&b, "# %s\n\n**%s%s.** %s\n\n", markdown.Text(title), sign, markdown.Text(r.Verdict.Headline), markdown.Text(r.Verdict.Sentence))
	for _, s := range r.Sources {
		fmt.Fprintf(&b, "- From %s\n", markdown.Code(s))
	}
	if r.Target != "" {
		fmt.Fprintf(&b, "- To %s\n", markdown.Code(r.Target))
	}
	for _, f := range r.Verdict.Figures {
		fmt.Fprintf(&b, "- %s: **%s**\n", markdown.Text(f.Name), markdown.Text(f.Value))
	}
	fmt.Fprintf(&b, "- Made %s by %s\n\n## What must I decide?\n\n", moment(r.MadeAt), markdown.Text(r.Version))
	if len(r.Decisions) == 0 {
		b.WriteString("Nothing is open.\n\n")
	}
	for _, d := range r.Decisions {
		fmt.Fprintf(&b, "- [ ] **%s:** %s\n", mark(d.Tone), markdown.Text(d.Text))
	}
	if len(r.Decisions) > 0 {
		b.WriteString("\n")
	}
	for _, s := range r.Sections {
		section(&b, s)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func section(b *strings.Builder, s Section) {
	fmt.Fprintf(b, "## %s\n\n", markdown.Text(s.Title))
	if s.Lead != "" {
		b.WriteString(markdown.Text(s.Lead) + "\n\n")
	}
	for _, f := range s.Figures {
		fmt.Fprintf(b, "- %s: %s\n", markdown.Text(f.Name), markdown.Text(f.Value))
	}
	if len(s.Figures) > 0 {
		b.WriteString("\n")
	}
	for _, t := range s.Tables {
		table(b, t)
	}
}

// table writes a table; one without anything that needs attention is folded.
func table(b *strings.Builder, t Table) {
	rows := t.Rows[:min(len(t.Rows), max(fewest, min(t.Open, 2*fewest)))]
	fmt.Fprintf(b, "<details%s><summary>%s (%s)</summary>\n\n", map[bool]string{true: " open"}[t.Open > 0], markdown.Text(t.Caption), rowCount(t))
	for _, c := range t.Columns {
		b.WriteString("| " + markdown.Text(c.Name) + " ")
	}
	b.WriteString("|\n")
	for _, c := range t.Columns {
		if c.Kind == Number {
			b.WriteString("|--:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for _, row := range rows {
		for n, c := range row {
			text := markdown.Text(c.Text)
			if k := t.Columns[n].Kind; c.Text != "" && (k == Digest || k == Name) {
				text = markdown.CodeCell(c.Text)
			}
			b.WriteString("| " + text + " ")
		}
		b.WriteString("|\n")
	}
	if left := len(t.Rows) + t.LeftOut - len(rows); left > 0 {
		fmt.Fprintf(b, "\nand %d more: report.html has them.\n", left)
	}
	b.WriteString("\n</details>\n\n")
}
