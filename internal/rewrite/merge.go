package rewrite

import (
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"

	"transship/internal/rewrite/mention"
)

// verdict is what all judges together say of a file.
type verdict struct {
	edits    []mention.Edit // sorted, without overlap
	keep     []mention.Kept
	findings []mention.Finding
	kept     cover // of keep
	done     cover // of edits
}

// merge makes one verdict of several judgements. What one of them keeps no other edits; where two edit the same bytes the
// first wins. Edits of one group are the parts of one reference: they are made together or not at all.
func merge(text []byte, all []mention.Judgement) verdict {
	var v verdict
	type place struct {
		line int
		kind mention.Kind
	}
	told := map[place]int{} // by which judge, from 1
	more := linesOf(all)
	for n, j := range all {
		for _, f := range j.Findings {
			at := place{f.Line, f.Kind}
			if f.Kind == mention.HostOnly && more[f.Line] {
				continue
			}
			if told[at] == 0 {
				told[at] = n + 1
			}
			if told[at] == n+1 { // otherwise another judge has told of it
				v.findings = append(v.findings, f)
			}
		}
		v.keep = append(v.keep, j.Keep...)
	}
	v.kept = coverKept(v.keep)
	for _, j := range all {
		if !valid(text, j.Edits) {
			continue
		}
		v.done = coverEdits(v.edits) // by the judges before
		groups := map[int][]mention.Edit{}
		for _, e := range j.Edits {
			if e.Group == 0 {
				v.add(text, []mention.Edit{e})
			} else {
				groups[e.Group] = append(groups[e.Group], e)
			}
		}
		for _, n := range slices.Sorted(maps.Keys(groups)) {
			v.add(text, groups[n])
		}
	}
	slices.SortFunc(v.edits, func(a, b mention.Edit) int { return cmp.Compare(a.Start, b.Start) })
	v.kept, v.done = coverKept(v.keep), coverEdits(v.edits)
	return v
}

// linesOf are the lines of which a judge says more than that a host stands alone there, which is the least that can be said.
func linesOf(all []mention.Judgement) map[int]bool {
	lines := map[int]bool{}
	for _, j := range all {
		for _, f := range j.Findings {
			lines[f.Line] = lines[f.Line] || f.Kind != mention.HostOnly
		}
	}
	return lines
}

// valid reports whether edits are of the text, in order without overlap, and can be said in a document.
func valid(text []byte, edits []mention.Edit) bool {
	last := 0
	for _, e := range edits {
		if e.Start < last || e.End < e.Start || e.End > len(text) || !utf8.Valid(text[e.Start:e.End]) || !utf8.ValidString(e.New) {
			return false
		}
		last = e.End
	}
	return true
}

// add adds the edits of one group, if none of them is in the way of what others say.
func (v *verdict) add(text []byte, parts []mention.Edit) {
	var free []mention.Edit
	for _, e := range parts {
		if v.kept.meets(e.Span) < 0 && v.done.meets(e.Span) < 0 {
			free = append(free, e)
		}
	}
	if len(free) == len(parts) {
		v.edits = append(v.edits, free...)
		return
	}
	for _, e := range free {
		v.findings = append(v.findings, mention.Finding{
			Line: lineAt(text, e.Start), Kind: mention.SplitUnknown, Text: mention.Excerpt(text, e.Span), Why: whyHalf, Do: doHalf,
		})
		v.keep = append(v.keep, mention.Kept{Span: e.Span})
	}
}

// cover finds which of some spans meet another one.
type cover struct {
	spans []mention.Span // by their beginnings
	index []int          // of each in the list that it was made of
	ends  []int          // the largest end up to each
}

func newCover(spans []mention.Span) cover {
	c := cover{index: make([]int, len(spans))}
	for n := range spans {
		c.index[n] = n
	}
	slices.SortStableFunc(c.index, func(a, b int) int { return cmp.Compare(spans[a].Start, spans[b].Start) })
	largest := 0
	for _, n := range c.index {
		largest = max(largest, spans[n].End)
		c.spans, c.ends = append(c.spans, spans[n]), append(c.ends, largest)
	}
	return c
}

func coverKept(keep []mention.Kept) cover {
	spans := make([]mention.Span, len(keep))
	for n, k := range keep {
		spans[n] = k.Span
	}
	return newCover(spans)
}

func coverEdits(edits []mention.Edit) cover {
	spans := make([]mention.Span, len(edits))
	for n, e := range edits {
		spans[n] = e.Span
	}
	return newCover(spans)
}

// meets is which of the spans has a byte in common with s, or begins where it does, or -1. Of several it is the last one
// that begins: the closest around it.
func (c cover) meets(s mention.Span) int {
	n, _ := slices.BinarySearchFunc(c.spans, max(s.End, s.Start+1), func(a mention.Span, end int) int { return cmp.Compare(a.Start, end) })
	for n--; n >= 0 && c.ends[n] >= s.Start; n-- {
		if c.spans[n].End > s.Start || c.spans[n].Start == s.Start {
			return c.index[n]
		}
	}
	return -1
}
