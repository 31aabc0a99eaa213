package text

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"transship/internal/cli/term"
	"transship/internal/registry"
	"transship/internal/stage"
)

// unseenCell stands where a look saw nothing of what a column is about.
const unseenCell = "?"

// Status says where each wave stands, on one screen.
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
	p.waves(s)
	p.troubles(s.Waves)
	var rest strings.Builder
	q := newPage(&rest, o)
	q.seen(s)
	q.syncs(s)
	q.references(s.Rewrite)
	q.gates(s)
	q.outside(s)
	if rest.Len() > 0 {
		p.blank()
		_, _ = io.WriteString(w, rest.String())
	}
	if s.Next.Command == "" {
		p.next("Nothing is left to do.")
		return
	}
	step := "Next: " + term.Clean(s.Next.Command)
	if why := " (" + s.Next.Why + ")"; o.All || o.Width == 0 || term.Width(step+why) <= o.Width {
		step += why // where it costs no line
	}
	p.next(step)
}

// waves is a line for each: what the documents say, and beside it, what the look saw. A column that would be empty in all
// lines is left out.
func (p *page) waves(s stage.Status) {
	differ, gone := false, false
	for _, wave := range s.Waves {
		if n := wave.Now; n != nil {
			differ = differ || n.Target != nil && n.Target.Differ > 0
			gone = gone || n.Source != nil && n.Source.Gone > 0
		}
	}
	t := term.Table{Indent: item, Columns: []term.Column{
		{Head: "Wave", Shrink: true}, {Head: "State", Mark: p.state}, {Head: "Verified", Right: true}, {Head: "When"},
	}}
	if s.Look != nil {
		t.Columns = append(t.Columns, term.Column{Head: "In place now", Right: true})
		if differ {
			t.Columns = append(t.Columns, term.Column{Head: "Differ", Right: true, Mark: p.s.Warn})
		}
		t.Columns = append(t.Columns, term.Column{Head: "Pushed", Right: true, Mark: p.s.Warn})
		if gone {
			t.Columns = append(t.Columns, term.Column{Head: "Gone", Right: true})
		}
	}
	for _, wave := range s.Waves {
		row := []string{waveName(wave), string(wave.State), "", ""}
		if wave.State != stage.StateNew {
			row[2] = term.Number(wave.Verified) + "/" + term.Number(wave.Repositories)
		}
		if !wave.Oldest.IsZero() {
			row[3] = p.ago(wave.Oldest)
		}
		t.Row(append(row, nowCells(wave, s.Look != nil, differ, gone)...)...)
	}
	p.table(&t)
}

// state marks the state of a wave by what it asks for.
func (p *page) state(text string) string {
	switch stage.State(strings.TrimSpace(text)) {
	case stage.StateVerified:
		return p.s.Good(text)
	case stage.StateIncomplete:
		return p.s.Bad(text)
	case stage.StateStale:
		return p.s.Warn(text)
	}
	return text
}

// nowCells are what the look saw of a wave.
func nowCells(wave stage.WaveStatus, looked, differ, gone bool) []string {
	if !looked {
		return nil
	}
	inPlace, differs, pushed, went := unseenCell, unseenCell, unseenCell, unseenCell
	if n := wave.Now; n == nil {
		inPlace, differs, pushed, went = "", "", "", ""
	} else {
		if n.Target != nil {
			inPlace, differs = term.Number(n.Target.InPlace)+"/"+term.Number(n.Target.References), some(n.Target.Differ)
		} else if wave.State == stage.StateListed {
			inPlace, differs = "", ""
		}
		if n.Source != nil {
			pushed, went = some(n.Source.Pushed+n.Source.Moved), some(n.Source.Gone)
		}
	}
	cells := []string{inPlace}
	if differ {
		cells = append(cells, differs)
	}
	cells = append(cells, pushed)
	if gone {
		cells = append(cells, went)
	}
	return cells
}

// some is a number that is worth a look only where it is not 0.
func some(n int) string {
	if n == 0 {
		return "-"
	}
	return term.Number(n)
}

// waveName is what a wave is called; the whole migration has none.
func waveName(wave stage.WaveStatus) string { return cmp.Or(wave.Name, "all") }

