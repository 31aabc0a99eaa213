package clouds

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/ecr"
	"transship/internal/registry/gar"
	"transship/internal/registry/governor"
	"transship/internal/registry/oci"
)

// Artifact Registry's quotas a project and location, a minute. FACTS B4 [D].
const (
	requestsPerMinute = 60_000
	writesPerMinute   = 18_000
)

// Target is Artifact Registry: all hosts that the mapping leads to.
type Target struct {
	*gar.Cloud
	keys    *gar.Keyring
	options Options

	mu    sync.Mutex
	hosts map[string]*oci.Client
}

// OpenTarget finds the credentials and returns Artifact Registry, reached as o.Target says. It asks the registry nothing.
func OpenTarget(ctx context.Context, o Options) (*Target, error) {
	co := o.google()
	co.Impersonate, co.Hosts = o.Target.Impersonate, o.Target.Hosts
	sessions := ecr.Sessions(o.aws())
	co.AWS = func(ctx context.Context) (gar.AWSSession, error) {
		s, err := sessions(ctx)
		return gar.AWSSession{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken, Region: s.Region}, err
	}
	keys, err := gar.FindCredentials(ctx, co)
	if err != nil {
		return nil, err
	}
	var transport http.RoundTripper
	if o.Transport != nil {
		transport = o.Transport.Clone()
	}
	if o.Observe != nil {
		if transport == nil {
			transport = gar.NewTransport()
		}
		transport = o.watch(transport)
	}
	cloud, err := gar.New(gar.Options{Credentials: keys, Transport: transport, Logger: o.logger(), Governor: o.Limits.capped(governor.Options{})})
	if err != nil {
		return nil, err
	}
	return &Target{Cloud: cloud, keys: keys, options: o, hosts: map[string]*oci.Client{}}, nil
}

// host returns the data plane that t is on.
func (t *Target) host(image ref.TargetImage) *oci.Client {
	host := image.Repository.Host()
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.hosts[host]
	if c == nil {
		messages := t.options.watch(oci.NewMessageTransport(t.options.Transport))
		c = oci.New(oci.Options{
			Side: registry.Target, Host: host, Transport: t.options.watch(oci.NewTransport(t.options.Transport)), Messages: messages,
			Auth: t.keys.Authorizer(host, messages), Logger: t.options.logger(), Hint: hint,
			Governor: t.options.Limits.governor(host, governor.Options{RequestsPerMinute: requestsPerMinute, WritesPerMinute: writesPerMinute}),
		})
		t.hosts[host] = c
	}
	return c
}

// hint says what to do about what Artifact Registry refuses.
func hint(name string, class registry.Class) string {
	switch class {
	case registry.NoRepository:
		return `run "transship provision", which creates the repositories that are missing`
	case registry.Denied:
		return "give the caller roles/artifactregistry.writer on the repository"
	case registry.Immutable:
		return "the repository has immutable tags: delete the tag there, or exclude the repository " + name
	}
	return ""
}

// HeadManifest returns the digest of what a tag or digest names.
func (t *Target) HeadManifest(ctx context.Context, image ref.TargetImage, reference string) (digest.Digest, error) {
	return t.host(image).HeadManifest(ctx, image.Name(), reference)
}

// Manifest reads one manifest.
func (t *Target) Manifest(ctx context.Context, image ref.TargetImage, d digest.Digest) (registry.Manifest, error) {
	return t.host(image).Manifest(ctx, image.Name(), d.String())
}

// PutManifest writes a manifest under a tag or its digest.
func (t *Target) PutManifest(ctx context.Context, image ref.TargetImage, reference string, m registry.Manifest) error {
	return t.host(image).PutManifest(ctx, image.Name(), reference, m)
}

// HeadBlob returns nil where the blob is there.
func (t *Target) HeadBlob(ctx context.Context, image ref.TargetImage, b registry.Blob) error {
	return t.host(image).HeadBlob(ctx, image.Name(), b)
}

// OpenBlob reads a blob; its last byte comes only where size and digest are right.
func (t *Target) OpenBlob(ctx context.Context, image ref.TargetImage, b registry.Blob) (io.ReadCloser, error) {
	return t.host(image).OpenBlob(ctx, image.Name(), b)
}

// MountBlob asks for a blob to be taken over from another place on the same host.
func (t *Target) MountBlob(ctx context.Context, image ref.TargetImage, b registry.Blob, from ref.TargetImage) (oci.Upload, bool, error) {
	return t.host(image).MountBlob(ctx, image.Name(), b, from.Name())
}

// PushBlob uploads a blob.
func (t *Target) PushBlob(ctx context.Context, image ref.TargetImage, b registry.Blob, u oci.Upload, open oci.Opener) error {
	return t.host(image).PushBlob(ctx, image.Name(), b, u, open)
}

// Identity says where the credentials come from, without showing them.
func (t *Target) Identity() string { return t.keys.String() }

// Stats are the numbers of all hosts' governors, by host.
func (t *Target) Stats() map[string]governor.Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]governor.Stats, len(t.hosts))
	for host, c := range t.hosts {
		out[host] = c.Governor().Stats()
	}
	return out
}
