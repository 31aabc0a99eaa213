package report

import (
	"slices"
	"strings"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
)

// maker makes a report of evidence.
type maker struct {
	Evidence
	counts     counts
	unverified []string // source repositories that are planned and were never verified
	report     Report
}

// counts are of the references of those repositories that the report is about.
type counts struct {
	verified, missing, mismatched, excluded, extra int
	oldest, newest                                 time.Time
	deep                                           bool
}

// New judges the evidence.
func New(e Evidence) Report {
	m := &maker{Evidence: e}
	if m.Verification != nil {
		m.Verification = m.ofWave(*m.Verification)
	}
	m.count()
	m.report = Report{
		Title: "Migration report", Target: m.Units.Clean(e.Migration.Target), Wave: m.Units.Clean(e.Wave), Version: m.Units.Clean(e.Version), MadeAt: e.MadeAt.UTC(),
	}
	for _, s := range e.Migration.Sources {
		m.report.Sources = append(m.report.Sources, s.String())
	}
	m.report.Verdict = m.verdict()
	for _, section := range []func() (Section, []Decision){
		m.unread, m.failures, m.shards, m.cutover, m.repositories, m.kept, m.leftOut, m.governance, m.rewrite, m.sync, m.verification, m.estimate, m.timeline,
		m.traffic, m.settings,
	} {
		s, decisions := section()
		if s.ID == "" {
			continue
		}
		m.report.Sections = append(m.report.Sections, s)
		for _, d := range decisions {
			d.Section = s.ID
			m.report.Decisions = append(m.report.Decisions, d)
		}
	}
	slices.SortStableFunc(m.report.Decisions, func(a, b Decision) int { return rank(b.Tone) - rank(a.Tone) })
	return m.report
}

// ofWave is what a verification says of the repositories of the wave.
func (m *maker) ofWave(v document.Verification) *document.Verification {
	if m.InWave == nil {
		return &v
	}
	repositories, cases := v.Repositories, v.Cases
	v.Repositories, v.Cases = nil, nil
	targets := map[string]bool{}
	for _, r := range repositories {
		if m.InWave(r.Source.String()) {
			v.Repositories = append(v.Repositories, r)
			targets[r.Target.String()] = true
		}
	}
	for _, c := range cases {
		if c.Source != (ref.Repository{}) && m.InWave(c.Source.String()) || c.Source == (ref.Repository{}) && targets[c.Target] {
			v.Cases = append(v.Cases, c)
		}
	}
	return &v
}

// count adds up what is verified, and finds what never was.
func (m *maker) count() {
	looked, there := map[string]bool{}, references{}
	if m.Verification != nil {
		m.counts.deep = len(m.Verification.Repositories) > 0
		for _, r := range m.Verification.Repositories {
			looked[r.Source.String()] = true
			c := &m.counts
			c.verified += there.add(r)
			c.missing, c.mismatched, c.excluded, c.extra = c.missing+r.Missing, c.mismatched+r.Mismatched, c.excluded+r.Excluded, c.extra+r.Extra
			c.deep = c.deep && r.Deep
			if c.oldest.IsZero() || r.VerifiedAt.Before(c.oldest) {
				c.oldest = r.VerifiedAt
			}
			if r.VerifiedAt.After(c.newest) {
				c.newest = r.VerifiedAt
			}
		}
	}
	if m.Plan == nil {
		return
	}
	for _, i := range m.Plan.Images {
		for _, s := range i.Sources {
			if name := s.String(); !looked[name] {
				looked[name] = true
				m.unverified = append(m.unverified, name)
			}
		}
	}
}

// references are what is at the target, each once: several sources may hold the same.
type references map[string]bool

// add takes up what is verified of a repository, and says how many references are new.
func (s references) add(r document.VerifiedRepository) int {
	before, target := len(s), r.Target.String()
	for _, t := range r.Tags {
		s[target+":"+t.Tag] = true
	}
	for _, d := range untagged(r) {
		s[target+"@"+d] = true
	}
	return len(s) - before
}

// untagged are the digests of a verified repository that no tag of it names.
func untagged(r document.VerifiedRepository) []string {
	tagged := map[string]bool{}
	for _, t := range r.Tags {
		tagged[t.Digest.String()] = true
	}
	var out []string
	for _, d := range r.Digests {
		if !tagged[d.String()] {
			out = append(out, d.String())
		}
	}
	return out
}

// source shortens a source repository, with or without a tag or a digest, where there is but one registry.
func (m *maker) source(name string) string {
	if len(m.Migration.Sources) == 1 {
		name = strings.TrimPrefix(name, m.Migration.Sources[0].Host()+"/")
	}
	return m.Units.Clean(name)
}

// target shortens an image path at the target.
func (m *maker) target(name string) string {
	if m.Migration.Target != "" {
		name = strings.TrimPrefix(name, m.Migration.Target+"/")
	}
	return m.Units.Clean(name)
}

// text is a cell of outside text.
func (m *maker) text(s string) Cell { return Cell{Text: m.Units.Clean(s)} }

// number is a cell of a number, which stands out where it is not 0 and tone says how.
func (m *maker) number(n int, tone Tone) Cell {
	c := Cell{Text: m.Units.Number(n), Key: float64(n), Keyed: true}
	if n != 0 {
		c.Tone = tone
	}
	return c
}

func (m *maker) bytes(n int64) Cell {
	return Cell{Text: m.Units.Bytes(n), Key: float64(n), Keyed: true}
}

// when is a cell of a moment; empty for the zero value.
func when(t time.Time) Cell {
	c := Cell{Text: moment(t), Keyed: true}
	if !t.IsZero() {
		c.Key = float64(t.Unix())
	}
	return c
}

// moment is a time in UTC, to the minute: whoever reads it may be anywhere.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func columns(pairs ...any) []Column {
	out := make([]Column, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, Column{Name: pairs[i].(string), Kind: pairs[i+1].(Kind)})
	}
	return out
}
