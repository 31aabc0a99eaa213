package report

import (
	"maps"
	"slices"
	"strings"

	"transship/internal/document"
)

// governance tells of every setting that guards images where it went.
func (m *maker) governance() (Section, []Decision) {
	g := m.Governance
	if g == nil {
		return Section{}, nil
	}
	t := Table{ID: "governance-rows", Caption: "Settings that guard images, and what became of them", Columns: columns(
		"Where", Name, "Setting", Text, "In ECR", Text, "In Artifact Registry", Text, "Fate", Status, "To know", Text, "To decide", Text)}
	open := map[string]int{}
	add := func(where string, list []document.Translation) {
		for _, s := range list {
			tone := Plain
			switch {
			case s.Decide != "":
				tone = Warn
				open[s.Setting]++
			case s.Fate == document.FateExact:
				tone = Good
			}
			setting := s.Setting
			if s.Item != "" {
				setting += " " + s.Item
			}
			t.Rows = append(t.Rows, []Cell{
				m.text(where), m.text(setting), m.text(s.Was), m.text(s.Becomes), {Text: m.Units.Clean(string(s.Fate)), Tone: tone}, m.text(s.Reason), m.text(s.Decide),
			})
		}
	}
	for _, r := range g.Registries {
		add(r.Source.String(), r.Settings)
	}
	for _, r := range g.Repositories {
		if m.InWave == nil || m.InWave(r.Source.String()) {
			add(m.source(r.Source.String()), r.Settings)
		}
	}
	for _, r := range g.Targets {
		add(r.Target.String(), r.Settings)
	}
	slices.SortStableFunc(t.Rows, func(a, b []Cell) int { return rank(b[4].Tone) - rank(a[4].Tone) })
	for _, n := range open {
		t.Open += n
	}
	var decisions []Decision
	for _, setting := range slices.Sorted(maps.Keys(open)) {
		decisions = append(decisions, Decision{Tone: Warn, Text: m.Units.Clean(m.Units.Count(open[setting], setting+" setting") + " to decide about")})
	}
	s := Section{ID: "governance", Title: "What guards the images", Lead: "Of each setting in ECR, what became of it. Layout: " + m.Units.Clean(g.Layout) + "."}
	if len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
	}
	access, n := m.access(g.Access)
	if len(access.Rows) > 0 {
		s.Tables = append(s.Tables, access)
	}
	if n > 0 {
		decisions = append(decisions, Decision{Tone: Warn, Text: m.Units.Count(n, "grant") + " of access that somebody must look at"})
	}
	if len(s.Tables) == 0 {
		s.Lead = "Nothing guards the images in ECR that would have to be translated."
	}
	return s, decisions
}

// rank puts what is to be decided before the rest.
func rank(t Tone) int {
	switch t {
	case Bad:
		return 2
	case Warn:
		return 1
	}
	return 0
}

// access are the suggested bindings, and how many of them want a decision.
func (m *maker) access(grants []document.Grant) (t Table, open int) {
	t = Table{ID: "access-rows", Caption: "Access that ECR's policies suggest; nothing of it is applied by itself", Columns: columns(
		"Target", Name, "Role", Name, "For, in AWS", Name, "Member, in Google", Name, "To decide", Text)}
	for _, g := range grants {
		decide := m.text(g.Decide)
		if g.Decide != "" {
			open++
			decide.Tone = Warn
		}
		t.Rows = append(t.Rows, []Cell{m.text(g.Target.String()), m.text(g.Role), m.text(g.Principal), m.text(g.Member), decide})
	}
	slices.SortStableFunc(t.Rows, func(a, b []Cell) int { return rank(b[4].Tone) - rank(a[4].Tone) })
	t.Open = open
	return t, open
}

