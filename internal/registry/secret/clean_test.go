package secret

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode"
)

func TestHide(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte("AWS:p4ssword-of-ecr"))
	for _, c := range []struct{ text, authorization, want string }{
		{`{"echo":"Bearer ya29.t0ken"}`, "Bearer ya29.t0ken", `{"echo":"Bearer …"}`},
		{`{"token":"ya29.t0ken"} ya29.t0ken`, "Bearer ya29.t0ken", `{"token":"…"} …`},
		{"you sent " + encoded, "Basic " + encoded, "you sent …"},
		{"wrong password p4ssword-of-ecr", "Basic " + encoded, "wrong password …"},
		{"nothing was sent", "", "nothing was sent"},
		{"a b c", "Bearer a", "a b c"},
		{"no base64 %%%%%%%", "Basic %%%%%%%", "no base64 …"},
	} {
		if got := Hide(c.text, c.authorization); got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
	}
}

// FuzzClean cleans any outside text: it is one short line that moves nothing on a terminal, and has nothing left to
// clean.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"", "plain", "a\x1b[31mred\x1b[0m", "a\x1b]8;;https://x\x1b\\b", "\u009b2J", "\x1b[\x1b[2J", "a\u202eb", "\xff\xfe",
		"see https://s3.example/a?X-Amz-Signature=abc&y=1 now", "Bearer Basic ya29.abcdefghijk", "token=token=abc", strings.Repeat("ä", 300),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Clean(text)
		if len(got) > MaxText+len("…") {
			t.Errorf("%d bytes", len(got))
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
				t.Errorf("%q has %U in it", got, r)
			}
		}
	})
}

// FuzzHide repeats a credential within any text, and looks for it in what is left.
func FuzzHide(f *testing.F) {
	f.Add("you sent ", "ya29.t0ken", " again")
	f.Add("", "c2VjcmV0c2VjcmV0", "")
	f.Fuzz(func(t *testing.T, before, credential, after string) {
		if len(credential) < leastSecret || strings.Contains(credential, "…") || strings.ContainsAny(credential, " ") {
			return
		}
		for _, scheme := range []string{"Bearer ", "Basic "} {
			// What is left on both sides of the mark may make a credential by chance only where it holds none.
			if got := Hide(before+credential+after, scheme+credential); strings.Contains(got, credential) {
				t.Errorf("%q is in %q", credential, got)
			}
		}
	})
}
