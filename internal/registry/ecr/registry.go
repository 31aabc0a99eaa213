package ecr

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"transship/internal/ref"
	"transship/internal/registry/governor"
)

// attemptTimeout bounds one attempt of one request, its body included. The largest answer is 100 manifests.
const attemptTimeout = 2 * time.Minute

// Options say how Load and New reach a registry. The zero value is what a real account needs.
type Options struct {
	// HTTPClient carries the calls to ECR, STS and SSO. Nil means the SDK's own, which honours AWS_CA_BUNDLE and the proxy
	// variables. The metadata services of the machine and its container, which speak plain HTTP, are always asked the
	// SDK's own way.
	HTTPClient aws.HTTPClient
	// Logger is told about requests, retries and renewed tokens. Nil means silence.
	Logger *slog.Logger
	// Profile names a profile of the shared configuration. Empty means AWS_PROFILE, or the default one.
	Profile string
	// AccessKey and SecretKey take the place of the SDK's default chain. They are for embedded clouds: a real key belongs
	// into the environment or the shared configuration.
	AccessKey, SecretKey string
	// Form chooses FIPS or dual-stack endpoints of ECR's API, as FACTS A3 has them, unless AWS_ENDPOINT_URL_ECR names
	// another. The zero value leaves it to AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT. STS and SSO follow those
	// variables alone: a region may have FIPS for ECR only.
	Form ref.HostForm
	// RoleARN is the role to assume with what the default chain gives. Empty means none.
	RoleARN string
	// ExternalID is what the role's trust policy may want to hear.
	ExternalID string
	// SessionName names the role's session, in 2 to 64 letters, digits and _+=,.@-. Empty means transship.
	SessionName string
	// WebIdentity gives an OIDC token with the given audience, with which the role is assumed where the default chain gives
	// nothing. Nil means that there are none.
	WebIdentity func(ctx context.Context, audience string) (string, error)
	// WebIdentityOnly assumes the role with the OIDC token even where there are AWS credentials.
	WebIdentityOnly bool
	// WebIdentityAudience is the token's audience. Empty means RoleARN.
	WebIdentityAudience string
	// Governor gives out slots for the attempts of requests to ECR's API, for those who must cap them; nil caps nothing. It
	// only caps: the retries and their waits stay with the retryer.
	Governor *governor.Governor
	// Observe is told of each attempt of a request to ECR's API: its host, its HTTP status (0 without an answer), and whether
	// it was throttled. May be nil.
	Observe func(host string, status int, throttled bool)
	// Horizon is for how long a request to ECR's API is tried again, about; 0 means 10 minutes.
	Horizon time.Duration
	// Region is where Sessions says that the caller is, if AWS_REGION, the profile and the machine are not to. Load does not
	// look at it.
	Region string
}

// Registry is one ECR registry: an account in a region. It is safe for concurrent use.
type Registry struct {
	name ref.Registry
	api  *api.Client
	sts  *sts.Client
	log  *slog.Logger
	auth *Authorizer
	// profile is the one that the credentials are of, as far as anybody named it.
	profile string
	accept  atomic.Int32 // which list of media types BatchGetImage takes: a position in acceptLists
}

// Load finds the credentials as every AWS tool does (variables, profiles, SSO, web identity, instance metadata) and
// returns the registry r, reached in its region. It makes no request to ECR. Errors are of class Unauthorized: they are
// about the configuration, such as a profile that does not exist.
func Load(ctx context.Context, r ref.Registry, o Options) (*Registry, error) {
	cfg, err := configure(ctx, r.Region, o)
	if err != nil {
		return nil, configurationError(ctx, r, o.profile(), err)
	}
	return New(cfg, r, o), nil
}

// Config returns the SDK's configuration for another service beside the registry r, so that it is reached as ECR is: the
// endpoints and certificates that the environment and the profile name hold for it, too. It makes no request to the
// service. Errors are those of Load.
func Config(ctx context.Context, r ref.Registry, o Options) (aws.Config, error) {
	cfg, err := configure(ctx, r.Region, o)
	if err != nil {
		return aws.Config{}, configurationError(ctx, r, o.profile(), err)
	}
	return cfg, nil
}

// New returns the registry r as cfg reaches it. Of o it uses HTTPClient, where cfg's is not to be used,
// Form, Governor, Horizon, Observe and Logger.
func New(cfg aws.Config, r ref.Registry, o Options) *Registry {
	reg := &Registry{name: r, log: logger(o.Logger), profile: o.profile()}
	cfg = cfg.Copy()
	cfg.Region = r.Region
	var cache *aws.CredentialsCache
	if cfg.Credentials != nil {
		cache = newCache(cfg.Credentials)
	}
	cfg.Credentials = markedCredentials{cache}
	if o.HTTPClient != nil {
		cfg.HTTPClient = o.HTTPClient
	}
	reg.api = api.NewFromConfig(cfg, func(a *api.Options) {
		a.Retryer = newRetryer(reg.log, cache, o.Horizon)
		a.APIOptions = append(a.APIOptions, bounded, markCuts, observed(reg.log, o.Observe))
		if o.Governor != nil {
			a.APIOptions = append(a.APIOptions, governed(o.Governor))
		}
		if a.BaseEndpoint == nil && o.Form.FIPS {
			a.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}
		if a.BaseEndpoint == nil && o.Form.DualStack {
			a.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
		}
	})
	reg.sts = sts.NewFromConfig(cfg, func(o *sts.Options) { o.APIOptions = append(o.APIOptions, bounded) })
	reg.auth = &Authorizer{fetch: reg.token, log: reg.log}
	return reg
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// Name returns which registry it is.
func (r *Registry) Name() ref.Registry { return r.name }

// Authorizer returns what authorizes the requests of the data plane. All calls return the same one, so that all share a
// token.
func (r *Registry) Authorizer() *Authorizer { return r.auth }

// account is the registry id that goes with every request: without it, ECR takes the caller's own account.
func (r *Registry) account() *string { return aws.String(r.name.Account) }
