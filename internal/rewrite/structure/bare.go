package structure

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// maxUses is how many uses of one variable are looked at.
const maxUses = 1000

// maxHeader is how far before its default a variable of HCL may begin, in bytes.
const maxHeader = 2000

// maxBefore is how far before a value its name is looked for, in bytes.
const maxBefore = 160

// variable is the name that the value at an offset is given to, as in NAME=, NAME := ", "NAME": " and ${NAME:-; and whether
// it is the default of such a use.
func (j *judge) variable(at int) (name string, fallback bool) {
	b := j.file.Text[max(0, at-maxBefore):at]
	for _, scheme := range []string{"https://", "http://", "oci://", "docker://"} {
		b = bytes.TrimSuffix(b, []byte(scheme))
	}
	b = bytes.TrimRight(b, " \t\"'")
	end := len(b)
	for end > 0 && end > len(b)-2 && bytes.IndexByte([]byte("=:-?"), b[end-1]) >= 0 {
		end--
	}
	given := string(b[end:])
	b = bytes.TrimRight(b[:end], " \t\"'")
	start := len(b)
	for start > 0 && (isAlphanumeric(b[start-1]) || b[start-1] == '_') {
		start--
	}
	if start == len(b) || '0' <= b[start] && b[start] <= '9' {
		return "", false
	}
	fallback = bytes.HasSuffix(b[:start], []byte("${"))
	switch given {
	case "=", ":", ":=", "?=", "::":
	case ":-", "-":
		if !fallback {
			return "", false
		}
	default:
		return "", false
	}
	return string(b[start:]), fallback
}

// bareHosts tells of hosts without a repository that are values: of a variable, a default, an argument of a Dockerfile, a
// field. What stands elsewhere, as in a login, is not a matter of structure.
func (j *judge) bareHosts() {
	text := j.file.Text
	for h := range j.hosts.find(text) {
		behind := text[h.End:]
		if len(behind) > 1 && behind[0] == '/' && isAlphanumeric(behind[1]) || j.tells(h) {
			continue // a plain reference, or part of a pair
		}
		behind = bytes.TrimPrefix(behind, []byte("/"))
		name, fallback := j.variable(h.Start)
		if name == "" || len(behind) > 0 && bytes.IndexByte([]byte("\"'} \t\r\n,;)]\\"), behind[0]) < 0 {
			continue // of what goes on with a variable, the plain references tell
		}
		why := fmt.Sprintf("%s is the host alone, and which repositories it is joined with is not known.", name)
		if fallback {
			why = fmt.Sprintf("The default of %s is the host alone, and which repositories it is joined with is not known.", name)
		}
		if use := j.use(name); use != "" {
			why = fmt.Sprintf("%s is the host alone; it is joined in: %s", name, use)
		}
		j.find(h.Start, mention.HostOnly, why,
			"Look where it is used: when all those repositories have arrived, replace it by the new registry and its path.")
	}
}

// tells reports whether an edit or a finding tells of a host already.
func (j *judge) tells(h mention.Span) bool {
	for _, before := range []string{"", "oci://", "https://", "http://", "docker://"} {
		if at := h.Start - len(before); at >= 0 && j.told[at] && string(j.file.Text[at:h.Start]) == before {
			return true
		}
	}
	return false
}

// uses are where a variable is used, as offsets behind it: ${NAME}, $(NAME) and $NAME.
func (j *judge) uses(name string) []int {
	if j.vars == nil {
		j.vars = map[string][]int{}
		use := variableUse
		if j.file.Type == mention.HCL {
			use = attributeUse
		}
		for _, m := range use.FindAllSubmatchIndex(j.file.Text, -1) {
			for g := 2; g < len(m); g += 2 {
				if m[g] >= 0 {
					n := string(j.file.Text[m[g]:m[g+1]])
					j.vars[n] = append(j.vars[n], m[1])
				}
			}
		}
	}
	return j.vars[name]
}

var variableUse = regexp.MustCompile(`\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|\(([A-Za-z_][A-Za-z0-9_]*)\)|([A-Za-z_][A-Za-z0-9_]*))`)

