package danger

import (
	"bytes"
	"regexp"

	"transship/internal/rewrite/mention"
)

// How far structure is looked for around a place, in lines and bytes.
const (
	maxUp    = 400
	maxBytes = 64 << 10
	maxKeys  = 16
)

// indentOf is how far a line is indented, and whether there is anything in it but a comment.
func indentOf(line []byte) (int, bool) {
	rest := bytes.TrimLeft(line, " \t")
	return len(line) - len(rest), len(bytes.TrimSpace(rest)) > 0 && rest[0] != '#'
}

var typePattern = regexp.MustCompile(`^\s*["']?Type["']?\s*:\s*["']?(AWS::[\w:]+)`)

// keyIn is the key that a line of YAML, JSON or HCL begins with. It is asked of every line above a mention.
func keyIn(line []byte) string {
	rest := bytes.TrimLeft(line, blank)
	for len(rest) > 1 && rest[0] == '-' && rest[1] == ' ' {
		rest = bytes.TrimLeft(rest[1:], " ")
	}
	rest = withoutQuote(rest)
	n := 0
	for n < len(rest) && (isWord(rest[n]) || n > 0 && bytes.IndexByte([]byte(".$/-"), rest[n]) >= 0 || rest[n] == '$') {
		n++
	}
	if n == 0 || '0' <= rest[0] && rest[0] <= '9' {
		return ""
	}
	key := string(rest[:n])
	if rest = bytes.TrimLeft(withoutQuote(rest[n:]), blank); len(rest) == 0 || bytes.IndexByte([]byte(":={("), rest[0]) < 0 {
		return ""
	}
	return key
}

const blank = "\t\n\f\r "

func withoutQuote(b []byte) []byte {
	if len(b) > 0 && (b[0] == '"' || b[0] == '\'') {
		return b[1:]
	}
	return b
}

func isWord(c byte) bool { return isLower(c) || isUpper(c) || '0' <= c && c <= '9' || c == '_' }

// typeIn is the type of a resource that a line tells.
func typeIn(line []byte) string {
	if bytes.Contains(line, []byte("AWS::")) {
		if m := typePattern.FindSubmatch(line); m != nil {
			return string(m[1])
		}
	}
	return ""
}

// keyIndent is where the key of a line begins, behind the signs of list items.
func keyIndent(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " \t-")) }

// place is where something is in the structure that indentation shows.
type place struct {
	keys []string // that it is under, the nearest first, its own too
	typ  string   // the Type of the resource of CloudFormation that it is in
}

// placeOf reads the indentation above pos, and below it where a resource tells its Type last.
func placeOf(b []byte, pos int) place {
	var p place
	line := lineAt(b, pos, 0)
	floor := max(0, line.Start-maxBytes)
	level, _ := indentOf(b[line.Start:line.End])
	item := bytes.HasPrefix(bytes.TrimLeft(b[line.Start:line.End], " \t"), []byte("-"))
	if key := keyIn(b[line.Start:line.End]); key != "" {
		p.keys = append(p.keys, key)
	}
	top := level
	for n := 0; n < maxUp && line.Start > floor && (level > 0 || item); n++ {
		line = lineAt(b, line.Start-1, floor)
		text := b[line.Start:line.End]
		indent, some := indentOf(text)
		// A list may be as far in as the key that it belongs to.
		if !some || indent > level {
			continue
		}
		if p.typ == "" {
			p.typ = typeIn(text)
		}
		dash := bytes.HasPrefix(text[indent:], []byte("-"))
		if indent == level && (!item || dash) {
			continue
		}
		item = dash
		if indent < level {
			top = level
		}
		// The key that an item of a list begins with stands beside the item's others.
		beside := keyIndent(text) >= level && dash
		level = indent
		if key := keyIn(text); key != "" && !beside && len(p.keys) < maxKeys {
			p.keys = append(p.keys, key)
		}
		if indent == 0 && !dash {
			break
		}
	}
	if p.typ == "" {
		p.typ = typeBelow(b, pos, top)
	}
	return p
}

// typeBelow looks for the Type of a resource behind what it holds; least is the indentation of resources.
func typeBelow(b []byte, pos, least int) string {
	line := lineAt(b, pos, 0)
	level, _ := indentOf(b[line.Start:line.End])
	end := min(len(b), line.End+maxBytes)
	for n := 0; n < maxUp && line.End < end; n++ {
		line = lineAt(b, line.End+1, line.End+1)
		indent, some := indentOf(b[line.Start:line.End])
		if !some || indent > level {
			continue
		}
		if indent <= least {
			return ""
		}
		level = indent
		if typ := typeIn(b[line.Start:line.End]); typ != "" {
			return typ
		}
	}
	return ""
}

// itemAround returns the item of a list of YAML that pos is in, such as a step of a job; the zero Span where it is in none.
func itemAround(b []byte, pos int) mention.Span {
	line := lineAt(b, pos, 0)
	floor := max(0, line.Start-maxBytes)
	level, _ := indentOf(b[line.Start:line.End])
	for n := 0; n < maxUp; n++ {
		text := b[line.Start:line.End]
		if indent, some := indentOf(text); some && (indent < level || n == 0) {
			level = indent
			if bytes.HasPrefix(text[indent:], []byte("- ")) && keyIn(text) != "" {
				return mention.Span{Start: line.Start, End: itemEnd(b, line.End, indent)}
			}
		}
		if line.Start <= floor {
			break
		}
		line = lineAt(b, line.Start-1, floor)
	}
	return mention.Span{}
}

// itemEnd returns where the item that is indented by indent and goes on at b[from:] ends.
func itemEnd(b []byte, from, indent int) int {
	end := from
	for n := 0; n < maxUp && end < len(b); n++ {
		line := lineAt(b, end+1, end+1)
		if i, some := indentOf(b[line.Start:line.End]); some && i <= indent {
			break
		}
		end = line.End
	}
	return min(end, len(b))
}

// above returns the text of up to n lines before pos and of its own line up to pos.
func above(b []byte, pos, n int) []byte {
	start := lineAt(b, pos, 0).Start
	for ; n > 0 && start > 0 && pos-start < maxStretch; n-- {
		start = lineAt(b, start-1, 0).Start
	}
	return b[max(start, pos-2*maxStretch):pos]
}

// documentsOf returns where the documents of a stream of YAML begin.
func documentsOf(b []byte) []int {
	starts := []int{0}
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte("\n---"))
		if i < 0 {
			return starts
		}
		from += i + 1
		starts = append(starts, from)
	}
}
