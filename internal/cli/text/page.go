package text

import (
	"io"
	"strings"
	"time"

	"transship/internal/cli/term"
)

// Options say how something is read.
type Options struct {
	Style term.Style
	Width int       // columns of a line; 0 lets lines be as long as they are
	All   bool      // show long lists whole
	Row   bool      // one of several stages in a row: what to do next is the command's own matter
	Now   time.Time // to say how long ago something was; the zero value says dates alone
}

// How much of a list is shown.
const (
	maxRows     = 15 // of a table
	maxSome     = 5  // of a table that is one of several on a page, which is to fit one screen
	maxFew      = 3  // of one that is there to give an idea
	maxCases    = 10 // failures and other cases, each of several lines
	maxNames    = 5  // names below a reason
	maxReasons  = 3  // different reasons below a rule
	maxOwners   = 2  // names before what they have in common
	detail      = 4  // indentation below an item
	item        = 2  // indentation of an item
	labelColumn = 14 // where the value of a labelled line begins
)

// page is what is being written. Errors of the writer are its owner's matter: nothing here could do about them.
type page struct {
	w io.Writer
	o Options
	s term.Style
}

func newPage(w io.Writer, o Options) *page { return &page{w: w, o: o, s: o.Style} }

// line writes one line of marked text, cut to the width.
func (p *page) line(indent int, text string) {
	text = strings.Repeat(" ", indent) + text
	if p.o.Width > 0 {
		text = term.Fit(text, p.o.Width)
	}
	_, _ = io.WriteString(p.w, strings.TrimRight(text, " ")+"\n")
}

// blank writes an empty line.
func (p *page) blank() { p.line(0, "") }

// section begins one, apart from what is above it. The rest of the line says how much it is about; what does not fit
// there goes below.
func (p *page) section(title, rest string) {
	p.blank()
	p.title(title, rest)
}

func (p *page) title(title, rest string) {
	text, fits := p.s.Heading(title), func() bool { return p.o.Width == 0 || term.Width(title)+gap+term.Width(rest) <= p.o.Width }
	if count, why, two := strings.Cut(rest, "  "); two && !fits() {
		text, rest = text+"  "+count, why
	} else if rest != "" && fits() {
		text, rest = text+"  "+rest, ""
	}
	p.line(0, text)
	if rest != "" {
		p.say(item, rest, nil)
	}
}

// say writes a paragraph of outside or own text, broken into lines, each marked by mark, which may be nil.
func (p *page) say(indent int, text string, mark func(string) string) {
	width := 0
	if p.o.Width > 0 {
		width = p.o.Width - indent
	}
	for _, line := range term.Wrap(term.Clean(text), width) {
		if mark != nil {
			line = mark(line)
		}
		p.line(indent, line)
	}
}

// labelled writes a label and, beside it, a paragraph.
func (p *page) labelled(label, text string, mark func(string) string) {
	width := 0
	if p.o.Width > 0 {
		width = p.o.Width - labelColumn
	}
	for n, line := range term.Wrap(term.Clean(text), width) {
		if mark != nil {
			line = mark(line)
		}
		head := strings.Repeat(" ", labelColumn-item)
		if n == 0 {
			head = p.s.Faint(label) + strings.Repeat(" ", max(1, labelColumn-item-term.Width(label)))
		}
		p.line(item, head+line)
	}
}

// table writes a table below a section.
func (p *page) table(t *term.Table) { t.Write(p.w, p.s, p.o.Width) }

// most is how many of n are shown, where limit is the usual number. One or two more are shown too: the line that says so
// would take as much room.
func (p *page) most(n, limit int) int {
	if p.o.All || n <= limit+1 {
		return n
	}
	return limit
}

// more says that n were left out, and where they are.
func (p *page) more(indent, n int, where string) {
	if n > 0 {
		p.say(indent, "and "+term.Number(n)+" more"+where, p.s.Faint)
	}
}

// allIn says where a list is whole.
func allIn(path string) string {
	if path == "" {
		return " (-v shows all)"
	}
	return " (-v shows all; they are in " + term.Clean(path) + ")"
}

// next says which command to run, in a paragraph of its own.
func (p *page) next(text string) {
	if p.o.Row {
		return
	}
	p.blank()
	p.say(0, text, nil)
}

// Next says which command to run after those that end with several pages.
func Next(w io.Writer, o Options, text string) { newPage(w, o).next(text) }

// end is how a page ends: with the next command, where there is one to run, and with where the document is.
func (p *page) end(next, path string) {
	if next == "" || p.o.Row {
		p.blank()
	}
	if next != "" {
		p.next(next)
	}
	p.written(path)
}

// written says where the document is.
func (p *page) written(path string) {
	if path != "" {
		p.say(0, "Written to "+path+".", p.s.Faint)
	}
}
