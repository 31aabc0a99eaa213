// Package markdown writes texts of others into Markdown, as GitHub and its like read it, so that they show as they are:
// on one line, nothing in them is markup, and nobody is mentioned by them.
package markdown

import "strings"

// Plain is a text of others in a cell, a list or a paragraph.
func Plain(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
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
		case r == '@' || r == '#': // would mention a person or an issue
			b.WriteRune(r)
			b.WriteString("<!-- -->")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Code is s as code, behind as many backquotes as it takes. In a cell of a table, where a bar would end it even there, its
// bars are escaped: see Cell.
func Code(s string) string {
	s = oneLine(s)
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

// Cell is Code in a cell of a table.
func Cell(s string) string { return strings.ReplaceAll(Code(s), "|", `\|`) }

// oneLine is s without control characters, and without those that turn the direction of reading.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}
