package markdown

import (
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"team/api:1.0":             "team/api:1.0",
		"a|b":                      `a\|b`,
		"**bold** _x_ `c` ~~no~~":  `\*\*bold\*\* \_x\_ ` + "\\`c\\`" + ` \~\~no\~\~`,
		"[x](http://evil)":         `\[x\](http://evil)`,
		"<img src=x onerror=y>":    "&lt;img src=x onerror=y&gt;",
		"a\nb\r\n| c":              `a b  \| c`,
		"@octocat fixes #1":        "@<!-- -->octocat fixes #<!-- -->1",
		"back\\slash &amp;":        `back\\slash &amp;amp;`,
		"turned \u202eround\u2069": "turned  round ",
	} {
		if got := Plain(in); got != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"a/b": "`a/b`", "a`b": "`` a`b ``", "``": "``` `` ```", "a\nb": "`a b`", "@me": "`@me`",
	} {
		if got := Code(in); got != want {
			t.Errorf("Code(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Cell("a|b"); got != "`a\\|b`" {
		t.Errorf("Cell: %q", got)
	}
}

// FuzzMarkdown: whatever a text is, it stays on its line, ends no cell, and opens no element.
func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{"a|b", "\\|", "`", "<!--", "-->", "\u2028", "@#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{Plain(s), Cell(s)} {
			if strings.ContainsAny(out, "\n\r") {
				t.Fatalf("%q has several lines: %q", s, out)
			}
			for i := range len(out) {
				if out[i] == '|' && (i == 0 || out[i-1] != '\\') {
					t.Fatalf("%q ends a cell: %q", s, out)
				}
			}
		}
		if strings.Contains(strings.ReplaceAll(Plain(s), "<!-- -->", ""), "<") {
			t.Fatalf("%q opens an element: %q", s, Plain(s))
		}
	})
}
