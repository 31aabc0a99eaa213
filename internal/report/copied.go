package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"transship/internal/document"
)

// unread says what of the workspace is not in the report.
func (m *maker) unread() (Section, []Decision) {
	if len(m.Unread) == 0 {
		return Section{}, nil
	}
	t := Table{ID: "unread-rows", Caption: "Documents that could not be read", Columns: columns("Document", Name, "Why, and what to do", Text)}
	for _, u := range m.Unread {
		t.Rows = append(t.Rows, []Cell{m.text(u.What), m.text(u.Why)})
	}
	t.Open = len(t.Rows)
	return Section{
		ID: "unread", Title: "What could not be read", Tone: Warn, Lead: "The report is without these, so it may say less than there is to know.", Tables: []Table{t},
	}, []Decision{{Tone: Warn, Text: m.Units.Count(len(m.Unread), "document") + " that could not be read: the report is without what they say"}}
}

// failures lists what went wrong in any stage, with what to do.
func (m *maker) failures() (Section, []Decision) {
	t := Table{ID: "failure-rows", Caption: "What failed, and why", Columns: columns("Stage", Status, "Image", Name, "What happened", Text, "To do", Text)}
	var decisions []Decision
	add := func(stage, said string, failures []document.Failure) {
		for _, f := range failures {
			name := m.source(f.Source)
			if name == "" {
				name = m.target(f.Target)
			}
			t.Rows = append(t.Rows, []Cell{{Text: stage, Tone: Bad}, m.text(cmp.Or(name, "the run")), m.text(f.What()), m.text(f.Hint)})
		}
		if n := len(failures); n > 0 {
			decisions = append(decisions, Decision{Tone: Bad, Text: m.Units.Count(n, "failure") + " " + said})
		}
	}
	if m.Results != nil {
		add("copy", "of the last copy", m.Results.Failures)
	}
	if m.Verification != nil {
		add("verify", "of the verification: what could not be looked at is not proved", m.Verification.Failures)
	}
	if m.Inventory != nil && m.Verification == nil {
		add("inventory", "of the inventory: what could not be listed is not in the plan", m.Inventory.Failures)
	}
	if m.Sync != nil {
		add("sync", "of the sync's last cycle", m.Sync.Cycle.Failures)
	}
	if len(t.Rows) == 0 {
		return Section{}, nil
	}
	t.Open = len(t.Rows)
	return Section{ID: "failures", Title: "What failed", Tone: Bad, Tables: []Table{t}}, decisions
}

// shards are the workers that copied a part each.
func (m *maker) shards() (Section, []Decision) {
	if len(m.Shards) == 0 {
		return Section{}, nil
	}
	t := Table{ID: "shard-rows", Caption: "Shards of the copy", Columns: columns(
		"Shard", Number, "State", Status, "Copied", Number, "There already", Number, "Failed", Number, "Read from ECR", Number, "Ended", Number, "Workspace", Name)}
	for _, s := range m.Shards {
		tone := Good
		if !s.Done {
			tone = Bad
		}
		t.Rows = append(t.Rows, []Cell{
			m.number(s.Index, Plain), {Text: s.State, Tone: tone}, m.number(s.Success, Plain), m.number(s.Skipped, Plain), m.number(s.Failed, Bad),
			m.bytes(s.BytesRead), when(s.EndedAt), m.text(strings.Join(s.Workspaces, ", ")),
		})
	}
	out := Section{ID: "shards", Title: "Workers", Lead: "Several workers copied a part of the plan each.", Tables: []Table{t}}
	if n := m.openShards(); n > 0 {
		out.Tone = Bad
		return out, []Decision{{Tone: Bad, Text: m.Units.Number(n) + " of " + m.Units.Count(len(m.Shards), "shard") + ` are not done: run "transship copy" again for them`}}
	}
	return out, nil
}

// place is what is known of one source repository.
type place struct {
	target                        string
	verified                      *document.VerifiedRepository
	images, tags                  int
	size                          int64
	ok, missing, mismatched, left int
}

// places are the source repositories that the documents know, by their full names.
func (m *maker) places() map[string]*place {
	all := map[string]*place{}
	at := func(name string) *place {
		if all[name] == nil {
			all[name] = &place{}
		}
		return all[name]
	}
	mine := func(name string) bool { return m.InWave == nil || m.InWave(name) }
	if m.Inventory != nil {
		for _, i := range m.Inventory.Source.Images {
			if name := i.URI.String(); mine(name) {
				p := at(name)
				p.images, p.tags, p.size = p.images+1, p.tags+len(i.Tags), p.size+i.Size
			}
		}
	}
	if m.Plan != nil {
		for _, i := range m.Plan.Images {
			for _, s := range i.Sources {
				at(s.String()).target = i.Target.String()
			}
		}
	}
	if m.Verification != nil {
		for n := range m.Verification.Repositories {
			r := &m.Verification.Repositories[n]
			p := at(r.Source.String())
			p.target, p.verified = r.Target.String(), r
			p.ok, p.missing, p.mismatched, p.left = len(r.Tags)+len(untagged(*r)), r.Missing, r.Mismatched, r.Excluded
		}
	}
	return all
}

