// Package diff shows edits of a text as a unified diff. It knows the edits, so it compares nothing.
//
// Vocabulary: a Hunk are the lines that edits touch, before and after, with some lines of context around them. Lines that
// no screen holds are cut to the part around the edit.
package diff

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Edit puts New into the place of the bytes [Start, End) of a text.
type Edit struct {
	Start, End int
	New        string
}

// File is the diff of one file.
type File struct {
	Name  string
	Hunks []Hunk
	More  int // edits that are not shown
}

// Hunk is a part of a file.
type Hunk struct {
	Old, New           int // the first line on either side, from 1
	OldLines, NewLines int
	Lines              []Line
}

// Line is one line of a hunk, with its end.
type Line struct {
	Op   byte // ' ', '-' or '+'
	Text string
	Cut  bool // it is only a part
}

const (
	context = 3
	maxLine = 2000 // a longer line is cut
	around  = 120  // how much of a cut line is shown on either side of the edits
)

// Hunks are the hunks of a text with edits, which are sorted and do not overlap.
func Hunks(text []byte, edits []Edit) []Hunk {
	var out []Hunk
	w := walker{text: text, line: 1, newLine: 1}
	for len(edits) > 0 {
		n := w.group(edits)
		out = append(out, w.hunk(edits[:n]))
		edits = edits[n:]
	}
	return out
}

// walker goes through a text once.
type walker struct {
	text    []byte
	at      int // the beginning of a line
	line    int // its number, in the text and in what becomes of it
	newLine int
}

// group is how many edits belong into one hunk: those whose contexts meet.
func (w *walker) group(edits []Edit) int {
	n := 1
	for ; n < len(edits); n++ {
		between := w.text[edits[n-1].End:edits[n].Start]
		if nth(between, 2*context+2) >= 0 {
			break
		}
	}
	return n
}

// nth is where the nth line end of b is, or -1.
func nth(b []byte, n int) int {
	at := -1
	for ; n > 0; n-- {
		i := bytes.IndexByte(b[at+1:], '\n')
		if i < 0 {
			return -1
		}
		at += 1 + i
	}
	return at
}

// hunk makes the hunk of a group.
func (w *walker) hunk(edits []Edit) Hunk {
	begin := 1 + bytes.LastIndexByte(w.text[:edits[0].Start], '\n')
	skipped := bytes.Count(w.text[w.at:begin], []byte("\n"))
	w.at, w.line, w.newLine = begin, w.line+skipped, w.newLine+skipped
	var h Hunk
	before := w.before(begin)
	h.Old, h.New = w.line-len(before), w.newLine-len(before)
	h.Lines = before
	for len(edits) > 0 {
		n, end := w.block(edits)
		h.Lines = append(h.Lines, w.changed(edits[:n], end)...)
		edits = edits[n:]
		next := len(w.text)
		if len(edits) > 0 {
			next = 1 + bytes.LastIndexByte(w.text[:edits[0].Start], '\n')
		} else if i := nth(w.text[w.at:], context); i >= 0 {
			next = w.at + i + 1
		}
		same := lines(' ', w.text[w.at:next], nil)
		h.Lines = append(h.Lines, same...)
		w.at, w.line, w.newLine = next, w.line+len(same), w.newLine+len(same)
	}
	for _, l := range h.Lines {
		if l.Op != '+' {
			h.OldLines++
		}
		if l.Op != '-' {
			h.NewLines++
		}
	}
	return h
}

// before is the context before a line.
func (w *walker) before(begin int) []Line {
	from := begin
	for range context {
		if from == 0 {
			break
		}
		from = 1 + bytes.LastIndexByte(w.text[:from-1], '\n')
	}
	return lines(' ', w.text[from:begin], nil)
}

// block is how many edits are on the next lines that follow on each other, and where these end.
func (w *walker) block(edits []Edit) (n, end int) {
	end = w.lineEnd(edits[0].End)
	for n = 1; n < len(edits) && (edits[n].Start < end || bytes.IndexByte(w.text[end:edits[n].Start], '\n') < 0); n++ {
		end = w.lineEnd(edits[n].End)
	}
	return n, end
}

