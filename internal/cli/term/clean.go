package term

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns outside text as one line that moves nothing: without escape sequences, control and invisible
// characters and without what turns the direction of writing; line breaks and tabs become one space.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for len(s) > 0 {
		if n := escape(s); n > 0 {
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs):
			continue
		}
		b.WriteRune(r)
		space = false
	}
	return strings.TrimSpace(b.String())
}

// plain reports whether s is printable ASCII without anything to tidy.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return false
		}
	}
	return true
}

// escape is the length of the terminal sequence that s begins with, or 0.
func escape(s string) int {
	kind, n := "", 0
	switch {
	case strings.HasPrefix(s, "\x1b") && len(s) > 1:
		kind, n = s[1:2], 2
	case strings.HasPrefix(s, "\u009b"):
		kind, n = "[", 2
	case strings.HasPrefix(s, "\u009d"), strings.HasPrefix(s, "\u0090"), strings.HasPrefix(s, "\u0098"), strings.HasPrefix(s, "\u009e"), strings.HasPrefix(s, "\u009f"):
		kind, n = "]", 2
	case strings.HasPrefix(s, "\x1b"):
		return 1
	default:
		return 0
	}
	switch kind {
	case "[": // parameters and intermediates, then one final byte
		for n < len(s) && s[n] >= 0x20 && s[n] <= 0x3f {
			n++
		}
		if n < len(s) && s[n] >= 0x40 && s[n] <= 0x7e {
			n++
		}
		return n
	case "]", "P", "X", "^", "_": // a text up to its terminator; without one only the introducer goes
		end := len(s)
		for _, terminator := range []string{"\a", "\x1b\\", "\u009c"} {
			if i := strings.Index(s[n:], terminator); i >= 0 {
				end = min(end, n+i+len(terminator))
			}
		}
		if end < len(s) || strings.HasSuffix(s, "\a") || strings.HasSuffix(s, "\x1b\\") || strings.HasSuffix(s, "\u009c") {
			return end
		}
		return n
	}
	if s[1] >= 0x20 && s[1] <= 0x7e { // two characters, or more with intermediates
		for n--; n < len(s) && s[n] >= 0x20 && s[n] <= 0x2f; n++ {
			continue
		}
		if n < len(s) && s[n] >= 0x30 && s[n] <= 0x7e {
			n++
		}
		return n
	}
	return 1
}
