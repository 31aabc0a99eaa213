package lifecycle

import (
	"slices"
	"time"

	"transship/internal/governance/image"
)

// Verdict is what a policy does to an image.
type Verdict struct {
	Rule     int  // the priority of the rule that decides over the image; 0 where none does
	Expired  bool // it is deleted
	Archived bool // it lies in the archive, by a rule or before
}

// Evaluate says what the policy has done to each image by a time, if nothing is pushed or pulled. The images are as
// they are now; at is that or later. FACTS C1 [D]:
//
//   - The first rule whose tagging requirements an image meets decides over it, and no other does. All rules count all
//     images that they select, whatever other rules do with them.
//   - An age is more than its days. Of a count, the youngest by their push stay.
//   - A manifest that an index holds stays until its indexes are deleted, or archived; a referrer goes with its subject.
//
// Where the documentation is silent, ECR is taken for keeping more. Children and referrers take no place in a count,
// nor do images that are pushed at the same time push each other out. Nothing is deleted while its index or subject
// lies in the archive. An image whose time of archiving nobody knows stays.
func Evaluate(p Policy, images []image.Image, now, at time.Time) []Verdict {
	out := make([]Verdict, len(images))
	for n, i := range images {
		out[n].Archived = i.Archived
	}
	if len(p.Problems) > 0 {
		return out
	}
	graph := image.NewGraph(images)
	expired, moved := make([]bool, len(images)), make([]bool, len(images)) // deleted; that or archived
	for _, r := range p.Rules {
		if r.Archive && !r.Blind {
			continue // it decides over what is archived: see leave
		}
		limit := r.limit(images, graph)
		for n, i := range images {
			if out[n].Rule != 0 || i.Archived || !r.Select(i.Tags) {
				continue
			}
			out[n].Rule = r.Priority
			since := r.since(i, limit)
			switch happens := r.Problem == "" && !since.IsZero() && at.After(since); {
			case happens && r.Transition:
				moved[n] = true
				expired[n] = p.leave(&out[n], i.Tags, later(since, now), at)
			case happens:
				moved[n], expired[n] = true, true
			}
		}
	}
	for n, i := range images {
		if moved[n] = moved[n] || i.Archived; i.Archived && !i.ArchivedAt.IsZero() {
			expired[n] = p.leave(&out[n], i.Tags, i.ArchivedAt, at)
		}
	}
	graph.Fall(expired, false)
	graph.Fall(moved, false)
	for n := range out {
		out[n].Expired = expired[n]
		out[n].Archived = !expired[n] && (moved[n] || out[n].Archived)
	}
	return out
}

// leave tells whether an image that lies in the archive since then has been deleted from it, and notes the rule.
func (p Policy) leave(v *Verdict, tags []string, since, at time.Time) bool {
	for _, r := range p.Rules {
		if (!r.Archive && !r.Blind) || !r.Select(tags) {
			continue
		}
		if r.Problem != "" || !at.After(after(since, r.Number)) {
			return false
		}
		v.Rule = r.Priority
		return true
	}
	return false
}

// since is when the rule's count is over for an image that it selects; zero where it never is. Limit is that of the
// rule.
func (r Rule) since(i image.Image, limit time.Time) time.Time {
	born := i.Born()
	switch r.Count {
	case SincePushed:
		return after(born, r.Number)
	case SincePulled:
		if i.LastPulledAt.IsZero() {
			return after(born, r.Number)
		}
		return after(later(i.LastPulledAt, i.ActivatedAt), r.Number)
	case MoreThan:
		if born.Before(limit) {
			return limit
		}
	}
	return time.Time{}
}

// limit is the push of the oldest image that a rule with a number of images keeps; zero where it keeps them all.
func (r Rule) limit(images []image.Image, graph image.Graph) time.Time {
	if r.Count != MoreThan || r.Problem != "" {
		return time.Time{}
	}
	var born []time.Time
	for n, i := range images {
		if !i.Archived && !graph.Child(n) && !graph.Referrer(n) && r.Select(i.Tags) {
			born = append(born, i.Born())
		}
	}
	if len(born) <= r.Number {
		return time.Time{}
	}
	slices.SortFunc(born, func(a, b time.Time) int { return b.Compare(a) })
	return born[r.Number-1]
}

// after is a time some days later; time.Duration ends at 292 years, and rules do not.
func after(t time.Time, days int) time.Time {
	return time.Unix(t.Unix()+int64(days)*24*60*60, int64(t.Nanosecond()))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
