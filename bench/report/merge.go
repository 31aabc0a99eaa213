package report

import (
	"fmt"
	"regexp"
	"strings"
)

// measured begins the line that says when a section was measured.
const measured = "Measured on "

// Stamp is that line, of a section that this run measured.
func (d *Document) Stamp() string {
	return fmt.Sprintf("%s%s with Transship %s, by %s.", measured, d.fact("date"), d.fact("Transship"), d.fact("command"))
}

func (d *Document) fact(name string) string {
	for _, f := range d.Facts {
		if f[0] == name {
			return f[1]
		}
	}
	return "?"
}

// section finds the sections of a document in Markdown, whose titles begin with a number.
var section = regexp.MustCompile(`(?m)^## (\d+\. .*)$`)

// Keep takes over from an earlier document, in Markdown, the sections that this run did not measure. Each section is one
// run and says of which it is; their figures are not compared with each other.
func (d *Document) Keep(earlier string) {
	at := section.FindAllStringSubmatchIndex(earlier, -1)
	if len(at) == 0 {
		return
	}
	was := &Document{}
	for line := range strings.Lines(earlier[:at[0][0]]) {
		if name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "- "), ": "); ok {
			was.Facts = append(was.Facts, [2]string{name, value})
		}
	}
	for i, m := range at {
		end := len(earlier)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		body := strings.TrimSpace(earlier[m[1]:end])
		if !strings.Contains(body, measured) {
			body += "\n\n" + was.Stamp()
		}
		d.kept = append(d.kept, &Section{Title: earlier[m[2]:m[3]], text: body})
	}
}