// ago says how long ago something was, or when, where that is not known.
func (p *page) ago(at time.Time) string {
	switch d := p.o.Now.Sub(at); {
	case p.o.Now.IsZero():
		return moment(at)
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return term.Number(int(d/time.Minute)) + " min ago"
	case d < 24*time.Hour:
		return term.Number(int(d/time.Hour)) + " h ago"
	}
	return term.Age(at, p.o.Now)
}

// moment is when something was, to the minute.
func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04") }

// seen says of each side what the look saw, or why it did not.
func (p *page) seen(s stage.Status) {
	if s.Look == nil {
		return
	}
	var again []string
	pushed, moved, gone, absent, differ, source, target := 0, 0, 0, 0, 0, false, false
	for _, wave := range s.Waves {
		n := wave.Now
		if n == nil {
			continue
		}
		if n.VerifyAgain {
			again = append(again, waveName(wave))
		}
		if n.Source != nil {
			source, pushed, moved, gone = true, pushed+n.Source.Pushed, moved+n.Source.Moved, gone+n.Source.Gone
		}
		if n.Target != nil {
			target, absent, differ = true, absent+n.Target.Absent, differ+n.Target.Differ
		}
	}
	if source {
		text := fmt.Sprintf("%s pushed, %s moved, %s gone since", term.Number(pushed), term.Number(moved), term.Number(gone))
		if !s.Look.LastPush.IsZero() {
			text += "; last push " + p.ago(s.Look.LastPush)
		}
		p.labelled("ECR now", text, nil)
	}
	p.unseen(s.Look, registry.Source, "ECR now")
	if target {
		text := "everything planned is in place"
		if absent+differ > 0 {
			text = fmt.Sprintf("%s not listed, %s with another digest", term.Number(absent), term.Number(differ))
		}
		p.labelled("target now", text, nil)
	}
	p.unseen(s.Look, registry.Target, "target now")
	if len(again) > 0 {
		p.labelled("verify", "again: "+strings.Join(again, ", ")+" changed after the verification", p.s.Warn)
	}
}

// unseen says what could not be seen of a side, and why.
func (p *page) unseen(l *stage.QuickLook, side registry.Side, label string) {
	for _, u := range l.Unseen {
		if u.Side != side {
			continue
		}
		what := "not seen"
		if u.Repositories > 0 {
			what = term.Count(u.Repositories, "repository") + " not seen"
		}
		text := what + ": " + p.cause(u)
		if u.Hint != "" {
			text += " (" + u.Hint + ")"
		}
		p.labelled(label, text, p.s.Warn)
	}
}

// cause is why something was not seen, in about a line; -v and --json have all of it.
func (p *page) cause(u stage.Unseen) string {
	if p.o.All || p.o.Width == 0 {
		return u.Error
	}
	cause := term.Clean(u.Error)
	if _, after, ok := strings.Cut(cause, u.Object); ok && u.Object != "" { // what was asked of whom stands there already
		if _, rest, ok := strings.Cut(after, ": "); ok {
			cause = rest
		}
	}
	return term.Fit(cause, p.o.Width)
}

// syncs says how the sync stands, of all waves together.
func (p *page) syncs(whole stage.Status) {
	waves := append([]stage.WaveStatus{{Sync: whole.Sync}}, whole.Waves...)
	var sum stage.SyncStatus
	var never []string
	n := 0
	for _, wave := range waves {
		s := wave.Sync
		if s == nil {
			continue
		}
		n++
		sum.Behind, sum.Failures, sum.Deletions, sum.Parked = sum.Behind+s.Behind, sum.Failures+s.Failures, sum.Deletions+s.Deletions, sum.Parked+s.Parked
		if s.LastSuccess.IsZero() {
			never = append(never, waveName(wave))
		} else if sum.LastSuccess.IsZero() || s.LastSuccess.Before(sum.LastSuccess) {
			sum.LastSuccess = s.LastSuccess
		}
	}
	if n == 0 {
		return
	}
	text := fmt.Sprintf("%s behind, %s", term.Number(sum.Behind), term.Count(sum.Failures, "failure"))
	if sum.Deletions > 0 {
		text += ", " + term.Count(sum.Deletions, "deletion") + " not followed"
	}
	if sum.Parked > 0 {
		text += ", " + term.Count(sum.Parked, "message") + " parked"
	}
	mark := p.s.Warn
	switch {
	case len(never) > 0:
		text += "; never all well: " + strings.Join(never, ", ")
	default:
		text += "; all well " + p.ago(sum.LastSuccess)
		if sum.Behind+sum.Failures == 0 {
			mark = nil
		}
	}
	p.labelled("sync", text, mark)
}

