package text

import (
	"io"
	"strconv"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/stage"
)

// Joined says what several machines did that copied parts of one plan.
func Joined(w io.Writer, o Options, j stage.Joined) {
	p, n := newPage(w, o), newNames(j.Migration)
	done := len(j.Shards) - j.Open()
	if done == len(j.Shards) {
		p.say(0, "All of "+term.Count(len(j.Shards), "shard")+" done: "+pieces(j.Success+j.Skipped)+" at the target", p.s.Good)
	} else {
		p.say(0, term.Number(done)+" of "+term.Count(len(j.Shards), "shard")+" done", p.s.Warn)
	}
	p.resultsCounts(document.Results{
		Success: j.Success, Failed: j.Failed, Skipped: j.Skipped, Traffic: j.Traffic, StartedAt: j.StartedAt, EndedAt: j.EndedAt,
	})
	p.shards(j)
	if len(j.Failures) > 0 {
		p.section("Failed", p.s.Bad(term.Number(len(j.Failures))))
		p.failures(j.Failures, n, "")
	}
	p.tags("Kept", `somebody else moved them at the target; "copy --overwrite" takes them`, j.Kept, n, "")
	p.tags("Gone", "deleted at the source since the plan was made", j.Gone, n, "")
	if len(j.Without) > 0 {
		p.section("Workspaces without results yet", term.Number(len(j.Without)))
		most := p.most(len(j.Without), maxNames)
		for _, dir := range j.Without[:most] {
			p.line(item, term.Clean(dir))
		}
		p.more(item, len(j.Without)-most, " (-v shows all)")
	}
	if done < len(j.Shards) {
		p.next(`Next: run "transship copy" again for the shards that are not done, with the plan that the others had.`)
	} else {
		p.next(`Next: "transship verify" proves that everything arrived.`)
	}
}

// shards lists those that are not done, by their state.
func (p *page) shards(j stage.Joined) {
	t := term.Table{Indent: item, Columns: []term.Column{
		{Head: "Shards"}, {Head: "State"}, {Head: "Copied", Right: true}, {Head: "Failed", Right: true}, {Head: "Workspace", Shrink: true},
	}}
	var missing []string
	for _, s := range j.Shards {
		switch s.State {
		case stage.ShardDone:
		case stage.ShardMissing:
			missing = append(missing, strconv.Itoa(s.Index))
		default:
			t.Row(strconv.Itoa(s.Index), string(s.State), term.Number(s.Success), term.Number(s.Failed), term.Clean(s.Workspaces[0]))
		}
	}
	if len(missing) > 0 {
		most := p.most(len(missing), maxNames)
		text := strings.Join(missing[:most], ", ")
		if most < len(missing) {
			text += " and " + term.Number(len(missing)-most) + " more (-v shows all)"
		}
		p.labelled("missing", text, nil)
	}
	if t.Len() > 0 {
		p.section("Not done", "")
		p.table(&t)
	}
}
