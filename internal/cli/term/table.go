package term

import (
	"io"
	"strings"
)

// Column is one column of a Table.
type Column struct {
	Head   string
	Right  bool                // numbers
	Shrink bool                // where the width does not suffice, the middle is cut out
	Mark   func(string) string // of a Style; may be nil
}

// minShrunk is how many columns a shrunken column keeps.
const minShrunk = 8

const gap = 2

// Table is rows of aligned columns.
type Table struct {
	Columns []Column
	Indent  int
	rows    [][]string
}

// Row adds a row. The cells are cleaned; missing ones are empty.
func (t *Table) Row(cells ...string) {
	row := make([]string, len(t.Columns))
	for i := range row {
		if i < len(cells) {
			row[i] = Clean(cells[i])
		}
	}
	t.rows = append(t.rows, row)
}

// Len is how many rows there are.
func (t *Table) Len() int { return len(t.rows) }

// Write writes the table with lines of at most width columns, 0 for no bound. A table without rows writes nothing;
// columns without heads have no line of heads. What the writer thinks of it is its owner's matter.
func (t *Table) Write(w io.Writer, s Style, width int) {
	if len(t.rows) == 0 {
		return
	}
	widths, heads := t.widths(), ""
	for _, c := range t.Columns {
		heads += c.Head
	}
	if width > 0 {
		t.shrink(widths, width)
	}
	var b strings.Builder
	if heads != "" {
		cells := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			cells[i] = c.Head
		}
		t.line(&b, cells, widths, width, func(Column) func(string) string { return s.Faint })
	}
	for _, row := range t.rows {
		t.line(&b, row, widths, width, func(c Column) func(string) string { return c.Mark })
	}
	_, _ = io.WriteString(w, b.String())
}

func (t *Table) widths() []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = Width(c.Head)
		for _, row := range t.rows {
			widths[i] = max(widths[i], Width(row[i]))
		}
	}
	return widths
}

// shrink takes what is too much from the widest columns that may shrink.
func (t *Table) shrink(widths []int, width int) {
	total := t.Indent + gap*(len(widths)-1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := -1
		for i, c := range t.Columns {
			if c.Shrink && widths[i] > minShrunk && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func (t *Table) line(b *strings.Builder, cells []string, widths []int, width int, mark func(Column) func(string) string) {
	var line strings.Builder
	line.WriteString(strings.Repeat(" ", t.Indent))
	space := ""
	for i, c := range t.Columns {
		cell := cells[i]
		if c.Shrink {
			cell = Middle(cell, widths[i])
		}
		padded := pad(cell, widths[i], c.Right)
		before, after, _ := strings.Cut(padded, cell)
		if m := mark(c); m != nil && cell != "" {
			cell = m(cell)
		}
		if cell != "" {
			line.WriteString(space + before + cell)
			space = after
		} else {
			space += padded
		}
		space += strings.Repeat(" ", gap)
	}
	text := line.String()
	if width > 0 {
		text = Fit(text, width)
	}
	b.WriteString(text + "\n")
}