// attributeUse is a local value or a variable of HCL by the last part of its name.
var attributeUse = regexp.MustCompile(`\$\{\s*(?:local|var)\.(?:[\w-]+\.)*([A-Za-z_][A-Za-z0-9_]*)\s*\}`)

// variableHeader begins a variable of HCL.
var variableHeader = regexp.MustCompile(`(?m)^variable\s+"([A-Za-z_][A-Za-z0-9_]*)"`)

// defaultOf is the variable of HCL that the default at an offset is of; empty where that is not known.
func (j *judge) defaultOf(at int) string {
	all := variableHeader.FindAllSubmatch(j.file.Text[max(0, at-maxHeader):at], -1)
	if len(all) == 0 {
		return ""
	}
	return string(all[len(all)-1][1])
}

// use is the first line in which a variable is joined with a path; empty where there is none.
func (j *judge) use(name string) string {
	for _, at := range j.uses(name) {
		if at < len(j.file.Text) && j.file.Text[at] == '/' {
			return j.line(at)
		}
	}
	return ""
}

// grown keeps references without a tag in variables that go on where they are used, as FROM "${BASE_IMAGE}-dev" does: then the
// name is only the beginning of one. A tag that grows is the tag of the same repository.
func (j *judge) grown() {
	switch j.file.Type {
	case mention.Markdown, mention.Code, mention.JSON:
		return
	}
	text := j.file.Text
	for r := range j.finder.Find(text) {
		if r.Open || r.Tag != "" || r.Digest != "" || r.End < len(text) && text[r.End] == ':' {
			continue
		}
		name, fallback := j.variable(r.Start)
		if name == "default" && j.file.Type == mention.HCL {
			name = j.defaultOf(r.Start)
		}
		if name == "" {
			continue
		}
		tail := j.longer(r, name, fallback)
		if tail == nil {
			continue
		}
		j.keep(mention.Span{Start: r.Start, End: r.End})
		more := tail[:min(len(tail), 40)]
		if end := bytes.IndexAny(more, "\"'\n"); end >= 0 {
			more = more[:end]
		}
		j.find(r.Start, mention.VariableName,
			fmt.Sprintf("The name goes on where %s is used: %q is added to it.", name, clean(strings.TrimSpace(string(more)))),
			"Replace it by hand when all names that it becomes have arrived.")
	}
}

// longer is what is behind the first use of a variable that makes a longer name of the reference in it, one that is not proved;
// nil where there is none.
func (j *judge) longer(r references.Reference, name string, fallback bool) []byte {
	text := j.file.Text
	if end := r.End; fallback && end < len(text) && text[end] == '}' && growth(text[end+1:]) && !j.grownProved(r, text[end+1:]) {
		return text[end+1:]
	}
	uses := j.uses(name)
	for _, at := range uses[:min(len(uses), maxUses)] {
		if growth(text[at:]) && !j.grownProved(r, text[at:]) {
			return text[at:]
		}
	}
	return nil
}

// growth reports whether a name goes on with what a text begins with.
func growth(tail []byte) bool {
	if len(tail) == 0 {
		return false
	}
	switch c := tail[0]; {
	case c == '-' || c == '/' || c == '_' || c == '$' || isAlphanumeric(c):
		return true
	case c == '.':
		return len(tail) > 1 && isAlphanumeric(tail[1]) // not the end of a sentence
	case c == '{':
		return bytes.HasPrefix(tail, []byte("{{"))
	}
	return false
}

// grownProved reports whether what a reference becomes with a literal tail is proved, and moves as the reference does.
func (j *judge) grownProved(r references.Reference, tail []byte) bool {
	whole := r.Repository.String()
	for g := range j.finder.Find(append([]byte(whole), tail[:min(len(tail), 400)]...)) {
		if g.Open || g.Start != 0 {
			return false
		}
		a, own := j.oracle.Ask(g.Name), j.oracle.Ask(r.Name)
		return a.Verdict == mention.Proved && own.Verdict == mention.Proved &&
			a.Target.String() == own.Target.String()+strings.TrimPrefix(g.Repository.String(), whole)
	}
	return false
}
