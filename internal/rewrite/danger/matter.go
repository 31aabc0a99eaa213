package danger

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how many bytes of a line a finding shows.
const maxText = 200

var (
	// password is one on a command line that is no variable.
	password = regexp.MustCompile(`((?:^|\s)(?:-p|--password|--docker-password)[ =]["']?)([^\s"'$(%{-][^\s"']{3,})`)
	// auth is a name and a password in docker's configuration.
	auth = regexp.MustCompile(`("(?:auth|password|identitytoken)"\s*:\s*")[^"]+`)
	// blob is text in base64 that may be a credential; a digest is no more than 128 hexadecimal digits.
	blob = regexp.MustCompile(`[A-Za-z0-9+/_-]{64,}={0,2}`)
	hex  = regexp.MustCompile(`^[0-9a-f]+$`)
	// lowercase is a path: no base64 of that length has no capital letter.
	lowercase = regexp.MustCompile(`^[a-z0-9/_-]+$`)
)

// matter is the part of a line around at that a finding shows: without credentials, and with nothing that moves the cursor
// of a terminal.
func matter(line []byte, at int) string {
	if len(line) > 2*maxStretch {
		from := max(0, at-maxStretch)
		line, at = line[from:min(len(line), at+maxStretch)], at-from
	}
	before := clean(line[:at])
	text := before + clean(line[at:])
	at = len(before)
	lead := len(text) - len(strings.TrimLeft(text, " "))
	text = strings.TrimSpace(text)
	text, at = hide(text), max(0, at-lead)
	if len(text) <= maxText {
		return text
	}
	const dots = "…"
	from := 0
	if at > maxText/2 {
		from = min(at-maxText/4, len(text)-maxText+2*len(dots))
	}
	from = min(max(from, 0), len(text))
	text = text[from:]
	room := maxText
	if from > 0 {
		room -= len(dots)
	}
	if len(text) > room {
		text = whole(text[:room-len(dots)]) + dots
	}
	if from > 0 {
		text = dots + strings.TrimLeftFunc(text, func(r rune) bool { return r == utf8.RuneError })
	}
	return strings.ToValidUTF8(text, "")
}

// whole cuts off the beginning of a character at the end of a text.
func whole(s string) string {
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
		s = s[:len(s)-1]
		if r, _ := utf8.DecodeLastRuneInString(s); r != utf8.RuneError {
			break
		}
	}
	return s
}

// hide puts *** into the place of what may be a credential.
func hide(s string) string {
	s = password.ReplaceAllString(s, "$1***")
	s = auth.ReplaceAllString(s, "$1***")
	return blob.ReplaceAllStringFunc(s, func(b string) string {
		if hex.MatchString(b) || lowercase.MatchString(b) {
			return b
		}
		return "***"
	})
}

// clean makes a space of every run of spaces and of characters that are not shown, such as those that turn the direction of
// a text, and drops bytes that are no characters.
func clean(b []byte) string {
	var out strings.Builder
	space := false
	for _, r := range string(bytes.ToValidUTF8(b, []byte(" "))) {
		if unicode.IsSpace(r) || !unicode.IsGraphic(r) {
			space = true
			continue
		}
		if space {
			out.WriteByte(' ')
			space = false
		}
		out.WriteRune(r)
	}
	if space {
		out.WriteByte(' ')
	}
	return out.String()
}
