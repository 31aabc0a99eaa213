package retention

import (
	"slices"
	"strings"
	"time"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/image"
)

// forecast says for each image that any side deletes when it does so, if nothing else is pushed and Artifact Registry
// works as the documentation suggests. The policies are all that the repository will have. What is not copied because
// it is due today is gone at once.
func (p *path) forecast(policies []document.CleanupPolicy, now time.Time) [][]document.Doomed {
	deletions := p.pack.Evaluate(policies, cleanup.Variant{})
	out := make([][]document.Doomed, len(p.sources))
	for k, s := range p.sources {
		out[k] = []document.Doomed{}
		copied := make([]bool, len(s.Images))
		for _, n := range s.copied {
			copied[n] = true
		}
		for n, i := range s.Images {
			d := document.Doomed{Digest: i.Digest, Tags: i.Tags, Source: horizon(s.expires[n], now), Target: document.Never}
			switch {
			case copied[n]:
				d.Target = horizon(deletions[p.at[i.Digest]].At, now)
			case !i.Archived:
				d.Target = 0
			}
			if d.Tags == nil {
				d.Tags = []string{}
			}
			if d.Source != document.Never || d.Target != document.Never {
				out[k] = append(out[k], d)
			}
		}
		slices.SortFunc(out[k], func(a, b document.Doomed) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	}
	return out
}

// horizon is the first of the horizons by which something has happened.
func horizon(m image.Moment, now time.Time) int {
	for _, days := range document.Horizons {
		if m.Passed(now.AddDate(0, 0, days)) {
			return days
		}
	}
	return document.Never
}
