// Package markdown writes text of others into Markdown so that it shows as it is: the one rule for all that Transship
// writes for pull requests and for the readers of a workspace.
package markdown

import (
	"strings"
	"unicode"
)

// Text is s on one line, with nothing in it taken for markup; nobody is mentioned by it, and no issue. It fits a cell
// of a table.
func Text(s string) string {
	var b strings.Builder
	before := ' '
	for _, r := range line(s) {
		switch {
		case strings.ContainsRune("\\`*_{}[]|~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '#' || r == '@' && before != '_' && !unicode.IsLetter(before) && !unicode.IsDigit(before):
			b.WriteRune(r)
			b.WriteString("<!-- -->") // neither an issue nor a person, as GitHub and GitLab read it
		default:
			b.WriteRune(r)
		}
		before = r
	}
	return b.String()
}

// Code is s as code on one line, behind as many backquotes as it takes; nothing where s is empty.
func Code(s string) string {
	s = strings.TrimSpace(line(s))
	if s == "" {
		return ""
	}
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// CodeCell is Code in a cell of a table, where a bar ends the cell even within code.
func CodeCell(s string) string { return strings.ReplaceAll(Code(s), "|", `\|`) }

// line is s without line breaks, control characters and what turns the direction of writing.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, s)
}
