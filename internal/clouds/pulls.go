package clouds

import (
	"context"
	"fmt"
	"slices"

	"transship/internal/registry/ecr"
)

// PullTimes is whether ECR records a caller's pulls as pulls, which renews lifecycle rules and hides who else pulls.
// FACTS A1.
type PullTimes struct {
	Principal string // whom an exclusion would have to name
	Excluded  bool   // as of now: ECR does not say since when
	Exclude   string // the command that keeps the principal's pulls out
}

// PullTimes asks whether the registry records this caller's pulls. The error is a *registry.Error.
func (s *Source) PullTimes(ctx context.Context) (PullTimes, error) {
	t := PullTimes{Principal: s.as.RoleARN}
	if t.Principal == "" {
		caller, err := s.control.Identity(ctx)
		if err != nil {
			return t, err
		}
		t.Principal = ecr.Principal(caller.ARN)
	}
	t.Exclude = fmt.Sprintf("aws ecr register-pull-time-update-exclusion --principal-arn %s --region %s", t.Principal, s.Registry().Region)
	if s.as.Profile != "" {
		t.Exclude += " --profile " + s.as.Profile
	}
	excluded, err := s.control.PullTimeExclusions(ctx)
	t.Excluded = slices.Contains(excluded, t.Principal)
	return t, err
}
