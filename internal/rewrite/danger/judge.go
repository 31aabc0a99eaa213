package danger

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// Judge says what of a file is kept and what a person must decide about. It never has Edits. Keep is sorted by where it
// starts, and what is kept may be in something else that is; Findings are sorted by line.
func Judge(f mention.File, o mention.Oracle) mention.Judgement {
	all := stretches(f.Text)
	if len(all) == 0 {
		return mention.Judgement{}
	}
	j := newJudge(f, o)
	if !j.wholeFile() {
		for _, s := range all {
			j.judge(s)
		}
		j.keepPushed()
	}
	return j.result()
}

func newJudge(f mention.File, o mention.Oracle) *judge {
	j := &judge{
		file: f, oracle: o, sources: o.Sources(), document: isDocument(f),
		fits: map[fit]bool{}, told: map[telling]int{}, last: map[*rule]int{}, more: map[entry]int{},
	}
	j.finder = references.NewFinder(j.sources...)
	return j
}

// judge judges one file.
type judge struct {
	file     mention.File
	oracle   mention.Oracle
	sources  []ref.Registry
	finder   *references.Finder
	document bool // for people

	blocks     []block // of HCL, when known
	haveBlocks bool
	documents  []int // where those of YAML begin, when known
	fits       map[fit]bool
	hostAt     []int // where hostMiddle, image and hostOrEscaped first are in the stretch
	ecrAt      []int
	escapedAt  []int
	has        [1 << 10]uint64 // a bit for each pair of letters of the stretch, in lower case
	placedAt   int             // the line that placed is of, and one more
	placed     place
	advice     *advice

	findings []mention.Finding
	keep     []mention.Kept
	pushes   []mention.Span  // of keep, where something is pushed
	told     map[telling]int // what was told once already; -1 where it was told of something that is kept
	last     map[*rule]int   // the last line of a run
	more     map[entry]int   // how many more places a finding is for
}

// telling is what is told once.
type telling struct {
	kind mention.Kind
	at   int // where the block begins, or one of those below
}

const (
	inProse = -1 // in a document or a comment: the finding says how many more there are
	theFile = -2
)

// entry is a finding in one of the two lists.
type entry struct {
	kept  bool
	index int
}

// hit is a rule that fits.
type hit struct {
	rule *rule
	at   spot
}

// judge judges one stretch.
func (j *judge) judge(s stretch) {
	text := j.file.Text[s.Start:s.End]
	if j.foreign(text) {
		return
	}
	lower := bytes.ToLower(text)
	j.begin(text, lower)
	var hits []hit
	for i := range rules {
		r := &rules[i]
		at, ok := r.fits(j, s, lower)
		if !ok {
			continue
		}
		if r.settles {
			j.tell(r, at)
			return
		}
		hits = append(hits, hit{r, at})
	}
	hits = tellable(hits)
	for _, h := range hits {
		j.tell(h.rule, h.at)
	}
	if !slices.ContainsFunc(hits, func(h hit) bool { return h.rule.keep }) {
		j.inline(s)
	}
}

// inline tells of the images of services that pull from ECR alone where they stand in the midst of a line, as in JSON
// without line ends. Each is kept by itself.
func (j *judge) inline(s stretch) {
	if !isOf(markup, j.file.Type) {
		return
	}
	for _, m := range inlineRule.match.FindAllSubmatchIndex(j.file.Text[s.Start:s.End], -1) {
		span := mention.Span{Start: s.Start + m[2], End: s.Start + m[3]}
		if j.foreign(j.file.Text[span.Start:span.End]) {
			continue
		}
		line := s.line + bytes.Count(j.file.Text[s.Start:span.Start], newline)
		j.tell(&inlineRule, spot{span, stretch{span, line}})
	}
}

// isCommand reports whether a finding of that kind is about a command.
func isCommand(k mention.Kind) bool {
	return k == mention.Login || k == mention.Producer || k == mention.PipelineEdit
}

