package secret

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRead bounds what is looked at of outside text, in bytes.
const maxRead = 8 << 10

// MaxText bounds what is repeated of outside text, in bytes.
const MaxText = 500

var (
	escapes = regexp.MustCompile(`(\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]|(\x1b\]|\x{9d})[^\x07\x1b\x{9c}]*(\x07|\x1b\\|\x{9c})?|\x1b.?`)
	queries = regexp.MustCompile(`(https?://[^\s?"'<>]*)\?[^\s"'<>]*`)
	secrets = regexp.MustCompile(`(?i)\b(basic|bearer)\s+[a-z0-9+/=._~-]{8,}`)
	signed  = regexp.MustCompile(`(?i)\b(x-amz-[a-z-]+|x-goog-[a-z-]+|signature|awsaccesskeyid|access_token|token|password)=[^\s&"'<>]+`)
)

// Clean makes outside text fit for a terminal and a log: one line, no escapes or control characters, bounded, without
// credentials and the queries of signed URLs.
func Clean(text string) string {
	if len(text) > maxRead {
		text = text[:maxRead]
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = escapes.ReplaceAllString(text, "")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf turns the writing's direction, or hides
			return -1
		}
		return r
	}, text)
	text = queries.ReplaceAllString(text, "$1?…")
	text = secrets.ReplaceAllString(text, "$1 …")
	text = signed.ReplaceAllString(text, "$1=…")
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= MaxText {
		return text
	}
	end := MaxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// leastSecret is the length in bytes below which a text is no secret: a name, or part of a word.
const leastSecret = 6

// Hide returns text without the credential of an Authorization header, and without what is encoded in it: whoever got
// the header may repeat it in an error, in any form.
func Hide(text, authorization string) string {
	scheme, credential, _ := strings.Cut(authorization, " ")
	hidden := []string{credential}
	if strings.EqualFold(scheme, "Basic") {
		if pair, err := base64.StdEncoding.DecodeString(credential); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			hidden = append(hidden, password)
		}
	}
	for _, s := range hidden {
		if len(s) >= leastSecret {
			text = strings.ReplaceAll(text, s, "…")
		}
	}
	return text
}