// references says what the last rewrite left of the team's files.
func (p *page) references(r *stage.RewriteStatus) {
	if r == nil {
		return
	}
	done := " would be moved"
	if r.Written {
		done = " moved"
	}
	text, mark := term.Count(r.Edits, "reference")+done+" "+p.ago(r.MadeAt), func(s string) string { return s }
	if r.Findings > 0 {
		text, mark = text+"; "+term.Count(r.Findings, "finding")+" to decide about (rewrite.json)", p.s.Warn
	}
	p.labelled("references", text, mark)
}

// gates says what the last checks of the cut-over said: of the whole, and of the waves that were checked by themselves.
func (p *page) gates(s stage.Status) {
	if s.Cutover != nil {
		p.gate("", *s.Cutover)
	}
	var open []string
	for _, wave := range s.Waves {
		switch c := wave.Cutover; {
		case c == nil:
		case c.Open && !c.Leave:
			open = append(open, waveName(wave))
		default:
			p.gate(waveName(wave)+" ", *c)
		}
	}
	if len(open) > 0 {
		p.labelled("cut-over", "open: "+strings.Join(open, ", "), p.s.Good)
	}
}

// gate is one of them.
func (p *page) gate(of string, c stage.CutoverStatus) {
	text := of + "checked " + p.ago(c.CheckedAt) + ": "
	if c.Leave {
		text = of + "to leave ECR, checked " + p.ago(c.CheckedAt) + ": "
	}
	if c.Open {
		p.labelled("cut-over", text+"open", p.s.Good)
		return
	}
	var parts []string
	if n := len(c.Failing); n > 0 {
		verb := " fail"
		if n == 1 {
			verb = " fails"
		}
		parts = append(parts, term.Number(n)+verb+" ("+strings.Join(c.Failing, ", ")+")")
	}
	if n := len(c.Unknown); n > 0 {
		parts = append(parts, term.Number(n)+" unknown ("+strings.Join(c.Unknown, ", ")+")")
	}
	p.labelled("cut-over", text+strings.Join(parts, ", "), p.s.Warn)
}

// outside says what nobody moves: what rules leave out, and what no wave claims.
func (p *page) outside(s stage.Status) {
	excluded := 0
	for _, wave := range s.Waves {
		excluded += wave.Excluded
	}
	if excluded > 0 && p.o.All { // "transship verify" says it, too
		p.labelled("left out", term.Count(excluded, "reference")+" by rules (verify.json)", nil)
	}
	n := len(s.Unassigned)
	if n == 0 {
		return
	}
	names := slices.Clone(s.Unassigned)[:p.most(n, 1)]
	text := term.Count(n, "repository") + " that no wave claims:"
	for i, r := range names {
		if i > 0 {
			text += ","
		}
		text += " " + r.Name
	}
	if more := n - len(names); more > 0 {
		text += " and " + term.Number(more) + " more (-v shows all)"
	}
	p.labelled("unclaimed", text, p.s.Warn)
}

// troubles says what stands between a wave and its end.
func (p *page) troubles(waves []stage.WaveStatus) {
	t := term.Table{Indent: item, Columns: []term.Column{
		{Head: "Wave", Shrink: true}, {Head: "Failed", Right: true}, {Head: "Missing", Right: true}, {Head: "Mismatched", Right: true}, {Head: "Left out", Right: true},
	}}
	for _, wave := range waves {
		if wave.Failed+wave.Missing+wave.Mismatched > 0 {
			t.Row(waveName(wave), term.Number(wave.Failed), term.Number(wave.Missing), term.Number(wave.Mismatched), term.Number(wave.Excluded))
		}
	}
	if t.Len() > 0 {
		p.section("What is left", "")
		p.table(&t)
	}
}
