package danger

import (
	"bytes"
	"regexp"
	"slices"

	"transship/internal/rewrite/mention"
)

// rule is a row of the table.
type rule struct {
	section string // of the catalogue
	kind    mention.Kind
	types   []mention.Type // empty: every type
	words   []string       // in lower case, one of which the stretch must hold; empty: none
	match   *regexp.Regexp
	not     *regexp.Regexp // what must not be in the stretch
	where   func(*judge, spot) bool
	keep    bool // plain references in the stretch are not rewritten
	settles bool // no other rule is asked: the structure around the place says what it is
	once    extent
	why, do string // sentences; see advice for what stands for what in braces
}

// extent is how far one place reaches.
type extent int

const (
	aLine    extent = iota
	aRun            // neighbouring lines
	aBlock          // the outermost block of HCL
	ownBlock        // that one, where it is ECR's own
	aFile
)

// spot is where a rule fits: the match, in a stretch.
type spot struct {
	mention.Span
	in stretch
}

// fits reports whether the rule fits the stretch, and where.
func (r *rule) fits(j *judge, s stretch, lower []byte) (spot, bool) {
	if len(r.types) > 0 && !slices.Contains(r.types, j.file.Type) {
		return spot{}, false
	}
	if len(r.words) > 0 && !slices.ContainsFunc(r.words, func(w string) bool { return j.mayHave(w) && bytes.Contains(lower, []byte(w)) }) {
		return spot{}, false
	}
	if r.not == hostMiddle && j.hostAt != nil { // what is known costs nothing
		return spot{}, false
	}
	text := j.file.Text[s.Start:s.End]
	m := j.first(r.match, text)
	if m == nil || r.not != nil && j.first(r.not, text) != nil {
		return spot{}, false
	}
	at := spot{mention.Span{Start: s.Start + m[0], End: s.Start + m[1]}, s}
	return at, r.where == nil || r.where(j, at)
}

// first returns where a pattern first is in the stretch; what many rules have is looked for once.
func (j *judge) first(p *regexp.Regexp, text []byte) []int {
	switch p {
	case hostMiddle:
		return j.hostAt
	case image:
		return j.ecrAt
	case hostOrEscaped:
		return j.escapedAt
	}
	return p.FindIndex(text)
}

// begin looks for what many rules ask for in a stretch.
func (j *judge) begin(text, lower []byte) {
	j.has = [1 << 10]uint64{}
	for i := 1; i < len(lower); i++ {
		p := pairOf(lower[i-1], lower[i])
		j.has[p>>6] |= 1 << (p & 63)
	}
	j.hostAt, j.ecrAt = hostMiddle.FindIndex(text), image.FindIndex(text)
	j.escapedAt = j.hostAt
	if bytes.IndexByte(text, '\\') >= 0 || bytes.IndexByte(text, '[') >= 0 { // every other one has one of them
		j.escapedAt = hostOrEscaped.FindIndex(text)
	}
}

// mayHave reports whether a word may be in the stretch: of most words not even the first two letters are.
func (j *judge) mayHave(word string) bool {
	if len(word) < 2 {
		return true
	}
	p := pairOf(word[0], word[1])
	return j.has[p>>6]>>(p&63)&1 != 0
}

func pairOf(a, b byte) uint16 { return uint16(a) | uint16(b)<<8 }

// pattern is one for long texts. Most of them have none of its words, and are done with quickly.
type pattern struct {
	re    *regexp.Regexp
	words [][]byte
}

// having makes a pattern of an expression; what fits it has one of the words.
func having(expression string, words ...string) *pattern {
	p := &pattern{re: regexp.MustCompile(expression)}
	for _, w := range words {
		p.words = append(p.words, []byte(w))
	}
	return p
}

// Match reports whether the pattern is in b.
func (p *pattern) Match(b []byte) bool {
	return slices.ContainsFunc(p.words, func(w []byte) bool { return bytes.Contains(b, w) }) && p.re.Match(b)
}

// Parts of the patterns.
const (
	// anyHost is the middle of every host of ECR.
	anyHost = `dkr[.-]ecr`
	// anyECR is a host, or a variable or a word that says ECR.
	anyECR = `(?:dkr[.-]ecr|\becr|_ecr|ECR|Ecr)`
	// ecrTarget is what a command names ECR by: a host or a variable, not the word alone, which prose has too.
	ecrTarget = `(?:dkr[.-]ecr|[$%]\S*(?i:ecr)|\{\{?\s*\S*(?i:ecr)|_ecr|ecr_|ECR_|_ECR|"ecr|ecr[A-Z])`
	// escaped is the same as expressions, URLs and JSON of some programs spell it.
	escaped = `(?:dkr(?:\\+|\[)[.-]\]?ecr|(?:\\+\.|\[\.\])dkr|ecr(?:\\+\.|\[\.\])|amazonaws(?:\\+|\[)\.\]?com)`
)

// rules is the table. Of those that fit and are equally dangerous the first one counts, so the narrower ones stand first.
var rules = slices.Concat(structureRules, pipelineRules, policyRules, awsRules, loginRules, producerRules, credentialRules, resourceRules, hostRules)

// markup are the types in which indentation shows structure.
var markup = []mention.Type{mention.YAML, mention.Template, mention.JSON}
