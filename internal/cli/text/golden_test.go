package text

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"transship/internal/cli/term"
	checkedin "transship/internal/golden"
)

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// view is one way of looking at a document.
type view struct {
	name string
	o    Options
}

func views() []view {
	return []view{
		{"80 columns", Options{Width: 80, Now: now}},
		{"60 columns, long lists whole", Options{Width: 60, Now: now, All: true}},
		{"80 columns, with colours", Options{Width: 80, Now: now, Style: term.NewStyle(true)}},
		{"a file", Options{}},
	}
}

var marks = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// golden compares what write writes in all views to testdata/name.txt, in which ESC stands as ␛.
func golden(t *testing.T, name string, write func(io.Writer, Options)) {
	t.Helper()
	var all strings.Builder
	for _, v := range views() {
		var b strings.Builder
		write(&b, v.o)
		fmt.Fprintf(&all, "======== %s ========\n%s", v.name, b.String())
		checkLines(t, name+", "+v.name, b.String(), v.o)
	}
	got := strings.ReplaceAll(all.String(), "\x1b", "␛")
	checkedin.Compare(t, name+".txt", got)
}

// checkLines sees that no line but a command is too wide, ends in a space, or holds anything that moves the cursor.
func checkLines(t *testing.T, name, text string, o Options) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		plain := marks.ReplaceAllString(line, "")
		_, remedy, _ := strings.Cut(plain, "→ ")
		if n := term.Width(line); o.Width > 0 && n > o.Width && !isCommand(remedy) { // a command is to be copied whole
			t.Errorf("%s: a line is %d wide: %q", name, n, line)
		}
		if o.Style == (term.Style{}) && plain != line {
			t.Errorf("%s: colours without a style: %q", name, line)
		}
		if strings.TrimRight(plain, " ") != plain {
			t.Errorf("%s: a line ends in a space: %q", name, line)
		}
		for _, r := range plain {
			if unicode.In(r, unicode.Cc, unicode.Cf) {
				t.Errorf("%s: %U is in %q", name, r, line)
			}
		}
	}
}
