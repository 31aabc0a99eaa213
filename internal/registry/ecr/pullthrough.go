package ecr

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"

	"transship/internal/document"
)

// pullThroughAttempts is how often the rules are asked for: they are good to know, and an endpoint that does not have
// them must not stop the listing for minutes.
const pullThroughAttempts = 4

// PullThroughPrefixes returns the registry's pull-through cache rules, sorted by prefix: below each prefix, ECR fills
// repositories from another registry. One request a 1,000. FACTS A1, A4.
func (r *Registry) PullThroughPrefixes(ctx context.Context) ([]document.PullThroughRule, error) {
	c := call{op: "list the pull-through cache rules of", object: r.name.Host(), operation: "DescribePullThroughCacheRules"}
	in := &api.DescribePullThroughCacheRulesInput{RegistryId: r.account(), MaxResults: aws.Int32(pageSize)}
	rules := []document.PullThroughRule{}
	for p := api.NewDescribePullThroughCacheRulesPaginator(r.api, in); p.HasMorePages(); {
		page, err := p.NextPage(ctx, func(o *api.Options) {
			o.Retryer = retry.AddWithMaxAttempts(o.Retryer, pullThroughAttempts)
		})
		if err != nil {
			return nil, r.fail(ctx, c, err)
		}
		for _, rule := range page.PullThroughCacheRules {
			rules = append(rules, document.PullThroughRule{
				Prefix: aws.ToString(rule.EcrRepositoryPrefix), Upstream: aws.ToString(rule.UpstreamRegistryUrl),
			})
		}
	}
	slices.SortFunc(rules, document.PullThroughRule.Compare)
	return rules, nil
}
