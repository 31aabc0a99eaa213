package report

import (
	"slices"
	"strings"
	"time"

	"transship/internal/document"
)

// verdict answers whether the migration is complete. What is not known counts against it.
func (m *maker) verdict() Verdict {
	c, u := m.counts, m.Units
	v := Verdict{Verified: c.verified, References: c.verified + c.missing + c.mismatched, VerifiedAt: c.oldest.UTC()}
	proved := u.Number(v.Verified) + " of " + u.Count(v.References, "reference") + " verified at the target"
	if !c.oldest.IsZero() {
		proved += ", " + moment(c.oldest)
		if c.deep {
			proved += ", each blob asked for"
		}
	}
	proved += "."
	switch {
	case m.Verification == nil:
		v.State, v.Headline = StateUnproved, "Not proved"
		v.Sentence = `Nothing was verified yet: run "transship verify", which takes a fresh look at both sides.`
	case c.missing+c.mismatched+len(m.Verification.Failures) > 0:
		v.State, v.Headline, v.Sentence = StateIncomplete, "Incomplete", proved
		if n := c.missing + c.mismatched; n > 0 {
			v.Sentence += " " + u.Number(c.missing) + " missing, " + u.Number(c.mismatched) + " with another digest."
		}
		if n := len(m.Verification.Failures); n > 0 {
			v.Sentence += " " + u.Count(n, "listing") + " failed, so what they hold is not known."
		}
	case m.failedSince() > 0:
		v.State, v.Headline = StateIncomplete, "Incomplete"
		v.Sentence = proved + " The last copy, which is newer, failed for " + u.Count(m.failedSince(), "reference") + "."
	case len(m.unverified) > 0:
		v.State, v.Headline = StateUnproved, "Not proved"
		v.Sentence = proved + " " + u.Count(len(m.unverified), "planned repository") + ` were never verified: run "transship verify".`
		if len(m.unverified) == 1 {
			v.Sentence = proved + ` One planned repository was never verified: run "transship verify".`
		}
	case len(m.Unplanned) > 0:
		v.State, v.Headline = StateUnproved, "Not proved"
		v.Sentence = proved + " Not planned yet: wave " + u.Clean(strings.Join(m.Unplanned, ", wave ")) + "."
	case m.openShards() > 0:
		v.State, v.Headline = StateIncomplete, "Incomplete"
		v.Sentence = proved + " " + u.Number(m.openShards()) + " of " + u.Count(len(m.Shards), "shard") + " are not done."
	case m.copiedSince():
		v.State, v.Headline = StateStale, "Copied since it was verified"
		v.Sentence = proved + ` Something was copied afterwards: run "transship verify" again.`
	case v.References == 0:
		v.State, v.Headline, v.Sentence = StateEmpty, "Nothing to migrate", "The verification found no image in scope."
	default:
		v.State, v.Headline, v.Sentence = StateComplete, "Complete", proved
	}
	v.Figures = m.figures(v)
	return v
}

// failedSince is how many references failed in a copy that is newer than the verification.
func (m *maker) failedSince() int {
	if m.Results == nil || !m.Results.EndedAt.After(m.counts.oldest) {
		return 0
	}
	return m.Results.Failed
}

// copiedSince reports whether something may have been written after the verification. A copy that found everything in
// place changes nothing.
func (m *maker) copiedSince() bool {
	after := func(t time.Time) bool { return t.After(m.counts.oldest) }
	if m.Results != nil && after(m.Results.EndedAt) && (m.Results.Success > 0 || m.Results.Stopped) {
		return true
	}
	return slices.ContainsFunc(m.Runs, func(r document.Run) bool {
		return r.Command == "copy" && (r.Wave == m.Wave || r.Wave == "") && after(r.EndedAt) && r.BytesRead > 0
	})
}

func (m *maker) openShards() (n int) {
	for _, s := range m.Shards {
		if !s.Done {
			n++
		}
	}
	return n
}

// figures are the numbers beside the answer.
func (m *maker) figures(v Verdict) []Figure {
	u := m.Units
	var out []Figure
	if m.Verification != nil {
		tone := Good
		if v.Verified < v.References {
			tone = Bad
		}
		missing := Plain
		if m.counts.missing+m.counts.mismatched > 0 {
			missing = Bad
		}
		out = append(out,
			Figure{Name: "Verified", Value: u.Number(v.Verified) + " of " + u.Number(v.References), Tone: tone},
			Figure{Name: "Missing or different", Value: u.Number(m.counts.missing + m.counts.mismatched), Tone: missing},
			Figure{Name: "Left out by rules", Value: u.Number(m.counts.excluded)})
	}
	if r := m.Results; r != nil {
		tone := Plain
		if r.Failed > 0 {
			tone = Bad
		}
		out = append(out, Figure{Name: "Failed to copy", Value: u.Number(r.Failed), Tone: tone})
	}
	switch {
	case m.Plan != nil:
		out = append(out, Figure{Name: "In the plan", Value: u.Bytes(m.Plan.Difference.TotalBytes)})
	case m.Results != nil:
		out = append(out, Figure{Name: "Read by the last copy", Value: u.Bytes(m.Results.Traffic.BytesRead)})
	}
	return out
}
