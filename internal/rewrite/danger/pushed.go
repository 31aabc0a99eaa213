package danger

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// pushedRule tells of a reference to what the same file pushes.
var pushedRule = rule{
	section: "5.8", kind: mention.Producer, keep: true,
	why: "The same file pushes this image to ECR, so what it has just pushed is not at the target yet.",
	do:  "Move it together with the push and its login.",
}

// keepPushed keeps the references, outside of what is kept, to repositories that the file pushes: those that are named where
// it pushes, and those in a variable that is.
func (j *judge) keepPushed() {
	var pushed []ref.Repository
	var free []references.Reference
	kept := make([]mention.Span, 0, len(j.keep))
	for _, k := range j.keep {
		kept = append(kept, k.Span)
	}
	kept, pushes := joined(kept), joined(j.pushes)
	for r := range j.finder.Find(j.file.Text) {
		switch {
		case covers(pushes, r.Start):
			pushed = append(pushed, r.Repository)
		case !covers(kept, r.Start):
			free = append(free, r)
		}
	}
	if len(free) == 0 {
		return
	}
	var names *variables
	for _, r := range free {
		name := assigned(j.file.Text, r.Start)
		if name != "" && names == nil {
			names = newVariables(j.file.Text)
		}
		if name != "" && names.names[name] {
			pushed = append(pushed, r.Repository)
		}
	}
	for _, r := range free {
		if !slices.Contains(pushed, r.Repository) {
			continue
		}
		span := mention.Span{Start: r.Start, End: r.End}
		line := 1 + bytes.Count(j.file.Text[:r.Start], newline)
		j.tell(&pushedRule, spot{span, stretch{span, line}})
	}
}

var (
	assignment = regexp.MustCompile(`^[ \t]*(?:-[ \t]+)?(?:export[ \t]+|readonly[ \t]+|local[ \t]+|def[ \t]+|set[ \t]+"?|const[ \t]+|let[ \t]+|var[ \t]+|ENV[ \t]+|ARG[ \t]+|env\.)*["']?\$?([A-Za-z_][A-Za-z0-9_]*)["']?[ \t]*(?::|\?|\+|:)?[=:][ \t]*(.*)`)
	ahead      = regexp.MustCompile(`(?:^|[\s;&,{(])["']?\$?([A-Za-z_][A-Za-z0-9_]*)["']?[ \t]*[:?+]?[=:][ \t]*["']?(?:\$\{[A-Z_a-z0-9]+:?-)?["']?$`)
	pushLine   = regexp.MustCompile(`(?m)(?:^[ \t]*tags:|\bpush\b|\s(?:-t|--tag)[\s=]|\btag\s|--destination|--cache-to|\.push\(|docker\.build\()`)
	variable   = regexp.MustCompile(`(?:\$\{\{?\s*|\$\(|\$|%|\{\{\s*\.?)(?:env\.|vars\.|params\.|inputs\.)?([A-Za-z_][A-Za-z0-9_]*)|\(\s*([A-Za-z_][A-Za-z0-9_]*)\b`)
)

var (
	pushWords = [][]byte{[]byte("push"), []byte("-t "), []byte("--tag"), []byte("tag "), []byte("--destination"), []byte("--cache-to"), []byte("docker.build("), tagsKey}
	tagsKey   = []byte("tags:")
)

// blockEnd is where the lines end that are further in than the first one of a stretch.
func blockEnd(b []byte, s mention.Span) int {
	line := bytes.TrimLeft(b[s.Start:s.End], "\r\n")
	indent, _ := indentOf(line)
	return itemEnd(b, s.End, indent)
}

// assigned is the name of the variable that what begins at b[at:] is given to.
func assigned(b []byte, at int) string {
	line := lineAt(b, at, 0)
	if m := ahead.FindSubmatch(b[max(line.Start, at-beforeHit):at]); m != nil {
		return string(m[1])
	}
	return ""
}

// joined sorts spans and joins those that touch.
func joined(spans []mention.Span) []mention.Span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b mention.Span) int { return cmp.Compare(a.Start, b.Start) })
	var out []mention.Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// covers reports whether one of the joined spans covers pos.
func covers(spans []mention.Span, pos int) bool {
	n, _ := slices.BinarySearchFunc(spans, pos, func(s mention.Span, pos int) int { return cmp.Compare(s.Start, pos+1) })
	return n > 0 && pos < spans[n-1].End
}

// variables are those of a file that reach a push.
type variables struct {
	names map[string]bool // that are pushed, or are part of one that is
}

// maxRounds is how many variables may be between one with a name and the push.
const maxRounds = 4

func newVariables(b []byte) *variables {
	v := &variables{map[string]bool{}}
	for _, word := range pushWords {
		for from := 0; ; {
			i := bytes.Index(b[from:], word)
			if i < 0 {
				break
			}
			s := around(b, from+i, from)
			from = max(from+i+len(word), s.End)
			if !pushLine.Match(b[s.Start:s.End]) {
				continue
			}
			if bytes.Contains(b[s.Start:s.End], tagsKey) {
				s.End = blockEnd(b, s)
			}
			v.add(b[s.Start:s.End])
		}
	}
	if len(v.names) > 0 {
		v.follow(b)
	}
	return v
}

// follow adds the variables that those which are pushed are made of.
func (v *variables) follow(b []byte) {
	var assignments [][][]byte
	for line := range bytes.Lines(b) {
		if len(line) < maxStretch && bytes.ContainsAny(line, "$%({") {
			if m := assignment.FindSubmatch(line); m != nil {
				assignments = append(assignments, m)
			}
		}
	}
	for range maxRounds {
		before := len(v.names)
		for _, a := range assignments {
			if v.names[string(a[1])] {
				v.add(a[2])
			}
		}
		if len(v.names) == before {
			break
		}
	}
}

// add adds the variables that a text uses.
func (v *variables) add(b []byte) {
	for _, m := range variable.FindAllSubmatch(b, -1) {
		for _, name := range m[1:] {
			if len(name) > 0 {
				v.names[string(name)] = true
			}
		}
	}
}