func (w *walker) lineEnd(at int) int {
	if i := bytes.IndexByte(w.text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(w.text)
}

// changed are the lines up to end as they were, and as they become.
func (w *walker) changed(edits []Edit, end int) []Line {
	var after []byte
	at, olds, news := w.at, []span{}, []span{}
	for _, e := range edits {
		after = append(after, w.text[at:e.Start]...)
		olds = append(olds, span{e.Start - w.at, e.End - w.at})
		news = append(news, span{len(after), len(after) + len(e.New)})
		after = append(after, e.New...)
		at = e.End
	}
	after = append(after, w.text[at:end]...)
	old, fresh := lines('-', w.text[w.at:end], olds), lines('+', after, news)
	w.at, w.line, w.newLine = end, w.line+len(old), w.newLine+len(fresh)
	return append(old, fresh...)
}

type span struct{ start, end int }

// lines are the lines of b. Of one that is too long the part around the marked spans is left.
func lines(op byte, b []byte, marked []span) []Line {
	var out []Line
	at := 0
	for text := range bytes.Lines(b) {
		l := Line{Op: op, Text: string(text[:min(len(text), maxLine)])}
		if len(text) > maxLine {
			first, last := 0, 0
			for _, m := range marked {
				if m.end > at && m.start < at+len(text) {
					if last == 0 {
						first = m.start - at
					}
					last = min(m.end-at, first+maxLine)
				}
			}
			l.Text, l.Cut = "…"+string(text[max(0, first-around):min(len(text), last+around)])+"…\n", true
			l.Text = strings.ToValidUTF8(strings.TrimSuffix(l.Text, "\n")+"\n", "")
		}
		at += len(text)
		out = append(out, l)
	}
	return out
}

// Style marks what is shown; its functions may not be nil.
type Style struct {
	Name, Place, Old, New func(string) string
	Clean                 func(string) string // of a line, without its end
}

// Plain shows a diff as it is, for programs that apply it.
func Plain() Style {
	same := func(s string) string { return s }
	return Style{Name: same, Place: same, Old: same, New: same, Clean: same}
}

// Write writes the diff.
func (f File) Write(w io.Writer, s Style) error {
	var b strings.Builder
	b.WriteString(s.Name("--- a/"+s.Clean(f.Name)) + "\n" + s.Name("+++ b/"+s.Clean(f.Name)) + "\n")
	for _, h := range f.Hunks {
		b.WriteString(s.Place(fmt.Sprintf("@@ -%d,%d +%d,%d @@", h.Old, h.OldLines, h.New, h.NewLines)) + "\n")
		for _, l := range h.Lines {
			text, ended := strings.CutSuffix(l.Text, "\n")
			text = string(l.Op) + s.Clean(text)
			switch l.Op {
			case '-':
				text = s.Old(text)
			case '+':
				text = s.New(text)
			}
			b.WriteString(text + "\n")
			if !ended {
				b.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	if f.More > 0 {
		fmt.Fprintf(&b, "%s\n", s.Place(fmt.Sprintf("@@ and %d more edits in this file @@", f.More)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Glimpse is a hunk of the line alone that an edit is on, or of the part of it that b holds.
func Glimpse(b []byte, e Edit, line int) Hunk {
	from, to := 1+bytes.LastIndexByte(b[:e.Start], '\n'), len(b)
	if i := bytes.IndexByte(b[e.End:], '\n'); i >= 0 {
		to = e.End + i
	}
	before, after := strings.ToValidUTF8(string(b[from:e.Start]), ""), strings.ToValidUTF8(string(b[e.End:to]), "")
	return Hunk{Old: line, New: line, OldLines: 1, NewLines: 1, Lines: []Line{
		{Op: '-', Text: before + string(b[e.Start:e.End]) + after + "\n", Cut: true}, {Op: '+', Text: before + e.New + after + "\n", Cut: true},
	}}
}
