package report

import (
	"transship/internal/document"
)

// verification is the proof, reference by reference: what is not right comes first.
func (m *maker) verification() (Section, []Decision) {
	v := m.Verification
	if v == nil {
		return Section{
			ID: "verification", Title: "Verification", Tone: Warn, Lead: `Nothing was verified yet. "transship verify" compares every reference on both sides by its digest.`,
		}, nil
	}
	t := Table{ID: "verification-rows", Caption: "References, with their digests on both sides", Columns: columns(
		"State", Status, "Repository", Name, "Tag", Name, "Digest in ECR", Digest, "At the target", Text)}
	extra := 0
	for _, c := range v.Cases {
		switch c.Kind {
		case document.CaseMissing, document.CaseMismatched:
			t.Open++
			t.Rows = append(t.Rows, m.caseRow(c))
		case document.CaseExtra:
			extra++
		}
	}
	for _, name := range m.unverified {
		t.Open++
		t.Rows = append(t.Rows, []Cell{{Text: "never verified", Tone: Warn}, m.text(m.source(name)), {}, {}, {Text: `run "transship verify"`}})
	}
	for _, r := range v.Repositories {
		repository := m.text(m.source(r.Source.String()))
		for _, tag := range r.Tags {
			t.Rows = append(t.Rows, []Cell{{Text: "verified", Tone: Good}, repository, m.text(tag.Tag), m.text(tag.Digest.String()), {Text: "same digest"}})
		}
		for _, d := range untagged(r) {
			t.Rows = append(t.Rows, []Cell{{Text: "verified", Tone: Good}, repository, {}, m.text(d), {Text: "same digest"}})
		}
	}
	s := Section{ID: "verification", Title: "Verification, digest by digest", Lead: capped(&t, "verify.json"), Tables: []Table{t}}
	how := "listings on both sides, compared by digest"
	if m.counts.deep {
		how += "; each manifest was read back and each blob asked for"
	}
	s.Figures = []Figure{
		{Name: "Verified at", Value: span(m.counts.oldest, m.counts.newest)}, {Name: "How", Value: how},
		{Name: "Only at the target", Value: m.Units.Count(max(extra, m.counts.extra), "reference") + ", which is no failure"},
	}
	var decisions []Decision
	for _, d := range []struct {
		n    int
		text string
	}{
		{m.counts.missing, ` missing at the target: run "transship copy"`}, {m.counts.mismatched, " at the target with another digest: somebody must say which is right"},
	} {
		if d.n > 0 {
			s.Tone = Bad
			decisions = append(decisions, Decision{Tone: Bad, Text: m.Units.Count(d.n, "reference") + d.text})
		}
	}
	if n := len(m.unverified); n > 0 {
		decisions = append(decisions, Decision{Tone: Warn, Text: m.Units.Count(n, "repository") + ` planned and never verified: run "transship verify"`})
	}
	return s, decisions
}

func (m *maker) caseRow(c document.Case) []Cell {
	state := "missing"
	if c.Kind == document.CaseMismatched {
		state = "different"
	}
	there := c.Cause
	if c.TargetDigest != "" {
		there = c.TargetDigest.String() + ": " + there
	}
	name := m.source(c.Source.String())
	if c.Source.Name == "" {
		name = m.target(c.Target)
	}
	return []Cell{{Text: state, Tone: Bad}, m.text(name), m.text(c.Tag), m.text(c.SourceDigest.String()), m.text(there)}
}
