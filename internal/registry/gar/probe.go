package gar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/api/googleapi"

	"transship/internal/ref"
	"transship/internal/registry"
)

// Permission is what using the target takes.
type Permission struct {
	Name     string // such as artifactregistry.repositories.uploadArtifacts
	Why      string // what it is for, in a few words
	Project  bool   // it is asked of the project, since the repository does not exist yet
	Optional bool   // images arrive without it
}

// PermissionCreate is what creating repositories takes.
const PermissionCreate = "artifactregistry.repositories.create"

// PermissionUntag is what following deletions at the source takes. A migration without that does not need it.
const PermissionUntag = "artifactregistry.tags.delete"

// Permissions are all that a migration asks of a target.
func Permissions() []Permission {
	return []Permission{
		{Name: "artifactregistry.repositories.get", Why: "see the repository's settings"},
		{Name: "artifactregistry.repositories.downloadArtifacts", Why: "look at images"},
		{Name: "artifactregistry.repositories.uploadArtifacts", Why: "write images and tags"},
		{Name: "artifactregistry.dockerimages.list", Why: "list images in bulk"},
		{Name: "artifactregistry.versions.list", Why: "list the versions of one image path"},
		{Name: "artifactregistry.tags.list", Why: "list tags"},
		{Name: "artifactregistry.repositories.update", Why: "set what guards the images on a repository that exists", Optional: true},
		{Name: "artifactregistry.repositories.list", Why: "list repositories", Project: true},
		{Name: PermissionCreate, Why: "create repositories that are missing", Project: true},
	}
}

const api1 = DefaultEndpoint + "v1/"

// projectsHost answers for the permissions on a project.
const projectsHost = "https://cloudresourcemanager.googleapis.com/"

// Probe is a look at the API that is sent once and not again: who waits for a diagnosis wants to hear of trouble, not to
// sit it out. It is safe for concurrent use.
type Probe struct {
	cloud  *Cloud
	client *http.Client
}