// tellable returns, of the rules that fit one stretch, the most dangerous one, and the commands that do not hide each other.
func tellable(hits []hit) []hit {
	command := slices.ContainsFunc(hits, func(h hit) bool { return isCommand(h.rule.kind) })
	hits = slices.DeleteFunc(hits, func(h hit) bool { return command && h.rule.kind == mention.VariableHost })
	slices.SortStableFunc(hits, func(a, b hit) int { return a.rule.kind.Compare(b.rule.kind) })
	hits = slices.CompactFunc(hits, func(a, b hit) bool { return a.rule.kind == b.rule.kind })
	for i, h := range hits {
		if i > 0 && (!isCommand(h.rule.kind) || !isCommand(hits[0].rule.kind)) {
			return hits[:i]
		}
	}
	return hits
}

// tell reports what a rule fits, unless that was told already, and keeps what it keeps.
func (j *judge) tell(r *rule, at spot) {
	known, first := j.known(r, at)
	var kept *mention.Kept
	if r.keep {
		span := at.in.Span
		if r.kind != mention.Generated && j.isPart(span) {
			span = word(j.file.Text, at)
		}
		j.keep = append(j.keep, mention.Kept{Span: span})
		kept = &j.keep[len(j.keep)-1]
		if r.kind == mention.Producer {
			j.pushes = append(j.pushes, span)
		}
	}
	if known {
		if e, ok := j.entryOf(first); ok {
			j.more[e]++
		}
		return
	}
	finding := j.finding(r, at)
	e := entry{false, len(j.findings)}
	if kept != nil && j.holdsReference(kept.Span) {
		kept.Finding = finding
		e = entry{true, len(j.keep) - 1}
	} else {
		j.findings = append(j.findings, finding)
	}
	if first != nil {
		n := e.index
		if e.kept {
			n = -1 - n
		}
		j.told[*first] = n
	}
}

// isPart reports whether a stretch is only the part of a line around a marker, so that other things are in it by chance.
func (j *judge) isPart(s mention.Span) bool {
	line := lineAt(j.file.Text, s.Start, 0)
	return line.Start < s.Start && s.End-s.Start > beforeHit || s.End < line.End && s.End-s.Start > beforeHit
}

// word is the string around a match.
func word(b []byte, at spot) mention.Span {
	const ends = "\"'\n\t "
	s := at.Span
	if i := bytes.LastIndexAny(b[at.in.Start:s.Start], ends); i >= 0 {
		s.Start = at.in.Start + i + 1
	} else {
		s.Start = at.in.Start
	}
	if i := bytes.IndexAny(b[s.End:at.in.End], ends); i >= 0 {
		s.End += i
	} else {
		s.End = at.in.End
	}
	return s
}

// known reports whether a place was told of already, and what it is told of once by, where it is.
func (j *judge) known(r *rule, at spot) (bool, *telling) {
	line := j.lineOf(at)
	if r.once == aRun {
		last, ok := j.last[r]
		j.last[r] = line + bytes.Count(j.file.Text[at.Start:at.in.End], newline)
		if ok && line <= last+1 {
			return true, nil
		}
	}
	var t telling
	switch {
	case j.document || isComment(j.file, at):
		t = telling{kind: r.kind, at: inProse}
	case r.once == aFile:
		t = telling{kind: r.kind, at: theFile}
	case j.ruledBlock(r, at) != nil:
		t = telling{kind: r.kind, at: j.ruledBlock(r, at).Start}
	default:
		return false, nil
	}
	_, ok := j.told[t]
	return ok, &t
}

// entryOf is the finding that t was told by, where it is to say how often.
func (j *judge) entryOf(t *telling) (entry, bool) {
	if t == nil || t.at != inProse {
		return entry{}, false
	}
	n := j.told[*t]
	if n < 0 {
		return entry{true, -1 - n}, true
	}
	return entry{false, n}, true
}

// lineOf is the line of a spot.
func (j *judge) lineOf(at spot) int {
	return at.in.line + bytes.Count(j.file.Text[at.in.Start:at.Start], newline)
}

// finding is what a rule says of a spot.
func (j *judge) finding(r *rule, at spot) mention.Finding {
	line := lineAt(j.file.Text, at.Start, 0)
	number := j.lineOf(at)
	if b := j.ruledBlock(r, at); b != nil {
		number -= bytes.Count(j.file.Text[b.Start:at.Start], newline)
		line = lineAt(j.file.Text, b.Start, 0)
		at.Start = b.Start
	}
	a := j.advise()
	return mention.Finding{
		File: j.file.Path, Line: number, Kind: r.kind,
		Text: matter(j.file.Text[line.Start:line.End], at.Start-line.Start),
		Why:  a.say(r.why, nil), Do: a.say(r.do, j.file.Text[at.in.Start:at.in.End]),
	}
}

