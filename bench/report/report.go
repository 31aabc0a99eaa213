// Package report is what a run of the bench found out, for people: on the terminal while it runs, and as Markdown.
//
// Vocabulary: a Document has sections in the order in which they ran; a Section has tables, claims and notes; a Claim is
// a figure beside the bound that it must keep, and says whether it holds.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Document is one run of the bench.
type Document struct {
	Title    string
	Facts    [][2]string // what the figures depend on: machine, versions, seeds
	Words    string      // how to read the tables
	Sections []*Section
	kept     []*Section // of earlier runs
}

// Section is one question and its answer.
type Section struct {
	Title  string
	About  string // what was done, one paragraph
	Tables []*Table
	Claims []Claim
	Notes  []string
	text   string // of a section of an earlier run, all of it
}

// Table is a caption, a header and rows.
type Table struct {
	Caption string
	Header  []string
	Rows    [][]string
}

// Claim is one figure and its bound.
type Claim struct {
	What, Figure, Bound string
	Holds               bool
}

// Row adds a row.
func (t *Table) Row(cells ...string) { t.Rows = append(t.Rows, cells) }

// Table adds a table.
func (s *Section) Table(caption string, header ...string) *Table {
	t := &Table{Caption: caption, Header: header}
	s.Tables = append(s.Tables, t)
	return t
}

// AtMost adds a claim that v stays within bound, both shown by format.
func (s *Section) AtMost(what, format string, v, bound float64) {
	s.Claims = append(s.Claims, Claim{what, fmt.Sprintf(format, v), "≤ " + fmt.Sprintf(format, bound), v <= bound})
}

// AtLeast adds a claim that v reaches bound.
func (s *Section) AtLeast(what, format string, v, bound float64) {
	s.Claims = append(s.Claims, Claim{what, fmt.Sprintf(format, v), "≥ " + fmt.Sprintf(format, bound), v >= bound})
}

// Is adds a claim that two things are the same.
func (s *Section) Is(what, got, want string) {
	s.Claims = append(s.Claims, Claim{what, got, want, got == want})
}

// Note adds a sentence under the tables.
func (s *Section) Note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

func (c Claim) verdict() string {
	if c.Holds {
		return "holds"
	}
	return "**does not hold**"
}

// claims is the table of the claims.
func (s *Section) claims() *Table {
	t := &Table{Header: []string{"claim", "measured", "bound", "verdict"}}
	for _, c := range s.Claims {
		t.Row(c.What, c.Figure, c.Bound, c.verdict())
	}
	return t
}

// all are the sections in the order of their titles, the newest of each.
func (d *Document) all() []*Section {
	all := slices.Clone(d.Sections)
	for _, k := range d.kept {
		if !slices.ContainsFunc(d.Sections, func(s *Section) bool { return s.Title == k.Title }) {
			all = append(all, k)
		}
	}
	slices.SortStableFunc(all, func(a, b *Section) int { return strings.Compare(a.Title, b.Title) })
	return all
}

// Failing counts the claims that do not hold.
func (d *Document) Failing() (failing, all int) {
	for _, s := range d.all() {
		no := strings.Count(s.text, "| "+Claim{}.verdict()+" |")
		failing, all = failing+no, all+no+strings.Count(s.text, "| "+Claim{Holds: true}.verdict()+" |")
		for _, c := range s.Claims {
			all++
			if !c.Holds {
				failing++
			}
		}
	}
	return failing, all
}

// Markdown writes the document.
func (d *Document) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", d.Title)
	failing, all := d.Failing()
	fmt.Fprintf(&b, "%d of %d claims hold.\n\n", all-failing, all)
	for _, f := range d.Facts {
		fmt.Fprintf(&b, "- %s: %s\n", f[0], f[1])
	}
	if d.Words != "" {
		fmt.Fprintf(&b, "\n%s\n", d.Words)
	}
	for _, s := range d.all() {
		s.markdown(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Section) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n", s.Title)
	if s.text != "" {
		fmt.Fprintf(b, "%s\n", s.text)
		return
	}
	fmt.Fprintf(b, "%s\n", s.About)
	for _, t := range s.Tables {
		b.WriteByte('\n')
		if t.Caption != "" {
			fmt.Fprintf(b, "%s\n\n", t.Caption)
		}
		t.markdown(b)
	}
	if len(s.Claims) > 0 {
		b.WriteByte('\n')
		s.claims().markdown(b)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(b, "\n%s\n", n)
	}
}

func (t *Table) markdown(b *strings.Builder) {
	row := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + strings.ReplaceAll(c, "|", `\|`) + " |")
		}
		b.WriteByte('\n')
	}
	row(t.Header)
	for i := range t.Header {
		if i == 0 {
			b.WriteString("|---|")
			continue
		}
		b.WriteString("---:|")
	}
	b.WriteByte('\n')
	for _, r := range t.Rows {
		row(r)
	}
}

// Text writes a section for the terminal.
func (s *Section) Text(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", s.Title)
	for _, t := range s.Tables {
		if t.Caption != "" {
			fmt.Fprintf(w, "\n%s\n", t.Caption)
		}
		t.text(w)
	}
	if len(s.Claims) > 0 {
		fmt.Fprintln(w)
		s.claims().text(w)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(w, "%s\n", n)
	}
}

// text aligns the columns: the first to the left, figures to the right.
func (t *Table) text(w io.Writer) {
	rows := append([][]string{t.Header}, t.Rows...)
	width := make([]int, len(t.Header))
	for _, r := range rows {
		for i, c := range r {
			if i < len(width) {
				width[i] = max(width[i], utf8.RuneCountInString(c))
			}
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, c := range r {
			pad := strings.Repeat(" ", max(0, width[i]-utf8.RuneCountInString(c)))
			if i == 0 {
				line.WriteString("  " + c + pad)
				continue
			}
			line.WriteString("  " + pad + c)
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
