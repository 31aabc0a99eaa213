package term

import (
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/opencontainers/go-digest"
)

const ellipsis = "…"

// runeWidth is how many columns r takes, whatever the locale.
func runeWidth(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	c := runewidth.Condition{StrictEmojiNeutral: true}
	return c.RuneWidth(r)
}

// Width is how many columns s takes. Marks of a Style take none.
func Width(s string) int {
	width := 0
	for len(s) > 0 {
		if n := marked(s); n > 0 {
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		width += runeWidth(r)
		s = s[n:]
	}
	return width
}

// marked is the length of the mark of a Style that s begins with, or 0.
func marked(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	return strings.IndexByte(s, 'm') + 1
}

// Fit cuts the end of s so that it takes at most width columns. Marks of a Style are ended where they are cut.
func Fit(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	var b strings.Builder
	open := false
	for left := width - 1; len(s) > 0; {
		if n := marked(s); n > 0 {
			b.WriteString(s[:n])
			open = s[:n] != reset
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		if left -= runeWidth(r); left < 0 {
			break
		}
		b.WriteString(s[:n])
		s = s[n:]
	}
	b.WriteString(ellipsis)
	if open {
		b.WriteString(reset)
	}
	return b.String()
}

// Middle cuts out the middle of s, which has no marks, so that it takes at most width columns: names differ at both
// ends.
func Middle(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width <= 1 {
		return Fit(s, width)
	}
	runes := []rune(s)
	var head, tail []rune
	for left, front := width-1, true; ; front = !front {
		r := runes[0]
		if !front {
			r = runes[len(runes)-1]
		}
		if left -= runeWidth(r); left < 0 {
			break
		}
		if front {
			head, runes = append(head, r), runes[1:]
		} else {
			tail, runes = append(tail, r), runes[:len(runes)-1]
		}
	}
	var b strings.Builder
	b.WriteString(string(head))
	b.WriteString(ellipsis)
	for i := range tail {
		b.WriteRune(tail[len(tail)-1-i])
	}
	return b.String()
}

// pad fills s with spaces up to width columns.
func pad(s string, width int, right bool) string {
	space := strings.Repeat(" ", max(0, width-Width(s)))
	if right {
		return space + s
	}
	return s + space
}

// shownHex is how much of a digest tells it apart for people.
const shownHex = 12

// ShortDigest is the algorithm and the first digits of d, as in sha256:0123456789ab.
func ShortDigest(d digest.Digest) string {
	algorithm, hex, ok := strings.Cut(Clean(string(d)), ":")
	if !ok {
		return Middle(algorithm, shownHex)
	}
	if len(hex) > shownHex {
		hex = hex[:shownHex]
	}
	return algorithm + ":" + hex
}

// Wrap breaks s, which has no marks, at its spaces into lines of at most width columns; 0 breaks nothing. A word that is
// longer is broken too: a command or an address must stay whole in what it says.
func Wrap(s string, width int) []string {
	if width <= 0 {
		return []string{s}
	}
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		w := Width(word)
		if line != "" && used+1+w > width {
			lines, line, used = append(lines, line), "", 0
		}
		for w > width {
			n := breakAt(word, width)
			lines, word = append(lines, word[:n]), word[n:]
			w = Width(word)
		}
		switch {
		case line != "":
			line, used = line+" "+word, used+1+w
		default:
			line, used = word, w
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// breakAt is how many bytes of word fit into width columns, at least one character.
func breakAt(word string, width int) int {
	columns := 0
	for i, r := range word {
		if columns += runeWidth(r); columns > width && i > 0 {
			return i
		}
	}
	return len(word)
}