// repositories show how far each source repository has come, and how large it is.
func (m *maker) repositories() (Section, []Decision) {
	places := m.places()
	if len(places) == 0 {
		return Section{}, nil
	}
	largest := int64(1)
	for _, p := range places {
		largest = max(largest, p.size)
	}
	t := Table{ID: "repository-rows", Caption: "Repositories, with what is verified and their size as ECR lists it", Columns: columns(
		"Repository", Name, "Verified", Share, "Missing", Number, "Different", Number, "Left out", Number, "Images", Number, "Size in ECR", Share, "Target", Name)}
	order := slices.Sorted(maps.Keys(places))
	slices.SortStableFunc(order, func(a, b string) int { return places[b].open() - places[a].open() })
	for _, name := range order {
		p := places[name]
		size, images := Cell{}, Cell{}
		if m.Inventory != nil {
			size = Cell{Text: m.Units.Bytes(p.size), Key: float64(p.size) / float64(largest), Keyed: true}
			images = m.number(p.images, Plain)
		}
		t.Rows = append(t.Rows, []Cell{
			m.text(m.source(name)), m.progress(p), m.number(p.missing, Bad), m.number(p.mismatched, Bad), m.number(p.left, Plain), images, size,
			m.text(m.target(p.target)),
		})
		if p.open() > 0 {
			t.Open++
		}
	}
	return Section{ID: "repositories", Title: "Progress by repository", Tables: []Table{t}}, nil
}

// open is how much of a repository wants attention.
func (p *place) open() int {
	n := p.missing + p.mismatched
	if p.verified == nil && p.target != "" {
		n++
	}
	return n
}

func (m *maker) progress(p *place) Cell {
	all := p.ok + p.missing + p.mismatched
	switch {
	case p.verified == nil && p.target == "":
		return Cell{Text: "nothing planned", Keyed: true, Key: 1}
	case p.verified == nil:
		return Cell{Text: "never verified", Keyed: true, Tone: Warn}
	case all == 0:
		return Cell{Text: "nothing to bring", Keyed: true, Key: 1}
	}
	c := Cell{Text: m.Units.Number(p.ok) + " of " + m.Units.Number(all), Key: float64(p.ok) / float64(all), Keyed: true, Tone: Good}
	if p.ok < all {
		c.Tone = Bad
	}
	return c
}

// kept are tags that somebody else moved at the target.
func (m *maker) kept() (Section, []Decision) {
	tags, lead := []document.Tag(nil), ""
	switch {
	case m.Results != nil:
		tags, lead = m.Results.Kept, "Somebody else moved these at the target, so the last copy left them as they are."
	case m.Plan != nil:
		tags, lead = m.Plan.Difference.ForeignTags, "Somebody else moved these at the target, so a copy will leave them as they are."
	}
	if len(tags) == 0 {
		return Section{}, nil
	}
	t := Table{ID: "kept-rows", Caption: "Tags that somebody else moved at the target", Columns: columns("Image at the target", Name, "Tag", Name, "Digest there", Digest)}
	for _, k := range tags {
		t.Rows = append(t.Rows, []Cell{m.text(m.target(k.Target.String())), m.text(k.Tag), m.text(k.Digest.String())})
	}
	t.Open = len(t.Rows)
	return Section{
			ID: "kept", Title: "Tags kept as somebody else moved them", Tone: Warn, Lead: lead + ` "transship copy --overwrite" moves them.`, Tables: []Table{t},
		}, []Decision{{
			Tone: Warn, Text: m.Units.Count(len(tags), "tag") + ` moved at the target by somebody else: leave as they are, or move with "transship copy --overwrite"`,
		}}
}

// leftOut lists what a rule leaves behind.
func (m *maker) leftOut() (Section, []Decision) {
	t := Table{ID: "left-out-rows", Caption: "What rules left out", Columns: columns("Rule", Status, "Image", Name, "Digest", Digest, "Why, and what to do", Text)}
	byRule := map[string]int{}
	add := func(rule, source, tag, digest, why string) {
		name := m.source(source)
		if tag != "" {
			name += ":" + m.Units.Clean(tag)
		}
		byRule[rule]++
		tone := Plain
		if decides(rule) {
			tone = Warn
		}
		t.Rows = append(t.Rows, []Cell{{Text: m.Units.Clean(rule), Tone: tone}, m.text(name), m.text(digest), m.text(why)})
	}
	if m.Verification != nil {
		for _, c := range m.Verification.Cases {
			if c.Kind == document.CaseExcluded {
				add(c.Rule, c.Source.String(), c.Tag, c.SourceDigest.String(), c.Cause)
			}
		}
	} else if m.Plan != nil {
		for _, r := range m.Plan.Refused {
			add(r.Rule, r.Source.String(), r.Tag, r.Digest.String(), r.Reason)
		}
	}
	if len(t.Rows) == 0 {
		return Section{}, nil
	}
	slices.SortStableFunc(t.Rows, func(a, b []Cell) int { return rank(b[0].Tone) - rank(a[0].Tone) })
	var decisions []Decision
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		if decides(rule) {
			t.Open += byRule[rule]
			decisions = append(decisions, Decision{Tone: Warn, Text: m.Units.Clean(m.Units.Count(byRule[rule], "reference") + " left behind: " + undecided[rule])})
		}
	}
	return Section{ID: "left-out", Title: "What was left out, and why", Lead: capped(&t, "verify.json"), Tables: []Table{t}}, decisions
}

// undecided says of rules what only a person can decide.
var undecided = map[string]string{
	document.RuleConflict:   "different content is mapped to one target",
	document.RuleName:       "Artifact Registry would refuse the name",
	document.RuleUnmapped:   "no mapping rule leads anywhere",
	document.RuleArchived:   "archived in ECR, so it must be restored first, or stays",
	document.RuleUnreadable: "the manifest cannot be read",
	document.RuleIncomplete: "something that they need is refused or missing",
}

func decides(rule string) bool { return undecided[rule] != "" }

// most is how many rows a table has: a page of more opens slowly, and nobody reads them.
const most = 50000

// capped leaves out what is too much of a table, and says so.
func capped(t *Table, where string) string {
	if len(t.Rows) <= most {
		return ""
	}
	t.LeftOut, t.Rows = len(t.Rows)-most, t.Rows[:most]
	return "Only the first 50,000 rows are here: " + where + " has all."
}
