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

// What one run does not measure stays as an earlier one left it, and says of which run it is.
func TestKeep(t *testing.T) {
	t.Parallel()
	document := func(date string, titles ...string) *report.Document {
		d := &report.Document{Title: "Results", Facts: [][2]string{{"command", "`bench`"}, {"date", date}, {"Transship", "abc"}}}
		for _, title := range titles {
			s := &report.Section{Title: title, About: "Of " + date + "."}
			s.Is("bytes", "7", "7")
			d.Sections = append(d.Sections, s)
		}
		return d
	}
	var first, second strings.Builder
	if err := document("Monday", "1. Cold", "2. Quota", "3. Second").Markdown(&first); err != nil {
		t.Fatal(err)
	}
	d := document("Tuesday", "2. Quota")
	d.Keep(first.String())
	if err := d.Markdown(&second); err != nil {
		t.Fatal(err)
	}
	got := second.String()
	at := -1
	for _, want := range []string{"3 of 3 claims hold", "- date: Tuesday", "## 1. Cold", "Of Monday.", "Measured on Monday with Transship abc, by `bench`.",
		"## 2. Quota", "Of Tuesday.", "## 3. Second", "Of Monday.", "Measured on Monday"} {
		i := strings.Index(got[at+1:], want)
		if i < 0 {
			t.Fatalf("%q is not there, or not in its place:\n%s", want, got)
		}
		at += 1 + i
	}
}
