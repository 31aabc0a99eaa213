package rewrite

import (
	"cmp"
	"context"
	"io"
	"slices"

	"transship/internal/document"
	"transship/internal/rewrite/diff"
	"transship/internal/rewrite/mention"
)

// report gathers what all workers found, sorted.
func (s *scan) report() (Report, []*change) {
	r := Report{Counts: s.counts, Findings: s.findings}
	var changes []*change
	for _, w := range s.workers {
		r.Binary += w.binary
		r.AWS += w.aws
		r.Findings = append(r.Findings, w.findings...)
		changes = append(changes, w.changes...)
	}
	slices.SortFunc(changes, func(a, b *change) int { return cmp.Compare(a.shown, b.shown) })
	for _, c := range changes {
		r.Changes = append(r.Changes, c.document())
		for _, p := range c.pieces {
			r.Edits = append(r.Edits, document.Reworded{File: c.shown, Line: p.line, From: p.old, To: p.new})
		}
	}
	sortFindings(r.Findings)
	r.Findings = slices.Compact(r.Findings)
	return r, changes
}

// sortFindings puts the most dangerous first.
func sortFindings(f []mention.Finding) {
	slices.SortFunc(f, func(a, b mention.Finding) int {
		return cmp.Or(
			a.Kind.Compare(b.Kind), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Text, b.Text), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Do, b.Do),
		)
	})
}

// Mentions are the findings as a document has them.
func (r Report) Mentions() []document.Mention {
	out := make([]document.Mention, 0, len(r.Findings))
	for _, f := range r.Findings {
		out = append(out, document.Mention{File: f.File, Line: f.Line, Kind: string(f.Kind), Text: f.Text, Why: f.Why, Do: f.Do})
	}
	return out
}

// maxShown is how many edits of a huge file are shown.
const maxShown = 20

// show shows what would be changed.
func (c Config) show(ctx context.Context, changes []*change) error {
	if c.Show == nil {
		return nil
	}
	for _, change := range changes {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f, err := change.diff(); err == nil { // a file that is gone by now is nothing to show
			c.Show(f)
		}
	}
	return nil
}

// diff is what would become of a file.
func (c *change) diff() (diff.File, error) {
	out := diff.File{Name: c.shown}
	place, err := c.tree.Reach(c.path)
	if err != nil {
		return out, err
	}
	defer place.Dir.Close()
	file, err := place.Open()
	if err != nil {
		return out, err
	}
	defer file.Close()
	if c.huge {
		return c.glimpses(out, file)
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxWhole))
	if err != nil {
		return out, err
	}
	text, err := c.encoding.Text(raw)
	if err != nil {
		return out, err
	}
	var edits []diff.Edit
	places, at := c.encoding.Places(text), 0
	for _, p := range c.pieces {
		for at < len(text) && places.Raw(at) < p.at {
			at = c.next(text, at, p.at)
		}
		if at+len(p.old) > len(text) || string(text[at:at+len(p.old)]) != p.old {
			return out, errChanged
		}
		edits = append(edits, diff.Edit{Start: at, End: at + len(p.old), New: p.new})
	}
	out.Hunks = diff.Hunks(text, edits)
	return out, nil
}

// next is a place of the text behind at, and not behind the raw one: the very one where no letter is wide.
func (c *change) next(text []byte, at int, raw int64) int {
	if !c.encoding.IsWide() {
		return int(raw - c.encoding.Places(nil).Raw(0))
	}
	for at++; at < len(text) && text[at]&0xc0 == 0x80; at++ {
	}
	return at
}

// glimpses shows the first edits of a huge file, without context.
func (c *change) glimpses(out diff.File, file io.ReaderAt) (diff.File, error) {
	const around = 100
	for _, p := range c.pieces[:min(len(c.pieces), maxShown)] {
		from := max(0, p.at-around)
		b := make([]byte, p.at-from+int64(len(p.old))+around)
		n, err := file.ReadAt(b, from)
		if err != nil && n < int(p.at-from)+len(p.old) {
			return out, err
		}
		start := int(p.at - from)
		hunk := diff.Glimpse(b[:n], diff.Edit{Start: start, End: start + len(p.old), New: p.new}, p.line)
		out.Hunks = append(out.Hunks, hunk)
	}
	out.More = len(c.pieces) - len(out.Hunks)
	return out, nil
}
