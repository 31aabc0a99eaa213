package ecr

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/logging"

	"transship/internal/ref"
)

// attemptTimeout bounds one attempt of one request, its body included. The largest answer is 100 manifests.
const attemptTimeout = 2 * time.Minute

// Options say how Load and New reach a registry. The zero value is what a real account needs.
type Options struct {
	// HTTPClient carries the calls to ECR. Nil means the SDK's own, which honours AWS_CA_BUNDLE and the proxy variables.
	// The calls that fetch credentials (STS, SSO, instance metadata) use the SDK's own in any case.
	HTTPClient aws.HTTPClient
	// Logger is told about retries and renewed tokens. Nil means silence.
	Logger *slog.Logger
	// Profile names a profile of the shared configuration. Empty means AWS_PROFILE, or the default one.
	Profile string
	// AccessKey and SecretKey take the place of the SDK's default chain. They are for embedded clouds: a real key belongs
	// into the environment or the shared configuration.
	AccessKey, SecretKey string
	// Form chooses FIPS or dual-stack endpoints of the API. The zero value leaves it to AWS_USE_FIPS_ENDPOINT and
	// AWS_USE_DUALSTACK_ENDPOINT.
	Form ref.HostForm
}

// Registry is one ECR registry: an account in a region. It is safe for concurrent use.
type Registry struct {
	name   ref.Registry
	api    *api.Client
	log    *slog.Logger
	auth   *Authorizer
	accept atomic.Int32 // which list of media types BatchGetImage takes: a position in acceptLists
}

// Load finds the credentials as every AWS tool does (variables, profiles, SSO, web identity, instance metadata) and
// returns the registry r, reached in its region. It makes no request to ECR. Errors are of class Unauthorized: they are
// about the configuration, such as a profile that does not exist.
func Load(ctx context.Context, r ref.Registry, o Options) (*Registry, error) {
	log := logger(o.Logger)
	load := []func(*config.LoadOptions) error{
		config.WithRegion(r.Region),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(attemptTimeout)),
		config.WithLogger(logging.LoggerFunc(func(level logging.Classification, format string, v ...any) {
			log.Debug("AWS SDK", "level", string(level), "format", format)
		})),
	}
	if o.AccessKey != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, "")))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Form.FIPS {
		load = append(load, config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if o.Form.DualStack {
		load = append(load, config.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, configurationError(ctx, r, err)
	}
	return New(cfg, r, o), nil
}

// New returns the registry r as cfg reaches it. Of o it uses HTTPClient, where cfg's is not to be used, and Logger.
func New(cfg aws.Config, r ref.Registry, o Options) *Registry {
	reg := &Registry{name: r, log: logger(o.Logger)}
	cfg = cfg.Copy()
	cfg.Region = r.Region
	cfg.Credentials = markedCredentials{cfg.Credentials}
	if o.HTTPClient != nil {
		cfg.HTTPClient = o.HTTPClient
	}
	reg.api = api.NewFromConfig(cfg, func(a *api.Options) {
		a.Retryer = newRetryer(reg.log)
	})
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
