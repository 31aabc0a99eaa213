package structure

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode"

	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// Markers returns the bytes one of which every file has that Judge can say anything of.
func Markers() [][]byte { return [][]byte{[]byte(".dkr")} }

// judge is the work on one file.
type judge struct {
	file   mention.File
	oracle mention.Oracle
	tree   mention.Tree
	hosts  hosts
	finder *references.Finder
	pairs  []pair
	lone   []loner // registries without a repository beside them
	broken bool    // a document of the file was not parsed
	groups int
	// variables is the mapping of a file whose fields are variables, and whose use is elsewhere.
	variables *node
	vars      map[string][]int // where variables are used, behind them; nil until somebody asks
	starts    []int            // where lines begin; nil until somebody asks
	told      map[int]bool     // where values begin that an edit or a finding tells of
	// holders are the mappings that a scalar is a field of.
	holders map[*node][]*node
	paired  map[[2]*node]bool // mappings with their repositories, in pairs
	inPairs map[*node]int     // in how many pairs a scalar is
	out     mention.Judgement
}

// Judge says what is to be edited, kept and decided in a file, as far as its structure tells. It reads other files of the
// tree where the meaning depends on them: those must be as they were before anything was rewritten, or be rewritten whole.
// The tree may be nil; nothing is found in it then.
func Judge(f mention.File, o mention.Oracle, t mention.Tree) mention.Judgement {
	j := newJudge(f, o, t)
	if !j.hosts.in(f.Text) {
		return mention.Judgement{}
	}
	switch {
	case isLock(f.Path):
		j.lock()
	case f.Type == mention.YAML || f.Type == mention.Template:
		j.documents()
	case f.Type == mention.JSON && len(f.Text) <= maxRead:
		root := parseJSON(f.Text)
		j.document(root)
		j.repositories([]*node{root})
	case f.Type == mention.HCL && len(f.Text) <= maxRead:
		root, heredocs := parseHCL(f.Text)
		j.variables = root
		j.body(root, "")
		for _, h := range heredocs {
			j.lines(h)
		}
	default:
		// A snippet in prose, a document in a script.
		j.lines(mention.Span{End: len(f.Text)})
	}
	j.flags()
	j.settlePairs()
	j.settleLone()
	j.grown()
	j.bareHosts()
	return j.finish()
}

// maxRead is the size of the largest text that is read into nodes by our own readers.
const maxRead = 32 << 20

func newJudge(f mention.File, o mention.Oracle, t mention.Tree) *judge {
	return &judge{
		file: f, oracle: o, tree: t, hosts: newHosts(o.Sources()), finder: references.NewFinder(o.Sources()...), told: map[int]bool{},
		holders: map[*node][]*node{},
	}
}

// finish sorts, and drops what was said twice. Of edits that overlap none is made, nor what belongs to them: two rules that do
// not agree prove nothing.
func (j *judge) finish() mention.Judgement {
	edits := j.out.Edits
	slices.SortStableFunc(edits, func(a, b mention.Edit) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), strings.Compare(a.New, b.New))
	})
	edits = slices.CompactFunc(edits, func(a, b mention.Edit) bool { return a.Span == b.Span && a.New == b.New })
	bad := map[int]bool{}
	drop := make([]bool, len(edits))
	for i := 1; i < len(edits); i++ {
		if edits[i].Start < edits[i-1].End {
			drop[i-1], drop[i] = true, true
			bad[edits[i-1].Group], bad[edits[i].Group] = true, true
		}
	}
	out := &j.out
	out.Edits = nil
	for i, e := range edits {
		if drop[i] || e.Group > 0 && bad[e.Group] {
			j.keep(e.Span)
			j.find(e.Start, mention.SplitUnknown, "It is part of two things that would have to become different ones.", byHand)
			continue
		}
		out.Edits = append(out.Edits, e)
	}
	slices.SortFunc(out.Keep, func(a, b mention.Kept) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	out.Keep = slices.Compact(out.Keep)
	slices.SortFunc(out.Findings, func(a, b mention.Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), a.Kind.Compare(b.Kind), strings.Compare(a.Text, b.Text), strings.Compare(a.Why, b.Why))
	})
	out.Findings = slices.Compact(out.Findings)
	return *out
}

// byHand is what to do about a pair that cannot be rewritten.
const byHand = "Replace the registry and the repository by hand, or write the whole name into one field."

// edit puts text into the place of a span. Group is 0 where the edit stands alone.
func (j *judge) edit(s mention.Span, text string, of references.Name, a mention.Answer, group int) {
	j.out.Edits = append(j.out.Edits, mention.Edit{Span: s, New: text, Of: of, To: a.Target, Group: group})
}

// group is the number of a new group of edits.
func (j *judge) group() int {
	j.groups++
	return j.groups
}

// keep says that nothing in a span is rewritten; a finding tells of it.
func (j *judge) keep(s mention.Span) {
	if s.Start < s.End {
		j.out.Keep = append(j.out.Keep, mention.Kept{Span: s})
	}
}

// tell notes that an edit or a finding tells of what is in a scalar.
func (j *judge) tell(n *node) { j.told[n.where()] = true }

func (j *judge) isTold(n *node) bool { return j.told[n.where()] }

// find tells of what is at an offset.
func (j *judge) find(at int, kind mention.Kind, why, do string) {
	j.out.Findings = append(j.out.Findings, mention.Finding{
		File: j.file.Path, Line: j.number(at), Kind: kind, Text: j.line(at), Why: why, Do: do,
	})
}

// number is the number of the line at an offset, from 1.
func (j *judge) number(at int) int {
	if j.starts == nil {
		j.starts = []int{0}
		for i, b := range j.file.Text {
			if b == '\n' {
				j.starts = append(j.starts, i+1)
			}
		}
	}
	n, found := slices.BinarySearch(j.starts, at)
	if found {
		n++
	}
	return n
}

// maxText is how long the text of a finding may be, in bytes.
const maxText = 200

// line is the line at an offset, or what is around the offset where it is long, clean for a terminal.
func (j *judge) line(at int) string {
	text := j.file.Text
	start := j.starts[j.number(at)-1]
	end := min(at+2*maxText, len(text))
	if n := bytes.IndexByte(text[at:end], '\n'); n >= 0 {
		end = at + n
	}
	if end-start > maxText {
		start = max(start, at-maxText/4)
	}
	s := strings.ToValidUTF8(string(text[start:end]), "")
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
	for len(s) > maxText {
		s = strings.TrimRight(strings.ToValidUTF8(s[:maxText], ""), " ")
	}
	return s
}
