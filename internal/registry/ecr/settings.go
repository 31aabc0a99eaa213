package ecr

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// lacks reports whether err is ECR's way to say that there is no policy.
func lacks(err error, code string) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && e.ErrorCode() == code
}

// RepositorySettings reads what guards repo beside what a listing says: 3 requests, at the same time. What there is not is
// empty. The error joins those of what could not be read; the rest is there nevertheless. It is of class NoRepository where
// repo does not exist.
func (r *Registry) RepositorySettings(ctx context.Context, repo ref.Repository) (document.RepositorySettings, error) {
	out := document.RepositorySettings{URI: repo}
	name := aws.String(repo.Name)
	var failed [3]error
	var asked sync.WaitGroup
	asked.Go(func() {
		rules, err := r.api.GetLifecyclePolicy(ctx, &api.GetLifecyclePolicyInput{RegistryId: r.account(), RepositoryName: name})
		if err == nil {
			out.Lifecycle = aws.ToString(rules.LifecyclePolicyText)
		} else if !lacks(err, "LifecyclePolicyNotFoundException") {
			failed[0] = r.unreadable(ctx, "lifecycle policy", "GetLifecyclePolicy", repo, err)
		}
	})
	asked.Go(func() {
		policy, err := r.api.GetRepositoryPolicy(ctx, &api.GetRepositoryPolicyInput{RegistryId: r.account(), RepositoryName: name})
		if err == nil {
			out.Policy = aws.ToString(policy.PolicyText)
		} else if !lacks(err, "RepositoryPolicyNotFoundException") {
			failed[1] = r.unreadable(ctx, "policy", "GetRepositoryPolicy", repo, err)
		}
	})
	asked.Go(func() {
		tags, err := r.api.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: aws.String(r.name.ARN(repo.Name))})
		if err != nil {
			failed[2] = r.unreadable(ctx, "tags", "ListTagsForResource", repo, err)
			return
		}
		for _, t := range tags.Tags {
			if out.Tags == nil {
				out.Tags = make(map[string]string, len(tags.Tags))
			}
			out.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	})
	asked.Wait()
	return out, errors.Join(failed[:]...)
}

func (r *Registry) unreadable(ctx context.Context, what, operation string, repo ref.Repository, err error) error {
	return r.fail(ctx, call{op: "read the " + what + " of", object: repo.String(), operation: operation}, err)
}

// RegistrySettings reads what belongs to the registry as a whole: 2 requests. ECR answers them for the caller's own
// account alone (the requests name no registry), so the error is of class Denied for that of another one, whose policy
// nobody but itself sees. The rest is there nevertheless.
func (r *Registry) RegistrySettings(ctx context.Context) (document.RegistrySettings, error) {
	out := document.RegistrySettings{Registry: r.name}
	foreign := func(account *string) error {
		if a := aws.ToString(account); a != "" && a != r.name.Account {
			return &registry.Error{Side: registry.Source, Op: "read the settings of the registry", Object: r.name.Host(), Class: registry.Denied,
				Err: errors.New("ECR shows them to their own account alone, and the credentials belong to " + a), Hint: "assume a role of the account " + r.name.Account}
		}
		return nil
	}
	var failed []error
	policy, err := r.api.GetRegistryPolicy(ctx, &api.GetRegistryPolicyInput{})
	switch {
	case err == nil:
		if err = foreign(policy.RegistryId); err == nil {
			out.Policy = aws.ToString(policy.PolicyText)
		}
	case lacks(err, "RegistryPolicyNotFoundException"):
		err = nil
	}
	if err != nil {
		failed = append(failed, r.fail(ctx, call{op: "read the policy of", object: r.name.Host(), operation: "GetRegistryPolicy"}, err))
	}
	scans, err := r.api.GetRegistryScanningConfiguration(ctx, &api.GetRegistryScanningConfigurationInput{})
	if err == nil {
		err = foreign(scans.RegistryId)
	}
	if err != nil {
		what := call{op: "read the scanning configuration of", object: r.name.Host(), operation: "GetRegistryScanningConfiguration"}
		return out, errors.Join(append(failed, r.fail(ctx, what, err))...)
	}
	if c := scans.ScanningConfiguration; c != nil {
		out.ScanType = string(c.ScanType)
		for _, rule := range c.Rules {
			scan := document.ScanRule{Frequency: string(rule.ScanFrequency), Patterns: []string{}}
			for _, f := range rule.RepositoryFilters {
				scan.Patterns = append(scan.Patterns, aws.ToString(f.Filter))
			}
			slices.Sort(scan.Patterns)
			out.Scans = append(out.Scans, scan)
		}
	}
	return out, errors.Join(failed...)
}
