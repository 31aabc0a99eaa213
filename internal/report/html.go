package report

import (
	_ "embed" // the page, its style and its script
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

// How many rows of a table are in the page itself. The script brings the others, a window at a time; without it, what needs
// attention, which comes first, is there all the same.
const (
	window    = 50
	attention = 500
)

func inPage(t Table) int { return min(len(t.Rows), max(window, min(t.Open, attention))) }

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(style) }, //nolint:gosec // our own
	"script": func() template.JS { return template.JS(script) },  //nolint:gosec // our own
	"moment": moment,
	"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"tone":   func(s State) Tone { return s.tone() },
	"mark":   mark,
	"inPage": inPage,
	"rows":   rowCount,
	"more":   func(t Table) bool { return len(t.Rows) > inPage(t) },
	"first":  func(t Table) [][]Cell { return t.Rows[:inPage(t)] },
	"cells":  shownCells,
	"data":   func(t Table) any { return map[string]any{"columns": t.Columns, "rows": t.Rows} },
}).Parse(page))

// HTML writes the report as one page that asks nothing of any network.
func HTML(w io.Writer, r Report) error { return pageTemplate.Execute(w, r) }

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
