package gar

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/artifactregistry/v1"
	"google.golang.org/api/option"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/governor"
)

// DefaultEndpoint is where the API is.
const DefaultEndpoint = "https://artifactregistry.googleapis.com/"

// Options say how New reaches the API.
type Options struct {
	// Credentials authorize every request; required.
	Credentials *Keyring
	// Transport carries the requests. Nil means a copy of net/http's default one, which honours the proxy variables.
	Transport http.RoundTripper
	// Logger is told about requests and retries. Nil means silence.
	Logger *slog.Logger
	// Endpoint is the API's URL, without the version. Empty means DefaultEndpoint. It must be https.
	Endpoint string
	// Governor are the limits of the requests to the API; where they name no horizon, a request is tried for 5 minutes.
	Governor governor.Options
}

// Cloud is Artifact Registry as one caller sees it: all projects and locations. It is safe for concurrent use.
type Cloud struct {
	repositories *api.ProjectsLocationsRepositoriesService
	operations   *api.ProjectsLocationsOperationsService
	client       *http.Client
	endpoint     string
	keys         *Keyring
	log          *slog.Logger
}

// New returns a Cloud. It makes no request. The error is about the options.
func New(o Options) (*Cloud, error) {
	if o.Credentials == nil {
		return nil, errors.New("there are no credentials for Artifact Registry")
	}
	if o.Endpoint == "" {
		o.Endpoint = DefaultEndpoint
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an endpoint of Artifact Registry: want https://HOST/", o.Endpoint)
	}
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	log := logger(o.Logger)
	client := &http.Client{
		Transport: &retryTransport{log: log, governor: newGovernor(o.Governor), next: &authTransport{keys: o.Credentials, host: u.Host, next: o.Transport}},
		// The API does not redirect. Something on the way that does would be taken for it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	service, err := api.NewService(context.Background(), option.WithHTTPClient(client), option.WithEndpoint(o.Endpoint))
	if err != nil {
		return nil, fmt.Errorf("reach Artifact Registry at %s: %w", o.Endpoint, err)
	}
	service.UserAgent = "transship"
	return &Cloud{
		repositories: service.Projects.Locations.Repositories, operations: service.Projects.Locations.Operations,
		client: client, endpoint: strings.TrimSuffix(o.Endpoint, "/") + "/", keys: o.Credentials, log: log,
	}, nil
}

// NewTransport returns a copy of net/http's default transport, which honours the proxy variables.
func NewTransport() http.RoundTripper {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return http.DefaultTransport
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// Repository reads the settings of r: 1 request. It is of class NoRepository where r does not exist.
func (c *Cloud) Repository(ctx context.Context, r ref.TargetRepository) (document.TargetRepository, error) {
	out, err := c.repositories.Get(r.ResourceName()).Context(ctx).Do()
	if err != nil {
		return document.TargetRepository{}, c.fail(ctx, call{op: "read repository", object: r.String(), repository: r, permission: "repositories.get"}, err)
	}
	return targetRepository(r, out), nil
}

// Repositories lists the repositories of all formats in one location of a project: 1 request a 1,000.
func (c *Cloud) Repositories(ctx context.Context, project, location string) iter.Seq2[document.TargetRepository, error] {
	where := ref.TargetRepository{Project: project, Location: location}
	what := call{op: "list repositories of", object: "project " + project + " in " + location, repository: where, permission: "repositories.list"}
	return func(yield func(document.TargetRepository, error) bool) {
		for item, err := range registry.Pages(errRepeatedToken, func(token string) ([]*api.Repository, string, error) {
			out, err := c.repositories.List("projects/" + project + "/locations/" + location).PageSize(pageSize).PageToken(token).Context(ctx).Do()
			if err != nil {
				return nil, "", err
			}
			return out.Repositories, out.NextPageToken, nil
		}) {
			r := where
			if err == nil && item == nil {
				err = errNull
			}
			if err == nil {
				r.ID, err = lastSegment(item.Name, "/repositories/")
			}
			if err != nil {
				yield(document.TargetRepository{}, c.fail(ctx, what, err))
				return
			}
			if !yield(targetRepository(r, item), nil) {
				return
			}
		}
	}
}

func targetRepository(r ref.TargetRepository, in *api.Repository) document.TargetRepository {
	out := document.TargetRepository{
		URI: r, Format: in.Format, Mode: in.Mode, Description: in.Description, CreatedAt: parseTime(in.CreateTime),
		TargetSettings: document.TargetSettings{KMSKey: in.KmsKeyName, Labels: in.Labels, CleanupDryRun: in.CleanupPolicyDryRun},
	}
	for _, id := range slices.Sorted(maps.Keys(in.CleanupPolicies)) {
		out.Cleanup = append(out.Cleanup, cleanupPolicy(id, in.CleanupPolicies[id]))
	}
	if in.DockerConfig != nil {
		out.ImmutableTags = in.DockerConfig.ImmutableTags
	}
	if in.VulnerabilityScanningConfig != nil {
		out.Scanning = in.VulnerabilityScanningConfig.EnablementConfig
	}
	return out
}

func cleanupPolicy(id string, in api.CleanupPolicy) document.CleanupPolicy {
	out := document.CleanupPolicy{ID: id, Action: in.Action}
	if c := in.Condition; c != nil {
		out.Condition = &document.CleanupCondition{
			TagState: c.TagState, TagPrefixes: c.TagPrefixes, VersionPrefixes: c.VersionNamePrefixes, PackagePrefixes: c.PackageNamePrefixes,
			OlderThan: parseSeconds(c.OlderThan), NewerThan: parseSeconds(c.NewerThan),
		}
	}
	if m := in.MostRecentVersions; m != nil {
		out.MostRecent = &document.MostRecent{PackagePrefixes: m.PackageNamePrefixes, KeepCount: int(m.KeepCount)}
	}
	return out
}

// parseSeconds reads a duration as the API writes it, such as 1209600s; 0 where s is none.
func parseSeconds(s string) document.Seconds {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return document.Seconds(d / time.Second)
}

// parseTime returns the zero time where s is none: times are for people here.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

var errRepeatedToken = errors.New("the listing does not end: Artifact Registry answered the same nextPageToken twice")