// Probe returns a look at c through transport, which must add no credentials.
func (c *Cloud) Probe(transport http.RoundTripper) *Probe {
	return &Probe{c, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Authorize sets req's Authorization header to what the registry at host takes.
func (p *Probe) Authorize(ctx context.Context, host string, req *http.Request) error {
	s, err := p.cloud.keys.Host(ctx, host)
	if err != nil {
		return err
	}
	return s.Authorize(ctx, req)
}

// Origin says where the credentials come from.
func (p *Probe) Origin() string { return p.cloud.keys.String() }

// Repository is what the API says of a repository.
type Repository struct {
	Format, Mode  string
	ImmutableTags bool
}

// Repository reads a repository's settings: 1 request. The error is a *registry.Error, of class NoRepository where there
// is none.
func (p *Probe) Repository(ctx context.Context, r ref.TargetRepository) (Repository, error) {
	var body struct {
		Format       string `json:"format"`
		Mode         string `json:"mode"`
		DockerConfig struct {
			ImmutableTags bool `json:"immutableTags"`
		} `json:"dockerConfig"`
	}
	what := call{op: "read repository", object: r.String(), repository: r, permission: "repositories.get"}
	err := p.do(ctx, what, http.MethodGet, api1+escaped(r.ResourceName()), nil, &body)
	return Repository{body.Format, body.Mode, body.DockerConfig.ImmutableTags}, err
}

// Listed reports whether the location lists the repository, which tells a missing one from one that the caller may not
// see. The error is a *registry.Error.
func (p *Probe) Listed(ctx context.Context, r ref.TargetRepository) (bool, error) {
	parent, _, _ := strings.Cut(r.ResourceName(), "/repositories/")
	what := call{op: "list repositories of", object: "project " + r.Project + " in " + r.Location, repository: r, permission: "repositories.list"}
	for token := ""; ; {
		var body struct {
			Repositories []struct {
				Name string `json:"name"`
			} `json:"repositories"`
			NextPageToken string `json:"nextPageToken"`
		}
		query := url.Values{"pageSize": {"1000"}, "pageToken": {token}}
		if err := p.do(ctx, what, http.MethodGet, api1+escaped(parent)+"/repositories?"+query.Encode(), nil, &body); err != nil {
			return false, err
		}
		for _, item := range body.Repositories {
			if strings.HasSuffix(item.Name, "/repositories/"+r.ID) {
				return true, nil
			}
		}
		if body.NextPageToken == "" || body.NextPageToken == token {
			return false, nil
		}
		token = body.NextPageToken
	}
}

// Missing returns those of the permissions that the caller does not have on the repository: 1 request. The error is a
// *registry.Error.
func (p *Probe) Missing(ctx context.Context, r ref.TargetRepository, permissions []string) ([]string, error) {
	what := call{op: "ask for permissions on", object: r.String(), repository: r}
	return p.missing(ctx, what, api1+escaped(r.ResourceName()), permissions)
}

// MissingOnProject is Missing for the project of r. It takes the Resource Manager API, which may not be enabled: an
// error says nothing about the permissions.
func (p *Probe) MissingOnProject(ctx context.Context, r ref.TargetRepository, permissions []string) ([]string, error) {
	what := call{op: "ask for permissions on", object: "project " + r.Project, repository: r}
	return p.missing(ctx, what, projectsHost+"v1/projects/"+url.PathEscape(r.Project), permissions)
}

func (p *Probe) missing(ctx context.Context, what call, resource string, permissions []string) ([]string, error) {
	var body struct {
		Permissions []string `json:"permissions"`
	}
	in := map[string][]string{"permissions": permissions}
	if err := p.do(ctx, what, http.MethodPost, resource+":testIamPermissions", in, &body); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(permissions), func(s string) bool { return slices.Contains(body.Permissions, s) }), nil
}

// escaped is a resource name as a URL has it: a colon, of a domain-scoped project, stays.
func escaped(name string) string { return (&url.URL{Path: name}).EscapedPath() }

// maxProbe bounds an answer in bytes: a page of 1,000 repositories.
const maxProbe = 8 << 20

func (p *Probe) do(ctx context.Context, what call, method, address string, in, out any) error {
	err := p.exchange(ctx, what.repository.Host(), method, address, in, out)
	if err != nil {
		return p.cloud.fail(ctx, what, err)
	}
	return nil
}

func (p *Probe) exchange(ctx context.Context, host, method, address string, in, out any) error {
	keys, err := p.cloud.keys.Host(ctx, host)
	if err != nil {
		return err
	}
	if keys.dataOnly {
		return &registry.Error{Side: registry.Target, Op: "authorize a request to the API with", Object: p.Origin(), Class: registry.Unauthorized,
			Err: errors.New("they are a user name and a password, which only the registry itself takes"), Hint: hintCredentials}
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if keys.quotaProject != "" {
		req.Header.Set("X-Goog-User-Project", keys.quotaProject)
	}
	if err := keys.Authorize(ctx, req); err != nil {
		return err
	}
	res, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := googleapi.CheckResponse(res); err != nil {
		return err
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxProbe)).Decode(out); err != nil {
		return &registry.Error{Side: registry.Target, Op: "read the answer of", Object: req.URL.Host, Class: registry.Unknown, Err: err}
	}
	return nil
}

// Reason is the machine-readable reason of Google's refusal, such as SERVICE_DISABLED; empty where there is none.
func Reason(err error) string {
	if e, ok := asAnswer(err); ok {
		r := reply(e)
		if r.Reason == "" && (strings.Contains(e.Message, "has not been used in project") || strings.Contains(e.Message, "it is disabled")) {
			return "SERVICE_DISABLED"
		}
		return r.Reason
	}
	return ""
}

func asAnswer(err error) (*googleapi.Error, bool) { return errors.AsType[*googleapi.Error](err) }
