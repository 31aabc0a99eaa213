package report

import (
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
)

// cutover is what the gate said, and on which grounds.
func (m *maker) cutover() (Section, []Decision) {
	c := m.Cutover
	if c == nil {
		return Section{}, nil
	}
	s := Section{ID: "cutover", Title: "Is it safe to switch?"}
	if c.Leave {
		s.Title = "Is it safe to leave ECR?"
	}
	verdict := Figure{Name: "The gate is", Value: "open", Tone: Good}
	if !c.Open() {
		verdict.Value, verdict.Tone, s.Tone = "closed", Bad, Warn
	}
	s.Figures = []Figure{verdict, {Name: "Checked", Value: moment(c.CheckedAt)}}
	if !c.SwitchedAt.IsZero() {
		s.Figures = append(s.Figures, Figure{Name: "Switched", Value: moment(c.SwitchedAt)})
	}
	for _, t := range []Table{m.gate(c), m.pullers(c), m.onlyTarget(c), m.removable(c), m.retained(c)} {
		if len(t.Rows) > 0 {
			s.Lead += capped(&t, "cutover.json")
			s.Tables = append(s.Tables, t)
		}
	}
	if c.Open() {
		return s, nil
	}
	return s, []Decision{{
		Tone: Warn, Text: "The gate is closed: " + strconv.Itoa(c.Fail) + " of " + m.Units.Count(len(c.Checks), "check") + " failed, " + strconv.Itoa(c.Unknown) + " unknown",
	}}
}

func (m *maker) gate(c *document.Cutover) Table {
	t := Table{ID: "gate-rows", Caption: "Checks of the gate", Columns: columns("State", Status, "Check", Text, "Evidence", Text, "To do", Text), Open: c.Fail + c.Unknown}
	for _, check := range c.Checks {
		tone := map[document.CheckState]Tone{document.CheckPass: Good, document.CheckFail: Bad, document.CheckUnknown: Warn}[check.State]
		t.Rows = append(t.Rows, []Cell{
			{Text: m.Units.Clean(string(check.State)), Tone: tone}, m.text(check.Title), m.text(strings.Join(check.Evidence, " ")), m.text(strings.Join(check.Do, "; ")),
		})
	}
	return t
}

// pullers are who still pulls.
func (m *maker) pullers(c *document.Cutover) Table {
	t := Table{ID: "puller-rows", Caption: "Repositories that were pulled from in ECR since", Columns: columns(
		"Repository", Name, "Pulled", Number, "Tags", Name, "Digest", Digest, "Whose pull", Text)}
	for _, p := range c.Pullers {
		whose := Cell{Text: "somebody's", Tone: Bad}
		if p.Own {
			whose = Cell{Text: "somebody's, or the migration's own", Tone: Warn}
		}
		t.Rows = append(t.Rows, []Cell{m.text(m.source(p.Source.String())), when(p.At), m.tags(p.Tags), m.digest(p.Digest), whose})
	}
	return t
}

// onlyTarget are the images that a way back would not find.
func (m *maker) onlyTarget(c *document.Cutover) Table {
	t := Table{ID: "only-rows", Caption: "Images that only the target has: a way back to ECR would not find them", Columns: columns(
		"Image", Name, "Tags", Name, "Digest", Digest)}
	for _, o := range c.OnlyTarget {
		t.Rows = append(t.Rows, []Cell{m.text(m.target(o.Image.String())), m.tags(o.Tags), m.digest(o.Digest)})
	}
	return t
}

// removable is what is safe to delete in ECR.
func (m *maker) removable(c *document.Cutover) Table {
	t := Table{ID: "removable-rows", Caption: "What is safe to delete in ECR; leave.sh would do it", Columns: columns(
		"Repository", Name, "Images", Number, "Size, as ECR counts", Number, "As a whole", Text)}
	for _, r := range c.Removable {
		whole := "no"
		if r.Whole {
			whole = "yes"
		}
		t.Rows = append(t.Rows, []Cell{m.text(m.source(r.Source.String())), m.number(len(r.Digests), Plain), m.bytes(r.Bytes), m.text(whole)})
	}
	return t
}

// retained is what is not.
func (m *maker) retained(c *document.Cutover) Table {
	t := Table{ID: "retained-rows", Caption: "What is not safe to delete in ECR", Columns: columns(
		"Repository", Name, "Tags", Name, "Digest", Digest, "Why", Text)}
	for _, r := range c.Retained {
		t.Rows = append(t.Rows, []Cell{m.text(m.source(r.Source.String())), m.tags(r.Tags), m.digest(r.Digest), m.text(r.Why)})
	}
	return t
}

func (m *maker) tags(tags []string) Cell { return m.text(strings.Join(tags, ", ")) }

func (m *maker) digest(d digest.Digest) Cell { return m.text(d.String()) }
