package report

import (
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"time"
)

//go:embed page.html
var page string

//go:embed style.css
var style string

//go:embed script.js
var script string

// How many rows of a table there are: window in the page itself, where the script brings the others, as many at a time;
// paper on paper, and in the page of those that need attention, for readers without scripts.
const (
	window = 50
	paper  = 1000
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(style) }, //nolint:gosec // our own
	"script": func() template.JS { return template.JS(script) },  //nolint:gosec // our own
	"moment": moment,
	"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"tone":   func(s State) Tone { return s.tone() },
	"mark":   mark,
	"policy": policy,
	"rows":   rowCount,
	"first":  func(t Table) [][]Cell { return t.Rows[:inPage(t)] },
	"cut":    cut,
	"cells":  shownCells,
	"data": func(t Table) any {
		return map[string]any{"columns": t.Columns, "rows": t.Rows, "leftOut": t.LeftOut, "window": window, "paper": paper}
	},
}).Parse(page))

// HTML writes the report as one page that asks nothing of any network.
func HTML(w io.Writer, r Report) error { return pageTemplate.Execute(w, r) }

// policy lets nothing run but the page's own script.
func policy() string {
	sum := sha256.Sum256([]byte(script))
	return "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
}

// inPage is how many rows of a table are in the page itself.
func inPage(t Table) int { return min(len(t.Rows), max(window, min(t.Open, paper))) }

// cut says to those without scripts what of a table they do not see; nothing where they see all.
func cut(t Table) string {
	shown, all := inPage(t), len(t.Rows)+t.LeftOut
	if shown == all {
		return ""
	}
	text := fmt.Sprintf("Without JavaScript, these are the first %d of %d rows", shown, all)
	switch {
	case t.Open > shown:
		text += fmt.Sprintf(", of which %d need attention", t.Open)
	case t.Open > 0:
		text += fmt.Sprintf(": all %d that need attention are among them", t.Open)
	}
	return text + ". Allow it to see, sort and filter the others; the documents of the workspace have them, too."
}

// tone is how a state is to be taken.
func (s State) tone() Tone {
	switch s {
	case StateComplete:
		return Good
	case StateIncomplete:
		return Bad
	case StateEmpty:
		return Plain
	}
	return Warn
}

// mark says a tone in a word, for those who see no colours.
func mark(t Tone) string {
	if t == Bad {
		return "Mend"
	}
	return "Decide"
}

func rowCount(t Table) string {
	n := len(t.Rows) + t.LeftOut
	if n == 1 {
		return "1 row"
	}
	return strconv.Itoa(n) + " rows"
}

// shownCell is a cell with what its column says of it.
type shownCell struct {
	Cell
	Kind    Kind
	Label   string
	Percent int
}

func shownCells(t Table, row []Cell) []shownCell {
	out := make([]shownCell, 0, len(row))
	for n, c := range row {
		out = append(out, shownCell{Cell: c, Kind: t.Columns[n].Kind, Label: t.Columns[n].Name, Percent: int(math.Round(100 * min(1, max(0, c.Key))))})
	}
	return out
}
