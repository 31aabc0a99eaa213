package clouds

import (
	"context"
	"errors"
	"net/http"

	"transship/internal/ref"
	"transship/internal/registry/ecr"
	"transship/internal/registry/gar"
)

// Here returns the registry of the account and region that this machine's AWS credentials are of, with the caller's ARN:
// 1 request. The error says what is missing.
func Here(ctx context.Context, o Options) (ref.Registry, string, error) {
	eo := ecr.Options{Logger: o.logger(), AccessKey: o.AWSKey[0], SecretKey: o.AWSKey[1], Profile: o.Source.Profile}
	if o.Transport != nil {
		eo.HTTPClient = &http.Client{Transport: o.Transport.Clone()}
	}
	who, region, err := ecr.Here(ctx, eo)
	if err != nil {
		return ref.Registry{}, "", err
	}
	if region == "" {
		return ref.Registry{}, who.ARN, errors.New("no region is configured: set AWS_REGION, or region in the profile")
	}
	r := ref.Registry{Account: who.Account, Region: region}
	return r, who.ARN, r.Validate()
}

// GoogleProject is the project that the environment, the credentials or gcloud name; empty where none does.
func GoogleProject(o Options) string { return gar.Project(o.getenv) }

// Names returns the names of some repositories of the registry, at most 1,000: 1 request.
func (s *Source) Names(ctx context.Context) ([]string, error) { return s.control.SomeRepositories(ctx) }
