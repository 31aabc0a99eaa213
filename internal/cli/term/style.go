package term

// Style marks words by what they mean. The zero value marks nothing.
type Style struct{ color bool }

// NewStyle returns a style that uses colours, or one that marks nothing.
func NewStyle(color bool) Style { return Style{color} }

// Good marks what is right.
func (s Style) Good(text string) string { return s.mark("32", text) }

// Bad marks what failed.
func (s Style) Bad(text string) string { return s.mark("31", text) }

// Warn marks what wants attention.
func (s Style) Warn(text string) string { return s.mark("33", text) }

// Faint marks what may be passed over.
func (s Style) Faint(text string) string { return s.mark("2", text) }

// Bold marks what is read first.
func (s Style) Bold(text string) string { return s.mark("1", text) }

// Heading marks the title of a section.
func (s Style) Heading(text string) string { return s.mark("1;36", text) }

func (s Style) mark(code, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + reset
}

const reset = "\x1b[0m"
