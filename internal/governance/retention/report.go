package retention

import (
	"fmt"
	"strings"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
)

// settings says what became of each rule.
func (w *world) settings(s *source, p *path) []document.Translation {
	if s.Policy == "" {
		return nil
	}
	if len(s.parts) == 0 {
		was := "a lifecycle policy that is not understood"
		if n := len(s.policy.Rules); n > 0 {
			was = "a lifecycle policy of " + plural(n, "rule", "rules")
		}
		return []document.Translation{{Setting: document.SettingLifecycle, Was: was, Fate: document.FateRefused,
			Reason: s.refused.reason, Decide: s.refused.decide}}
	}
	var out []document.Translation
	for _, part := range s.parts {
		t := document.Translation{Setting: document.SettingLifecycle, Item: fmt.Sprint(part.rule.Priority), Was: part.rule.Words()}
		if s.refused != nil {
			t.Fate, t.Reason, t.Decide = document.FateRefused, s.refused.reason, s.refused.decide
		} else {
			part.tell(&t, p, w.policies)
			if w.in.Immutable && part.delete != nil && part.delete.selector != untagged {
				t.Fate = document.FateApproximate
				t.Reason += " With immutable tags, Artifact Registry may keep whatever has a tag."
			}
		}
		if n := s.due[part.rule.Priority]; n > 0 {
			due := plural(n, "image", "images")
			if w.in.LeaveOut {
				t.Reason += " What ECR would delete today is not copied: " + due + "."
			} else {
				t.Decide = strings.TrimSpace(t.Decide + " Leave out what ECR would delete today (" + due + "), or it stays longer.")
			}
		}
		out = append(out, t)
	}
	return out
}

// tell says what became of one rule that stands.
func (p part) tell(t *document.Translation, at *path, policies []document.CleanupPolicy) {
	var words []string
	keep := 0
	for _, template := range p.templates() {
		for _, policy := range policies {
			if policy.ID != template.id() {
				continue
			}
			words = append(words, cleanup.Words(policy))
			if policy.MostRecent != nil {
				keep = policy.MostRecent.KeepCount
			}
		}
	}
	t.Becomes = strings.Join(words, "; ")
	row := table[p.outcome]
	values := map[string]string{
		"days": days(p.days), "problem": p.rule.Problem, "rule": fmt.Sprint(p.by),
		"count": fmt.Sprint(p.rule.Number), "keep": fmt.Sprint(keep), "steady": fmt.Sprint(p.rule.Number * at.family),
		"family": fmt.Sprint(at.family), "copied": fmt.Sprint(len(at.at)),
	}
	var doubts string
	t.Fate, doubts = row.judge()
	t.Reason, t.Decide = fill(row.reason, values), fill(row.decide, values)
	if len(p.longer) > 0 {
		t.Fate = document.FateApproximate
		t.Reason += " Some of its images stay longer, because Artifact Registry cannot tell them from those that rule " +
			strings.ReplaceAll(strings.Trim(fmt.Sprint(p.longer), "[]"), " ", " and ") + " keeps."
	}
	t.Reason += doubts
	if p.shield != nil && t.Fate == document.FateRefused {
		t.Reason += " It only shields its images from the rules behind it."
	}
}
