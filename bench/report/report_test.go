package report_test

import (
	"strings"
	"testing"

	"transship/bench/report"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	s := &report.Section{Title: "Cold", About: "What was done."}
	s.Table("At 40 ms:", "tool", "wall").Row("a|b", "1.0 s")
	s.AtMost("wall", "%.2f", 1.2, 1.25)
	s.AtLeast("speed", "%.1f", 3.9, 4)
	s.Is("bytes", "7", "7")
	s.Note("Once.")
	d := report.Document{Title: "Results", Facts: [][2]string{{"seed", "2"}}, Sections: []*report.Section{s}}
	var b strings.Builder
	if err := d.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	want := `# Results

2 of 3 claims hold.

- seed: 2

## Cold

What was done.

At 40 ms:

| tool | wall |
|---|---:|
| a\|b | 1.0 s |

| claim | measured | bound | verdict |
|---|---:|---:|---:|
| wall | 1.20 | ≤ 1.25 | holds |
| speed | 3.9 | ≥ 4.0 | **does not hold** |
| bytes | 7 | 7 | holds |

Once.
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}
