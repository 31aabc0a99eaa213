package text

import (
	"io"

	"transship/internal/cli/term"
	"transship/internal/stage"
)

// Status says where each wave stands.
func Status(w io.Writer, o Options, s stage.Status) {
	p := newPage(w, o)
	p.title("Status", "")
	for _, r := range s.Migration.Sources {
		p.labelled("from", r.String(), nil)
	}
	if s.Migration.Target != "" {
		p.labelled("to", s.Migration.Target, nil)
	}
	p.blank()
	t := term.Table{Indent: item, Columns: []term.Column{
		{Head: "Wave", Shrink: true}, {Head: "State"}, {Head: "Repositories", Right: true}, {Head: "Images", Right: true},
		{Head: "Tags", Right: true}, {Head: "Verified", Right: true}, {Head: "When"},
	}}
	for _, wave := range s.Waves {
		name, when := wave.Name, ""
		if name == "" {
			name = "all"
		}
		if !wave.Oldest.IsZero() {
			when = term.Age(wave.Oldest, o.Now)
		}
		t.Row(name, string(wave.State), term.Number(wave.Repositories), term.Number(wave.Images), term.Number(wave.Tags), term.Number(wave.Verified), when)
	}
	p.table(&t)
	p.troubles(s.Waves)
	if n := len(s.Unassigned); n > 0 {
		p.section("No wave claims", term.Count(n, "repository"))
		most := p.most(n, maxNames)
		for _, r := range s.Unassigned[:most] {
			p.line(item, term.Clean(r.String()))
		}
		p.more(item, n-most, " (-v shows all)")
	}
}

// troubles says what stands between a wave and its end.
func (p *page) troubles(waves []stage.WaveStatus) {
	t := term.Table{Indent: item, Columns: []term.Column{
		{Head: "Wave", Shrink: true}, {Head: "Failed", Right: true}, {Head: "Missing", Right: true}, {Head: "Mismatched", Right: true}, {Head: "Left out", Right: true},
	}}
	for _, wave := range waves {
		if wave.Failed+wave.Missing+wave.Mismatched+wave.Excluded == 0 {
			continue
		}
		name := wave.Name
		if name == "" {
			name = "all"
		}
		t.Row(name, term.Number(wave.Failed), term.Number(wave.Missing), term.Number(wave.Mismatched), term.Number(wave.Excluded))
	}
	if t.Len() > 0 {
		p.section("What is left", "")
		p.table(&t)
	}
}
