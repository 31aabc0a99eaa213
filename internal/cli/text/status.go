package text

import (
	"cmp"
	"io"
	"time"

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
		when := ""
		if !wave.Oldest.IsZero() {
			when = term.Age(wave.Oldest, o.Now)
		}
		t.Row(waveName(wave), string(wave.State), term.Number(wave.Repositories), term.Number(wave.Images), term.Number(wave.Tags), term.Number(wave.Verified), when)
	}
	p.table(&t)
	p.troubles(s.Waves)
	p.syncs(s.Waves)
	p.references(s.Rewrite)
	if n := len(s.Unassigned); n > 0 {
		p.section("No wave claims", term.Count(n, "repository"))
		most := p.most(n, maxNames)
		for _, r := range s.Unassigned[:most] {
			p.line(item, term.Clean(r.String()))
		}
		p.more(item, n-most, " (-v shows all)")
	}
}

// waveName is what a wave is called; the whole migration has none.
func waveName(wave stage.WaveStatus) string { return cmp.Or(wave.Name, "all") }

// syncs says how the sync of each wave stands.
func (p *page) syncs(waves []stage.WaveStatus) {
	t := term.Table{Indent: item, Columns: []term.Column{
		{Head: "Wave", Shrink: true}, {Head: "Behind", Right: true}, {Head: "Failures", Right: true}, {Head: "Deletions", Right: true},
		{Head: "Parked", Right: true}, {Head: "All well (UTC)"},
	}}
	for _, wave := range waves {
		if wave.Sync == nil {
			continue
		}
		s, good := wave.Sync, "never"
		if !s.LastSuccess.IsZero() {
			good = moment(s.LastSuccess)
		}
		t.Row(waveName(wave), term.Number(s.Behind), term.Number(s.Failures), term.Number(s.Deletions), term.Number(s.Parked), good)
	}
	if t.Len() > 0 {
		p.section("Sync", "")
		p.table(&t)
	}
}

// moment is when something was, to the minute.
func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04") }

// references says what the last rewrite left of the team's files.
func (p *page) references(r *stage.RewriteStatus) {
	if r == nil {
		return
	}
	done := " would be moved"
	if r.Written {
		done = " moved"
	}
	p.section("References", term.Count(r.Edits, "reference")+done+", "+moment(r.MadeAt)+" UTC")
	if r.Findings > 0 {
		p.say(item, term.Count(r.Findings, "finding")+" to decide about: see rewrite.json.", p.s.Warn)
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
		t.Row(waveName(wave), term.Number(wave.Failed), term.Number(wave.Missing), term.Number(wave.Mismatched), term.Number(wave.Excluded))
	}
	if t.Len() > 0 {
		p.section("What is left", "")
		p.table(&t)
	}
}
