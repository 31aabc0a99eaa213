package ecr

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/registry"
)

// Action is an IAM action that reading a registry takes.
type Action struct {
	Name     string // such as ecr:DescribeImages
	Grant    string // the one that a policy has to give for it, where that is another
	Why      string // what it is for, in a few words
	Optional bool   // without it, something is left out of what is seen, but nothing fails
	Registry bool   // it is about the registry as a whole: a policy gives it on *, or not at all
}

// ActionToken is the one action that a policy can give on * only.
const ActionToken = "ecr:GetAuthorizationToken"

// Actions are all that a migration asks of a source, in the order in which it does. FACTS A6.
func Actions() []Action {
	return []Action{
		{Name: ActionToken, Why: "sign in to the registry's data plane", Registry: true},
		{Name: "ecr:DescribeRepositories", Why: "list the repositories and their settings"},
		{Name: "ecr:DescribeImages", Why: "list the images and their tags"},
		{Name: "ecr:BatchGetImage", Why: "read manifests"},
		{Name: "ecr:GetDownloadUrlForLayer", Why: "read layers"},
		{Name: "ecr:ListImageReferrers", Grant: "ecr:BatchGetImage", Why: "find what describes an image", Optional: true},
		{Name: "ecr:BatchCheckLayerAvailability", Why: "learn the sizes of layers whose manifests do not tell them", Optional: true},
		{Name: "ecr:DescribePullThroughCacheRules", Why: "recognise pull-through cache repositories", Optional: true, Registry: true},
		{Name: "ecr:GetLifecyclePolicy", Why: "see lifecycle rules", Optional: true},
		{Name: "ecr:GetRepositoryPolicy", Why: "see repository policies", Optional: true},
		{Name: "ecr:ListTagsForResource", Why: "see the repositories' tags", Optional: true},
		{Name: "ecr:GetRegistryPolicy", Why: "see the registry's policy", Optional: true, Registry: true},
		{Name: "ecr:GetRegistryScanningConfiguration", Why: "see what the registry scans", Optional: true, Registry: true},
		{Name: "ecr:ListPullTimeUpdateExclusions", Why: "see whether the migration's pulls count as pulls", Optional: true, Registry: true},
	}
}

// ProbeDigest is a digest that no image and no layer has: who asks for it learns whether the request is allowed, and
// nothing is read, so that ECR records no pull.
const ProbeDigest = digest.Digest("sha256:7472616e73736869702d646f63746f722d70726f62652d6e6f2d696d61676500")

// ProbeRepository is a name to probe with where the registry holds no repository that could be asked about.
const ProbeRepository = "transship-doctor-probe"

// probeAttempts is how often a probe is sent: who waits for a diagnosis wants to hear of trouble, not to sit it out.
const probeAttempts = 2

func brief(o *api.Options) { o.Retryer = retry.AddWithMaxAttempts(o.Retryer, probeAttempts) }

// Probe asks whether the caller may do action on repository, in a way that changes nothing: 1 request. It is nil where
// the action is allowed. The error is a *registry.Error: of class Denied where it is not; of class NotFound or
// NoRepository never, since to be told so takes the permission. An action that is not the API's, such as reading a layer,
// is for the data plane, and of class Unsupported here.
func (r *Registry) Probe(ctx context.Context, action, repository string) error {
	name := strings.TrimPrefix(action, "ecr:")
	c := call{op: "ask for " + action + " on", object: r.name.Repository(repository).String(), operation: name}
	probe := probes()[name]
	if probe == nil {
		return &registry.Error{Side: registry.Source, Op: c.op, Object: c.object, Class: registry.Unsupported}
	}
	err := r.fail(ctx, c, probe(ctx, r, aws.String(repository)))
	switch registry.ClassOf(err) {
	case registry.NotFound, registry.NoRepository:
		return nil
	case registry.Unknown, registry.Invalid: // LifecyclePolicyNotFoundException and its like are answers, too
		if err != nil && strings.Contains(err.Error(), "NotFoundException") {
			return nil
		}
	}
	return err
}

type probe func(ctx context.Context, r *Registry, repository *string) error