// holdsReference reports whether a plain reference begins in the span.
func (j *judge) holdsReference(s mention.Span) bool {
	for range j.finder.Find(j.file.Text[s.Start:s.End]) {
		return true
	}
	return false
}

// ruledBlock is the block that a rule tells of as one place; nil where it does not.
func (j *judge) ruledBlock(r *rule, at spot) *block {
	if r.once != aBlock && r.once != ownBlock {
		return nil
	}
	b := j.blockAt(at.Start)
	if b == nil || r.once == ownBlock && !ownHeader.MatchString(b.header) {
		return nil
	}
	return b
}

// ownHeader begins a block that is about ECR itself.
var ownHeader = regexp.MustCompile(`aws_ecr|\becr\b|_ecr\b|\becr_`)

// blockAt is the outermost block of HCL that pos is in.
func (j *judge) blockAt(pos int) *block {
	for _, b := range j.blocksAt(pos) {
		return &b
	}
	return nil
}

// blocksAt are the blocks of HCL that pos is in, the outermost one first.
func (j *judge) blocksAt(pos int) []block {
	if j.file.Type != mention.HCL {
		return nil
	}
	if !j.haveBlocks {
		j.blocks, j.haveBlocks = blocksOf(j.file.Text), true
	}
	n, _ := slices.BinarySearchFunc(j.blocks, pos, func(b block, pos int) int { return cmp.Compare(b.Start, pos+1) })
	var in []block
	for depth := -1; n > 0 && depth != 0; {
		n--
		if b := j.blocks[n]; pos < b.End && (depth < 0 || b.depth < depth) {
			in, depth = append(in, b), b.depth
		} else if b.depth == 0 {
			break
		}
	}
	slices.Reverse(in)
	return in
}

// fit is a question that was asked of a document.
type fit struct {
	pattern any // of what it is a question
	start   int
}

// documentFits reports whether a pattern is in the document of YAML that pos is in, as far as that is looked at.
func (j *judge) documentFits(p *pattern, pos int) bool {
	if j.documents == nil {
		j.documents = documentsOf(j.file.Text)
	}
	n, found := slices.BinarySearch(j.documents, pos)
	if !found {
		n--
	}
	start, end := j.documents[n], len(j.file.Text)
	if n+1 < len(j.documents) {
		end = j.documents[n+1]
	}
	return j.spanFits(p, start, end)
}

// spanFits reports whether a pattern is in [start, end), as far as that is looked at; it remembers by start.
func (j *judge) spanFits(p *pattern, start, end int) bool {
	key := fit{p, start}
	yes, known := j.fits[key]
	if !known {
		yes = p.Match(j.file.Text[start:min(end, start+maxBytes)])
		j.fits[key] = yes
	}
	return yes
}

// place is where a spot is in the structure of a file.
func (j *judge) place(at spot) place {
	if start := lineAt(j.file.Text, at.Start, 0).Start; j.placedAt != start+1 {
		j.placed, j.placedAt = placeOf(j.file.Text, at.Start), start+1
	}
	return j.placed
}

// result is the Judgement.
func (j *judge) result() mention.Judgement {
	for e, n := range j.more {
		f := &mention.Finding{}
		if !e.kept {
			f = &j.findings[e.index]
		} else {
			f = &j.keep[e.index].Finding
		}
		f.Why += fmt.Sprintf(" There are %d more places like it in this file.", n)
		if n == 1 {
			f.Why = f.Why[:len(f.Why)-len("There are 1 more places like it in this file.")] + "There is one more place like it in this file."
		}
	}
	slices.SortStableFunc(j.findings, func(a, b mention.Finding) int { return cmp.Compare(a.Line, b.Line) })
	slices.SortStableFunc(j.keep, func(a, b mention.Kept) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	return mention.Judgement{Keep: j.keep, Findings: j.findings}
}
