package text

import (
	"io"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/document"
)

// Cutover says of each check of the gate what came of it. path and script are where the document and leave.sh are.
func Cutover(w io.Writer, o Options, c document.Cutover, path, script string) {
	p := newPage(w, o)
	title := "Is it safe to switch?"
	if c.Leave {
		title = "Is it safe to leave ECR?"
	}
	p.title(title, "")
	width := 0
	for _, check := range c.Checks {
		width = max(width, term.Width(check.Name))
	}
	for _, check := range c.Checks {
		p.gateCheck(check, width)
	}
	if !p.o.All {
		p.line(item, p.s.Faint("(-v shows all the evidence)"))
	}
	p.blank()
	p.gateVerdict(c)
	if len(c.Removable) > 0 {
		p.removable(c, script)
	}
	p.written(path)
}

// gateCheck writes what a check found: of one that passed the first evidence, with -v all; of another, all, and what to do.
func (p *page) gateCheck(c document.GateCheck, width int) {
	evidence := c.Evidence
	m := mark{"✗", p.s.Bad}
	switch c.State {
	case document.CheckPass:
		m = mark{"✓", p.s.Good}
		if !p.o.All && len(evidence) > 1 {
			evidence = evidence[:1]
		}
	case document.CheckUnknown:
		m = mark{"?", p.s.Warn}
	}
	if c.State == document.CheckPass {
		c.Do = nil
	}
	p.marked(m, c.Name, width, strings.Join(evidence, " "), c.Do)
}

func (p *page) gateVerdict(c document.Cutover) {
	what := "to switch"
	if c.Leave {
		what = "to leave ECR"
	}
	if c.Open() {
		p.say(0, "The gate is open: it is safe "+what+".", p.s.Good)
		return
	}
	var parts []string
	if c.Fail > 0 {
		parts = append(parts, term.Number(c.Fail)+" of "+term.Count(len(c.Checks), "check")+" failed")
	}
	if c.Unknown > 0 {
		parts = append(parts, term.Number(c.Unknown)+" unknown")
	}
	p.say(0, "The gate is closed: "+strings.Join(parts, ", ")+".", p.s.Bad)
}

// removable says what is safe to delete.
func (p *page) removable(c document.Cutover, script string) {
	images, bytes, whole := 0, int64(0), 0
	for _, r := range c.Removable {
		images += len(r.Digests)
		bytes += r.Bytes
		if r.Whole {
			whole++
		}
	}
	p.say(0, "Safe to delete in ECR: "+term.Count(images, "image")+" of "+term.Count(len(c.Removable), "repository")+" ("+term.Bytes(bytes)+" as ECR counts), "+
		term.Number(whole)+" of them as a whole. Not safe: "+term.Count(len(c.Retained), "image")+".", nil)
	p.say(0, "Transship deletes nothing. Read "+script+", which shows what it would delete, and does it with --delete.", nil)
}
