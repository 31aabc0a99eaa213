// Package clouds stands the two sides up: it stacks, for each ECR registry and for Artifact Registry, the control plane,
// the data plane, the credentials and the governor, in one place. Its Source and Target are what the stages ask for.
//
//	registry/ecr + registry/oci ─→ Source ─→ inventory, content, transfer
//	registry/gar + registry/oci ─→ Target ─→ inventory, provision, transfer, verify
package clouds

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net/http"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/ecr"
	"transship/internal/registry/gar"
	"transship/internal/registry/governor"
	"transship/internal/registry/oci"
)

// Options say how both clouds are reached. The zero value is what real accounts need.
type Options struct {
	// Transport is cloned for each host; nil means the standard library's default with proxies from the environment.
	Transport *http.Transport
	// Getenv reads the environment; nil means an empty one.
	Getenv func(string) string
	// Logger is told about requests and retries; nil means silence.
	Logger *slog.Logger
	// AWSKey is a pair of access key id and secret in place of the SDK's default chain, for the embedded clouds.
	AWSKey [2]string
	// Source says as whom OpenSource reaches its registry.
	Source SourceOptions
	// Target says as whom OpenTarget reaches Artifact Registry.
	Target TargetOptions
	// Limits cap what is asked and read; nil caps nothing.
	Limits *Limits
	// Observe is told of each attempt of a request that is sent to a registry or a queue: its host, its HTTP status (0
	// without an answer), and whether it was throttled. It is called at any time and must return at once. May be nil.
	Observe func(host string, status int, throttled bool)
}

// SourceOptions say as whom one ECR registry is reached. The zero value is whoever the AWS SDK's default chain finds.
type SourceOptions struct {
	// Profile names a profile of the shared AWS configuration; empty means AWS_PROFILE, or the default one.
	Profile string
	// RoleARN is the role to assume with what was found, such as arn:aws:iam::123456789012:role/migration-reader; empty
	// means none. Where AWS has no credentials and Google has (GKE, Cloud Run, GCE, a service account), an ID token of
	// Google's assumes it.
	RoleARN string
	// ExternalID is what the role's trust policy may want to hear; it goes with RoleARN.
	ExternalID string
	// SessionName names the role's session in CloudTrail; empty means transship.
	SessionName string
	// WebIdentity is WebIdentityGoogle where the role is to be assumed with Google's ID token even though AWS has
	// credentials; empty leaves it to what there is.
	WebIdentity string
	// WebIdentityAudience is the audience of the ID token; empty means the role's ARN.
	WebIdentityAudience string
}

// WebIdentityGoogle is the SourceOptions.WebIdentity of an ID token of Google's.
const WebIdentityGoogle = "google"