// rewrite is what became of the references in the team's files.
func (m *maker) rewrite() (Section, []Decision) {
	r := m.Rewrite
	if r == nil {
		return Section{}, nil
	}
	s := Section{ID: "rewrite", Title: "References in files"}
	word := "would be rewritten"
	if r.Written {
		word = "rewritten"
	}
	if r.Reverse {
		word += ", back to ECR"
	}
	s.Figures = []Figure{
		{Name: "Looked at", Value: m.Units.Count(r.Files, "file") + ", " + moment(r.MadeAt)}, {Name: "In", Value: m.Units.Clean(strings.Join(r.Paths, ", "))},
		{Name: "References", Value: m.Units.Number(len(r.Edits)) + " " + word}, {Name: "Findings left", Value: m.Units.Number(len(r.Findings))},
	}
	var decisions []Decision
	if n := len(r.Findings); n > 0 {
		t := Table{ID: "finding-rows", Caption: "Findings that a person must decide about", Columns: columns(
			"File", Name, "Line", Number, "Kind", Status, "Text", Name, "Why", Text, "To do", Text)}
		for _, f := range r.Findings {
			t.Rows = append(t.Rows, []Cell{
				m.text(f.File), m.number(f.Line, Plain), {Text: m.Units.Clean(f.Kind), Tone: Warn}, m.text(f.Text), m.text(f.Why), m.text(f.Do),
			})
		}
		s.Tone, t.Open = Warn, n
		s.Lead = capped(&t, "rewrite.json")
		s.Tables = append(s.Tables, t)
		decisions = append(decisions, Decision{Tone: Warn, Text: m.Units.Count(n, "finding") + " in files that still mention ECR"})
	}
	if len(r.Edits) > 0 {
		t := Table{ID: "edit-rows", Caption: "References that " + were(r.Written), Columns: columns("File", Name, "Line", Number, "From", Name, "To", Name)}
		for _, e := range r.Edits {
			t.Rows = append(t.Rows, []Cell{m.text(e.File), m.number(e.Line, Plain), m.text(e.From), m.text(e.To)})
		}
		if lead := capped(&t, "rewrite.json"); s.Lead == "" {
			s.Lead = lead
		}
		s.Tables = append(s.Tables, t)
	}
	return s, decisions
}

func were(written bool) string {
	if written {
		return "were rewritten"
	}
	return "would be rewritten"
}

// sync is how both sides are kept in step.
func (m *maker) sync() (Section, []Decision) {
	y := m.Sync
	if y == nil {
		return Section{}, nil
	}
	c := y.Cycle
	s := Section{ID: "sync", Title: "Sync", Lead: m.Units.Clean(strings.Join(y.Held, " "))}
	behind := Good
	if c.Behind > 0 {
		behind = Bad
	}
	s.Figures = []Figure{
		{Name: "Last cycle", Value: moment(c.EndedAt)}, {Name: "Last success", Value: orNever(moment(y.LastSuccess))},
		{Name: "Last verified as a whole", Value: orNever(moment(y.LastVerified))}, {Name: "Behind", Value: m.Units.Count(c.Behind, "reference"), Tone: behind},
		{Name: "Copied by the last cycle", Value: m.Units.Count(c.Copied, "reference")}, {Name: "Messages parked", Value: m.Units.Number(len(y.Parked))},
	}
	if !y.OldestBehind.IsZero() {
		s.Figures = append(s.Figures, Figure{Name: "Behind since", Value: moment(y.OldestBehind), Tone: Bad})
	}
	var decisions []Decision
	decide := func(n int, tone Tone, noun, text string) {
		if n > 0 {
			s.Tone = tone
			decisions = append(decisions, Decision{Tone: tone, Text: m.Units.Count(n, noun) + text})
		}
	}
	decide(len(y.Parked), Warn, "message", " of the queue could not be understood")
	decide(len(y.Vanished), Warn, "repository", " vanished at the source")
	decide(len(y.Deletions), Warn, "tag", ` deleted at the source and still at the target: "transship sync --delete-tags" takes them away`)
	decide(c.Behind, Bad, "reference", " behind the source")
	if len(y.Deletions) > 0 {
		t := Table{ID: "deletion-rows", Caption: "Tags deleted at the source and still at the target", Columns: columns(
			"Image at the target", Name, "Tag", Name, "Digest", Digest, "Seen", Number)}
		for _, d := range y.Deletions {
			t.Rows = append(t.Rows, []Cell{m.text(m.target(d.Target.String())), m.text(d.Tag), m.text(d.Digest.String()), when(d.SeenAt)})
		}
		s.Tables = append(s.Tables, t)
	}
	return s, decisions
}

func orNever(s string) string {
	if s == "" {
		return "never"
	}
	return s
}
