package mention

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is how many bytes the text of a finding has at most.
const MaxText = 200

// ahead is how many bytes before a span an excerpt begins, where a line is too long to be shown whole.
const ahead = 40

// Excerpt is the line that a span begins in, without the spaces around it: of a long line the part around the span.
func Excerpt(text []byte, s Span) string {
	start := min(max(s.Start, 0), len(text))
	from := max(0, start-4*MaxText) // no further: a line may have megabytes
	if i := bytes.LastIndexByte(text[from:start], '\n'); i >= 0 {
		from += i + 1
	}
	to := min(len(text), start+4*MaxText)
	if i := bytes.IndexByte(text[start:to], '\n'); i >= 0 {
		to = start + i
	}
	line := text[from:to]
	if len(line) > MaxText && start-from > ahead {
		line = line[start-from-ahead:]
	}
	return Clean(string(line))
}

// CleanSentence is s as one line that moves nothing on a terminal.
func CleanSentence(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, s))
}

// Clean is s as the text of a finding: as CleanSentence, and of at most MaxText bytes.
func Clean(s string) string {
	s = CleanSentence(s)
	if len(s) <= MaxText {
		return s
	}
	cut := MaxText - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimRight(s[:cut], " ") + "…"
}
