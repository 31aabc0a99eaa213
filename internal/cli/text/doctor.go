package text

import (
	"io"
	"slices"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/doctor"
)

// Doctor says what was examined: a line a check, what mends it beneath.
func Doctor(w io.Writer, o Options, r doctor.Report) {
	p := newPage(w, o)
	r.Groups = slices.Clone(r.Groups)
	width := 0
	for n, g := range r.Groups {
		if !o.All {
			r.Groups[n].Checks = folded(g.Checks)
		}
		for _, c := range r.Groups[n].Checks {
			width = max(width, term.Width(checkName(c.Name)))
		}
	}
	width = min(width, maxCheckName)
	for n, g := range r.Groups {
		if n > 0 {
			p.blank()
		}
		p.title(groupTitle(g.Side), term.Clean(g.Subject))
		for _, c := range g.Checks {
			p.check(c, width)
		}
	}
	p.blank()
	p.prognosis(r)
	if r.Failed == 0 {
		p.say(0, `Next: "transship inventory" lists both sides; "transship migrate" does everything, once you agree.`, nil)
	}
}

// folded has the permissions that are there in one check, as long as nobody asks which they are.
func folded(checks []doctor.Check) []doctor.Check {
	given := func(c doctor.Check) bool { return c.Status == doctor.Pass && strings.HasPrefix(c.Detail, "allowed") }
	n := 0
	for _, c := range checks {
		if given(c) {
			n++
		}
	}
	if n < 2 {
		return checks
	}
	var out []doctor.Check
	for _, c := range checks {
		switch {
		case !given(c):
			out = append(out, c)
		case n > 0:
			out = append(out, doctor.Check{Name: "permissions", Status: doctor.Pass, Detail: term.Number(n) + " are there (-v names them)"})
			n = 0
		}
	}
	return out
}

// maxCheckName is how wide the names of checks may make their column.
const maxCheckName = 36

// checkName leaves out what all permissions of Google's begin with.
func checkName(name string) string {
	return strings.TrimPrefix(term.Clean(name), "artifactregistry.")
}

func groupTitle(side string) string {
	switch side {
	case doctor.SideSource:
		return "From"
	case doctor.SideTarget:
		return "To"
	}
	return "This machine"
}

// mark says at the beginning of a line what came of something.
type mark struct {
	sign  string
	style func(string) string
}

// check writes one line, and the rest of a long detail and the remedies below it.
func (p *page) check(c doctor.Check, width int) {
	m := mark{"✓", p.s.Good}
	switch c.Status {
	case doctor.Warn:
		m = mark{"!", p.s.Warn}
	case doctor.Fail:
		m = mark{"✗", p.s.Bad}
	case doctor.Skip:
		m = mark{"-", p.s.Faint}
	}
	p.marked(m, checkName(c.Name), width, c.Detail, c.Remedy)
}

// marked writes a mark and a name, beside them a text, and below that what to do.
func (p *page) marked(m mark, name string, width int, text string, remedies []string) {
	indent := item + 2 + width + 2
	head := m.style(m.sign) + " " + name + strings.Repeat(" ", max(2, width-term.Width(name)+2))
	space := 0
	if p.o.Width > 0 {
		space = max(20, p.o.Width-indent)
	}
	lines := term.Wrap(term.Clean(text), space)
	if len(lines) == 0 {
		lines = []string{""}
	}
	for n, line := range lines {
		if m.sign == "-" {
			line = p.s.Faint(line)
		}
		if n == 0 {
			p.line(item, head+line)
		} else {
			p.line(indent, line)
		}
	}
	for _, remedy := range remedies {
		p.remedy(indent, remedy)
	}
}

// remedy writes what is to be copied whole, however long it is: a command that is cut is none.
func (p *page) remedy(indent int, text string) {
	text = term.Clean(text)
	if !isCommand(text) {
		p.say(indent, "→ "+text, nil)
		return
	}
	_, _ = io.WriteString(p.w, strings.Repeat(" ", indent)+p.s.Faint("→")+" "+p.s.Bold(text)+"\n")
}

// isCommand reports whether text is for a shell or a policy rather than for reading.
func isCommand(text string) bool {
	for _, prefix := range []string{"aws ", "gcloud ", "export ", "transship ", "sudo ", "{"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

func (p *page) prognosis(r doctor.Report) {
	counts := term.Count(r.Passed, "check") + " passed"
	if r.Warned > 0 {
		counts += ", " + term.Count(r.Warned, "warning")
	}
	if r.Failed > 0 {
		counts += ", " + term.Number(r.Failed) + " failed"
	}
	if r.Skipped > 0 {
		counts += ", " + term.Number(r.Skipped) + " not asked"
	}
	switch {
	case r.Failed > 0:
		p.say(0, counts+". A migration would fail.", p.s.Bad)
	case r.Warned > 0:
		p.say(0, counts+". A migration can run.", p.s.Warn)
	default:
		p.say(0, counts+". A migration can run.", p.s.Good)
	}
}
