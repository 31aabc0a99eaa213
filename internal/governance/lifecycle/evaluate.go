package lifecycle

import (
	"slices"
	"time"

	"transship/internal/governance/image"
)

// Verdict is what a policy does to an image.
type Verdict struct {
	Rule     int          // the priority of the rule that decides over the image; 0 where none does
	Expires  image.Moment // it is deleted
	Archives image.Moment // it goes to the archive, if it was not deleted before
}

// Evaluate says what the policy does to each image and when, if nothing is pushed or pulled any more. The images are as
// they are now. FACTS C1 [D]:
//
//   - The first rule whose tagging requirements an image meets decides over it, and no other does. All rules count all
//     images that they select, whatever other rules do with them.
//   - An age is more than its days. Of a count, the youngest by their push stay.
//   - A manifest that an index holds stays until its indexes are deleted, or archived; a referrer goes with its subject.
//
// Where the documentation is silent, ECR is taken for keeping more. Children and referrers take no place in a count,
// nor do images that are pushed at the same time push each other out. Nothing is deleted while its index or subject
// lies in the archive. An image whose time of archiving nobody knows stays.
func Evaluate(p Policy, images []image.Image, now time.Time) []Verdict {
	out := make([]Verdict, len(images))
	expires, moves := make([]image.Moment, len(images)), make([]image.Moment, len(images))
	for n := range images {
		expires[n], moves[n] = image.Never, image.Never
	}
	graph := image.NewGraph(images)
	for _, r := range p.Rules {
		if len(p.Problems) > 0 || (r.Archive && !r.Blind) {
			continue // a rule of the archive decides over what is there: see leave
		}
		limit := r.limit(images, graph)
		for n, i := range images {
			if out[n].Rule != 0 || i.Archived || !r.Select(i.Tags) {
				continue
			}
			out[n].Rule = r.Priority
			moves[n] = r.moment(i, limit)
			if !r.Transition {
				expires[n] = moves[n]
			} else if moves[n] != image.Never {
				expires[n] = p.leave(i.Tags, max(moves[n], image.At(now)))
			}
		}
	}
	for n, i := range images {
		if i.Archived {
			moves[n] = image.Past
			if !i.ArchivedAt.IsZero() {
				expires[n] = p.leave(i.Tags, image.At(i.ArchivedAt))
			}
		}
	}
	graph.Settle(expires, false)
	graph.Settle(moves, false)
	for n := range out {
		out[n].Expires, out[n].Archives = expires[n], moves[n]
		if moves[n] >= expires[n] {
			out[n].Archives = image.Never
		}
	}
	return out
}

// leave is when an image that lies in the archive since then is deleted from it.
func (p Policy) leave(tags []string, since image.Moment) image.Moment {
	for _, r := range p.Rules {
		if (r.Archive || r.Blind) && r.Select(tags) {
			if r.Problem != "" || len(p.Problems) > 0 {
				return image.Never
			}
			return since.Add(seconds(r.Number))
		}
	}
	return image.Never
}

// moment is when the rule's count is over for an image that it selects. Limit is that of the rule.
func (r Rule) moment(i image.Image, limit time.Time) image.Moment {
	born := i.Born()
	switch {
	case r.Problem != "":
	case r.Count == SincePulled && !i.LastPulledAt.IsZero():
		return max(image.At(i.LastPulledAt), image.At(i.ActivatedAt)).Add(seconds(r.Number))
	case r.Count == SincePushed, r.Count == SincePulled:
		return image.At(born).Add(seconds(r.Number))
	case r.Count == MoreThan && born.Before(limit):
		return image.Past
	}
	return image.Never
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

func seconds(days int) int64 { return int64(days) * 24 * 60 * 60 }
