package term

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"team/api:v1.2":                       "team/api:v1.2",
		"a\x1b[31mred\x1b[0m":                 "ared",
		"\x1b]0;title\athe rest":              "the rest",
		"\x1b]8;;http://evil\x1b\\link":       "link",
		"\x1b]unfinished":                     "unfinished",
		"\x1b[2J\x1b[1;1Hgone":                "gone",
		"\x1b(Bset \x1bc reset":               "set reset",
		"one\ntwo\r\n\tthree":                 "one two three",
		"\u009b31mC1":                         "C1",
		"\u009d0;t\u009cC1":                   "C1",
		"bell\a back\b\b del\x7f":             "bell back del",
		"\u202egnp.exe":                       "gnp.exe",
		"zero\u200bwidth\ufeff":               "zerowidth",
		"bad\xffutf8":                         "bad\ufffdutf8",
		"  spaces  in  it  ":                  "spaces in it",
		"日本語":                                 "日本語",
		"\x1b":                                "",
		"\x1b[":                               "",
		"line\u2028break":                     "line break",
		strings.Repeat("\x1b[1m", 1000) + "x": "x",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanTextMovesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("\x1b[]P\\;m0\a\u009b\u009c x\n")))).Draw(t, "in")
		got := Clean(in)
		for _, r := range got {
			if unicode.In(r, unicode.Cc, unicode.Cf) || r != ' ' && unicode.IsSpace(r) {
				t.Fatalf("Clean(%q) = %q holds %U", in, got, r)
			}
		}
		if again := Clean(got); again != got {
			t.Fatalf("Clean(%q) = %q, and once more %q", in, got, again)
		}
	})
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31m")
	f.Add("\x1b]0;x\a")
	f.Fuzz(func(t *testing.T, in string) {
		if strings.ContainsAny(Clean(in), "\x1b\n\r\x00\x7f") {
			t.Errorf("Clean(%q) = %q", in, Clean(in))
		}
	})
}

func TestWidth(t *testing.T) {
	for in, want := range map[string]int{"": 0, "abc": 3, "日本": 4, "é": 1, "e\u0301": 1, "…": 1, "━": 1, "✓": 1, "\x1b[1;36mabc\x1b[0m": 3} {
		if got := Width(in); got != want {
			t.Errorf("Width(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	bold := NewStyle(true).Bold
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"abc", 1, "…"}, {"abc", 0, ""},
		{bold("abcdef"), 4, "\x1b[1mabc…\x1b[0m"}, {bold("ab") + "cdef", 4, "\x1b[1mab\x1b[0mc…"},
	} {
		if got := Fit(c.in, c.width); got != c.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{{"abcdef", 6, "abcdef"}, {"abcdefg", 6, "abc…fg"}, {"日本語文字", 7, "日本…字"}, {"abc", 1, "…"}, {"abc", 2, "a…"}} {
		if got := Middle(c.in, c.width); got != c.want {
			t.Errorf("Middle(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func TestWhatIsCutFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := Clean(rapid.String().Draw(t, "in"))
		width := rapid.IntRange(0, 30).Draw(t, "width")
		if got := Fit(NewStyle(true).Bad(in), width); Width(got) > width {
			t.Fatalf("Fit: %q is %d wide", got, Width(got))
		}
		if got := Middle(in, width); Width(got) > width {
			t.Fatalf("Middle: %q is %d wide", got, Width(got))
		}
		if width < 2 {
			return
		}
		lines := Wrap(in, width)
		for _, line := range lines {
			if Width(line) > width {
				t.Fatalf("Wrap: %q is %d wide", line, Width(line))
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(strings.Join(lines, "")) != squeeze(in) {
			t.Fatalf("Wrap loses something of %q: %q", in, lines)
		}
	})
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  []string
	}{
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 0, []string{"one two three"}},
		{"abcdefgh ij", 3, []string{"abc", "def", "gh", "ij"}},
		{"", 10, nil},
	} {
		if diff := cmp.Diff(c.want, Wrap(c.in, c.width)); diff != "" {
			t.Errorf("Wrap(%q, %d): %s", c.in, c.width, diff)
		}
	}
}

func TestShortDigest(t *testing.T) {
	for in, want := range map[string]string{
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": "sha256:0123456789ab", "sha256:ab": "sha256:ab", "": "",
		"no digest at all": "no dig…t all", "sha256:\x1b[31m0123": "sha256:0123",
	} {
		if got := ShortDigest(digest.Digest(in)); got != want {
			t.Errorf("ShortDigest(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	table := Table{Indent: 2, Columns: []Column{{Head: "Repository", Shrink: true}, {Head: "Images", Right: true}, {Head: "Note"}}}
	table.Row("team/api", "12", "")
	table.Row("日本/very-long-name-of-a-repository", "1,234", "x\x1b[31m\ny")
	table.Row("short")
	for _, c := range []struct {
		width int
		want  string
	}{
		{0, `
  Repository                           Images  Note
  team/api                                 12
  日本/very-long-name-of-a-repository   1,234  x y
  short
`},
		{40, `
  Repository                Images  Note
  team/api                      12
  日本/very-lon…repository   1,234  x y
  short
`},
	} {
		var b strings.Builder
		table.Write(&b, Style{}, c.width)
		if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), b.String()); diff != "" {
			t.Errorf("width %d: (-want +got)\n%s", c.width, diff)
		}
	}
	var b strings.Builder
	(&Table{Columns: []Column{{Head: "x"}}}).Write(&b, Style{}, 80)
	if b.Len() > 0 {
		t.Errorf("an empty table writes %q", b.String())
	}
}