// TargetOptions say as whom Artifact Registry is reached. The zero value is whoever GOOGLE_OAUTH_ACCESS_TOKEN, the
// Application Default Credentials or, when there are none, the docker configuration say.
type TargetOptions struct {
	// Impersonate is the e-mail address of a service account to act as; empty means none.
	Impersonate string
	// Hosts are the registry hosts that the mapping leads to, such as us-docker.pkg.dev. They matter only where there are
	// no credentials but docker's: those are looked for at once, rather than when the host is first asked.
	Hosts []string
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

func (o Options) getenv(name string) string {
	if o.Getenv == nil {
		return ""
	}
	return o.Getenv(name)
}

// Source is one ECR registry.
type Source struct {
	control *ecr.Registry
	data    *oci.Client
	band    *bandwidth // nil where there is no cap
	as      SourceOptions
}

// aws reaches AWS as whoever the default chain finds.
func (o Options) aws() ecr.Options {
	eo := ecr.Options{Logger: o.logger(), AccessKey: o.AWSKey[0], SecretKey: o.AWSKey[1]}
	if o.Transport != nil {
		eo.HTTPClient = &http.Client{Transport: o.Transport.Clone()}
	}
	return eo
}

// google reaches Google as whoever this machine is there.
func (o Options) google() gar.CredentialOptions {
	co := gar.CredentialOptions{Getenv: o.getenv, Logger: o.logger()}
	if o.Transport != nil {
		co.HTTPClient = &http.Client{Transport: o.Transport.Clone()}
	}
	return co
}

// OpenSource returns the registry r, reached as o.Source says. It makes no request to ECR.
func OpenSource(ctx context.Context, r ref.Registry, form ref.HostForm, o Options) (*Source, error) {
	eo := o.aws()
	eo.Form, eo.Governor, eo.Horizon = form, o.Limits.onlyCap("api.ecr."+r.Region), o.Limits.horizon()
	eo.Profile, eo.RoleARN, eo.ExternalID, eo.SessionName = o.Source.Profile, o.Source.RoleARN, o.Source.ExternalID, o.Source.SessionName
	eo.Observe = o.Observe
	o.webIdentity(&eo)
	control, err := ecr.Load(ctx, r, eo)
	if err != nil {
		return nil, err
	}
	host := r.HostIn(form)
	data := oci.New(oci.Options{
		Side: registry.Source, Host: host, Transport: o.watch(oci.NewTransport(o.Transport)),
		Messages: o.watch(oci.NewMessageTransport(o.Transport)),
		Auth:     control.Authorizer(), Logger: o.logger(),
		Governor:  o.Limits.governor(host, governor.Options{}),
		Elsewhere: o.Limits.governor(r.LayersHost(), governor.Options{}),
	})
	return &Source{control: control, data: data, band: o.Limits.bandwidth(), as: o.Source}, nil
}

// webIdentity lets a role be assumed with an ID token of Google's.
func (o Options) webIdentity(eo *ecr.Options) {
	if eo.RoleARN != "" {
		google := o.google()
		google.Impersonate = o.Target.Impersonate
		eo.WebIdentity, eo.WebIdentityAudience = gar.IDTokens(google), o.Source.WebIdentityAudience
		eo.WebIdentityOnly = o.Source.WebIdentity == WebIdentityGoogle
	}
}

// Warm gets the credential of the data plane ready, while the caller does other things. What goes wrong, whoever needs
// the credential is told.
func (s *Source) Warm(ctx context.Context) { s.data.Warm(ctx) }

// Registry says which one it is.
func (s *Source) Registry() ref.Registry { return s.control.Name() }

// Repositories yields every repository with its settings.
func (s *Source) Repositories(ctx context.Context) iter.Seq2[document.SourceRepository, error] {
	return s.control.Repositories(ctx)
}

// Images yields every image of a repository, archived ones too.
func (s *Source) Images(ctx context.Context, repo ref.Repository) iter.Seq2[document.SourceImage, error] {
	return s.control.Images(ctx, repo)
}

// Referrers returns the images that describe subject.
func (s *Source) Referrers(ctx context.Context, repo ref.Repository, subject digest.Digest) ([]document.SourceImage, error) {
	return s.control.Referrers(ctx, repo, subject)
}

// Manifests reads manifests in bulk.
func (s *Source) Manifests(ctx context.Context, repo ref.Repository, ds []digest.Digest) ([]registry.Manifest, map[digest.Digest]error, error) {
	return s.control.Manifests(ctx, repo, ds)
}

// Manifest reads one manifest from the data plane, by digest: by tag, ECR may convert it. FACTS A4 [D].
func (s *Source) Manifest(ctx context.Context, repo ref.Repository, d digest.Digest) (registry.Manifest, error) {
	return s.data.Manifest(ctx, repo.Name, d.String())
}

// PrepareBlob begins to look for a blob and returns how to open it; its readers go on where a connection breaks, within
// the bandwidth that there is.
func (s *Source) PrepareBlob(ctx context.Context, repo ref.Repository, b registry.Blob) oci.Opener {
	open := s.data.PrepareBlob(ctx, repo.Name, b)
	return func(ctx context.Context) (io.ReadCloser, error) {
		return s.band.open(ctx, repo.String()+"@"+b.Digest.String(), b.Size, open)
	}
}

// Stats are the numbers of the data plane's governor.
func (s *Source) Stats() governor.Stats { return s.data.Governor().Stats() }

// StorageStats are the numbers of the governor of S3, where ECR keeps the bytes.
func (s *Source) StorageStats() governor.Stats { return s.data.Elsewhere().Stats() }

// RegistrySettings reads what belongs to the registry as a whole.
func (s *Source) RegistrySettings(ctx context.Context) (document.RegistrySettings, error) {
	return s.control.RegistrySettings(ctx)
}

// RepositorySettings reads what guards one repository.
func (s *Source) RepositorySettings(ctx context.Context, repo ref.Repository) (document.RepositorySettings, error) {
	return s.control.RepositorySettings(ctx, repo)
}
