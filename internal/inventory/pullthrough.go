package inventory

import (
	"context"
	"strings"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// PullThroughSource is a Source that knows which of its repositories ECR fills from another registry.
type PullThroughSource interface {
	// PullThroughPrefixes returns the pull-through cache rules.
	PullThroughPrefixes(ctx context.Context) ([]document.PullThroughRule, error)
}

// anywhere is the prefix of a rule for all repositories: it does not tell those that are filled from those that are pushed to.
const anywhere = "ROOT"

// rules asks for the pull-through cache rules. Where there is no answer, the listing goes on without: the permission for
// it is one that few have. What an earlier inventory knew of stays known then, so that an outage makes nobody copy caches.
func (w *sweep) rules(ctx context.Context) []document.PullThroughRule {
	s, ok := w.source.(PullThroughSource)
	if !ok {
		return nil
	}
	rules, err := s.PullThroughPrefixes(ctx)
	if err != nil && ctx.Err() == nil {
		if w.config.Caches != nil {
			w.caches = w.config.Caches()
		}
		why := "cannot ask ECR for pull-through cache rules; repositories that it fills from other registries are taken for ordinary ones, " +
			"unless an earlier inventory knew of them: exclude them, or allow ecr:DescribePullThroughCacheRules"
		if registry.IsClass(err, registry.Unauthorized) { // the listing says it, and ends
			w.log().Debug(why, "registry", w.source.Registry().String(), "error", err)
		} else {
			w.log().Warn(why, "registry", w.source.Registry().String(), "error", err)
		}
	}
	return rules
}

// recognise notes which repositories are filled from where. Of several prefixes, the longest counts. known are those of an
// earlier inventory. FACTS A4.
func recognise(repositories []document.SourceRepository, rules []document.PullThroughRule, known map[ref.Repository]string) {
	for n := range repositories {
		repositories[n].PullThrough = known[repositories[n].URI]
		longest := 0
		for _, r := range rules {
			prefix := strings.TrimSuffix(r.Prefix, "/") + "/"
			if r.Prefix != "" && r.Prefix != anywhere && len(prefix) > longest && strings.HasPrefix(repositories[n].URI.Name, prefix) {
				longest = len(prefix)
				repositories[n].PullThrough = r.Upstream
			}
		}
	}
}
