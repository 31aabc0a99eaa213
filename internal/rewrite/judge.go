package rewrite

import (
	"bytes"
	"cmp"
	"slices"

	"transship/internal/rewrite/letters"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/tree"
)

// judge says what is to become of a text, and what must be decided about. Findings have no File yet.
func (s *scan) judge(p tree.Place, encoding letters.Encoding, text []byte) (pieces []piece, findings []mention.Finding, aws int) {
	v := merge(text, s.ask(mention.File{Path: p.Path(), Text: text, Type: mention.TypeOf(p.Path(), text)}, text, p.Tree))
	events := s.direction.plain(p.Shown(), text)
	edits, told, aws := settle(text, v, events)
	places, lines := encoding.Places(text), counter{text: text}
	for _, e := range edits {
		pieces = append(pieces, piece{at: places.Raw(e.Start), line: lines.at(e.Start), old: string(text[e.Start:e.End]), new: e.New})
	}
	return pieces, told, aws
}

// ask asks the judges whose matter the text, which is marked, may be.
func (s *scan) ask(f mention.File, text []byte, t mention.Tree) []mention.Judgement {
	var out []mention.Judgement
	hosts := s.names(text)
	for _, j := range s.Judges {
		if j.Marked == nil && hosts || j.Marked != nil && (j.Hosts || j.Marked(text)) {
			out = append(out, j.Judge(f, s.Known, t))
		}
	}
	return out
}

// settle lays what a text names over what the judges say of it: the edits that are left, and the findings.
func settle(text []byte, v verdict, events []event) (edits []mention.Edit, findings []mention.Finding, aws int) {
	edits = v.edits
	lines := counter{text: text}
	hit := map[int]bool{}
	var plain []mention.Finding
	for _, e := range events {
		if e.aws {
			aws++
			continue
		}
		line := lines.at(e.Start)
		if n := v.kept.meets(e.Span); n >= 0 {
			if k := v.keep[n]; e.own && k.Finding.Kind != "" && !hit[n] {
				hit[n] = true
				k.Finding.Line = cmp.Or(k.Finding.Line, line)
				k.Finding.Text = cmp.Or(k.Finding.Text, mention.Excerpt(text, e.Span))
				findings = append(findings, k.Finding)
			}
			continue
		}
		switch {
		case v.done.meets(e.Span) >= 0:
		case e.edit:
			edits = append(edits, mention.Edit{Span: e.Span, New: e.new})
		default:
			plain = append(plain, mention.Finding{Line: line, Kind: e.kind, Text: mention.Excerpt(text, e.Span), Why: e.why, Do: e.do})
		}
	}
	findings = append(findings, v.findings...)
	known := map[int]bool{} // the lines that a judge tells of
	for n := range findings {
		f := &findings[n]
		known[f.Line] = true
		f.Text, f.Why, f.Do = mention.Clean(f.Text), mention.CleanSentence(f.Why), mention.CleanSentence(f.Do)
	}
	for _, f := range plain {
		// That a host stands alone is the least that can be said of a line.
		if f.Kind != mention.HostOnly || !known[f.Line] {
			findings = append(findings, f)
		}
	}
	slices.SortFunc(edits, func(a, b mention.Edit) int { return cmp.Compare(a.Start, b.Start) })
	return edits, findings, aws
}

// counter counts lines. It is asked in order.
type counter struct {
	text []byte
	from int
	line int
}

// at is the number of the line that the byte at is in, from 1.
func (c *counter) at(at int) int {
	if at < c.from {
		return lineAt(c.text, at)
	}
	c.line += bytes.Count(c.text[c.from:at], []byte("\n"))
	c.from = at
	return c.line + 1
}

// bare is an error of the file system without the operation and the path.
func bare(err error) error { return tree.Bare(err) }