func probes() map[string]probe {
	image := []types.ImageIdentifier{{ImageDigest: aws.String(ProbeDigest.String())}}
	return map[string]probe{
		"GetAuthorizationToken": func(ctx context.Context, r *Registry, _ *string) error {
			_, err := r.api.GetAuthorizationToken(ctx, &api.GetAuthorizationTokenInput{}, brief)
			return err
		},
		"DescribeRepositories": func(ctx context.Context, r *Registry, repository *string) error {
			in := &api.DescribeRepositoriesInput{RegistryId: r.account(), RepositoryNames: []string{*repository}}
			_, err := r.api.DescribeRepositories(ctx, in, brief)
			return err
		},
		"DescribeImages": func(ctx context.Context, r *Registry, repository *string) error {
			_, err := r.api.DescribeImages(ctx, &api.DescribeImagesInput{RegistryId: r.account(), RepositoryName: repository, ImageIds: image}, brief)
			return err
		},
		"BatchGetImage": func(ctx context.Context, r *Registry, repository *string) error {
			_, err := r.api.BatchGetImage(ctx, &api.BatchGetImageInput{RegistryId: r.account(), RepositoryName: repository, ImageIds: image}, brief)
			return err
		},
		"ListImageReferrers": func(ctx context.Context, r *Registry, repository *string) error {
			subject := &types.SubjectIdentifier{ImageDigest: image[0].ImageDigest}
			_, err := r.api.ListImageReferrers(ctx, &api.ListImageReferrersInput{RegistryId: r.account(), RepositoryName: repository, SubjectId: subject}, brief)
			return err
		},
		"BatchCheckLayerAvailability": func(ctx context.Context, r *Registry, repository *string) error {
			in := &api.BatchCheckLayerAvailabilityInput{RegistryId: r.account(), RepositoryName: repository, LayerDigests: []string{ProbeDigest.String()}}
			_, err := r.api.BatchCheckLayerAvailability(ctx, in, brief)
			return err
		},
		"DescribePullThroughCacheRules": func(ctx context.Context, r *Registry, _ *string) error {
			_, err := r.api.DescribePullThroughCacheRules(ctx, &api.DescribePullThroughCacheRulesInput{RegistryId: r.account(), MaxResults: aws.Int32(1)}, brief)
			return err
		},
		"GetLifecyclePolicy": func(ctx context.Context, r *Registry, repository *string) error {
			_, err := r.api.GetLifecyclePolicy(ctx, &api.GetLifecyclePolicyInput{RegistryId: r.account(), RepositoryName: repository}, brief)
			return err
		},
		"GetRepositoryPolicy": func(ctx context.Context, r *Registry, repository *string) error {
			_, err := r.api.GetRepositoryPolicy(ctx, &api.GetRepositoryPolicyInput{RegistryId: r.account(), RepositoryName: repository}, brief)
			return err
		},
		"GetRegistryPolicy": func(ctx context.Context, r *Registry, _ *string) error {
			_, err := r.api.GetRegistryPolicy(ctx, &api.GetRegistryPolicyInput{}, brief)
			return err
		},
		"GetRegistryScanningConfiguration": func(ctx context.Context, r *Registry, _ *string) error {
			_, err := r.api.GetRegistryScanningConfiguration(ctx, &api.GetRegistryScanningConfigurationInput{}, brief)
			return err
		},
		"ListTagsForResource": func(ctx context.Context, r *Registry, repository *string) error {
			_, err := r.api.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: aws.String(r.name.ARN(*repository))}, brief)
			return err
		},
	}
}

// SomeRepositories returns the names of the first repositories of the registry, at most 1,000: 1 request. The error is a
// *registry.Error.
func (r *Registry) SomeRepositories(ctx context.Context) ([]string, error) {
	c := call{op: "list repositories of", object: r.name.Host(), operation: "DescribeRepositories"}
	out, err := r.api.DescribeRepositories(ctx, &api.DescribeRepositoriesInput{RegistryId: r.account(), MaxResults: aws.Int32(pageSize)}, brief)
	if err != nil {
		return nil, r.fail(ctx, c, err)
	}
	names := make([]string, 0, len(out.Repositories))
	for _, repo := range out.Repositories {
		names = append(names, aws.ToString(repo.RepositoryName))
	}
	return names, nil
}

// PullTimeExclusions returns the principals whose pulls ECR does not record. FACTS A1. The error is a *registry.Error.
func (r *Registry) PullTimeExclusions(ctx context.Context) ([]string, error) {
	c := call{op: "list the pull-time exclusions of", object: r.name.Host(), operation: "ListPullTimeUpdateExclusions"}
	var out []string
	in := &api.ListPullTimeUpdateExclusionsInput{}
	for {
		page, err := r.api.ListPullTimeUpdateExclusions(ctx, in, brief)
		if err != nil {
			return nil, r.fail(ctx, c, err)
		}
		out = append(out, page.PullTimeUpdateExclusions...)
		if next := aws.ToString(page.NextToken); next == "" || next == aws.ToString(in.NextToken) {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

// Principal turns the ARN of an assumed role's session into that of the role, which is what a policy and an exclusion
// name. Other ARNs stay as they are. The role's path is not in it: STS does not tell.
func Principal(arn string) string { return principal(arn) }

// ProbeToken asks for an authorization token and returns what puts it into a request: 1 request. It is not renewed. The
// error is a *registry.Error.
func (r *Registry) ProbeToken(ctx context.Context) (func(*http.Request), error) {
	t, err := r.token(ctx)
	if err != nil {
		return nil, err
	}
	return func(req *http.Request) { req.Header.Set("Authorization", t.secret.Reveal()) }, nil
}

// APIHost is the host of the registry's API: what AWS_ENDPOINT_URL_ECR and the like name, else the region's. It is empty
// where that is not reached over TLS.
func (r *Registry) APIHost(ctx context.Context) string {
	o := r.api.Options()
	if o.BaseEndpoint != nil {
		u, err := url.Parse(*o.BaseEndpoint)
		if err != nil || u.Scheme != "https" {
			return ""
		}
		return u.Host
	}
	e, err := o.EndpointResolverV2.ResolveEndpoint(ctx, api.EndpointParameters{
		Region:       aws.String(o.Region),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil {
		return ""
	}
	return e.URI.Host
}

// Here says who the caller of the default chain is, and in which region; the region may be empty. 1 request to STS. The
// error is a *registry.Error.
func Here(ctx context.Context, o Options) (Identity, string, error) {
	cfg, err := configure(ctx, "", o)
	if err != nil {
		return Identity{}, "", configurationError(ctx, ref.Registry{}, o.profile(), err)
	}
	region := cfg.Region
	identity, err := New(cfg, ref.Registry{Region: cmp.Or(region, fallbackRegion)}, o).Identity(ctx)
	return identity, region, err
}
