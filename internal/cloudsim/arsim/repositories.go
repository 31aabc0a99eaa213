package arsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

const modeStandard = "STANDARD_REPOSITORY"

// Repository is the API's repository resource.
type Repository struct {
	Name                        string                       `json:"name,omitempty"`
	Format                      string                       `json:"format,omitempty"`
	Mode                        string                       `json:"mode,omitempty"`
	Description                 string                       `json:"description,omitempty"`
	Labels                      map[string]string            `json:"labels,omitempty"`
	CreateTime                  string                       `json:"createTime,omitempty"`
	UpdateTime                  string                       `json:"updateTime,omitempty"`
	KMSKeyName                  string                       `json:"kmsKeyName,omitempty"`
	DockerConfig                *DockerConfig                `json:"dockerConfig,omitempty"`
	CleanupPolicies             map[string]CleanupPolicy     `json:"cleanupPolicies,omitempty"`
	CleanupPolicyDryRun         bool                         `json:"cleanupPolicyDryRun,omitempty"`
	VulnerabilityScanningConfig *VulnerabilityScanningConfig `json:"vulnerabilityScanningConfig,omitempty"`
	RemoteRepositoryConfig      json.RawMessage              `json:"remoteRepositoryConfig,omitempty"`
	VirtualRepositoryConfig     json.RawMessage              `json:"virtualRepositoryConfig,omitempty"`
	SizeBytes                   int64                        `json:"sizeBytes,omitempty,string"`
	RegistryURI                 string                       `json:"registryUri,omitempty"`
	SatisfiesPZI                bool                         `json:"satisfiesPzi,omitempty"`
	SatisfiesPZS                bool                         `json:"satisfiesPzs,omitempty"`
	DisallowUnspecifiedMode     bool                         `json:"disallowUnspecifiedMode,omitempty"`
	// MavenConfig and what follows is accepted and shown, and means nothing here.
	MavenConfig        json.RawMessage `json:"mavenConfig,omitempty"`
	NetworkConfig      json.RawMessage `json:"networkConfig,omitempty"`
	PlatformLogsConfig json.RawMessage `json:"platformLogsConfig,omitempty"`
}

// DockerConfig are the settings of a repository of the format DOCKER.
type DockerConfig struct {
	ImmutableTags bool `json:"immutableTags,omitempty"`
}

// VulnerabilityScanningConfig says whether a repository's images are scanned.
type VulnerabilityScanningConfig struct {
	EnablementConfig      string `json:"enablementConfig,omitempty"`
	EnablementState       string `json:"enablementState,omitempty"`
	EnablementStateReason string `json:"enablementStateReason,omitempty"`
	LastEnableTime        string `json:"lastEnableTime,omitempty"`
}

// repository is a repository with its images. The map of images is guarded by the Cloud.
type repository struct {
	key     repoKey
	readyAt time.Time
	images  map[string]*image

	mu           sync.Mutex
	resource     Repository
	policy       Policy
	policySerial int
}

func (r *repository) settings() Repository {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resource
}

func (r *repository) immutable() bool {
	config := r.settings().DockerConfig
	return config != nil && config.ImmutableTags
}

// create makes a repository that is there from readyAt on.
func (c *Cloud) create(key repoKey, settings Repository, readyAt time.Time) (*repository, error) {
	if err := checkRepositoryID(key.id); err != nil {
		return nil, err
	}
	if err := settings.normalize(); err != nil {
		return nil, err
	}
	if !c.locationExists(key.location) {
		return nil, invalidArgument("location %q does not exist", key.location)
	}
	if m := kmsKeyName.FindStringSubmatch(settings.KMSKeyName); m != nil && m[1] != key.location {
		return nil, invalidArgument("kms_key_name %q is in %q: the key must be in the location %q of the repository", settings.KMSKeyName, m[1], key.location)
	}
	now := timestamp(c.now())
	settings.Name, settings.CreateTime, settings.UpdateTime, settings.SatisfiesPZI = key.String(), now, now, true
	settings.RegistryURI = key.location + "-docker.pkg.dev/" + key.path()
	repo := &repository{key: key, readyAt: readyAt, images: map[string]*image{}, resource: settings}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.repos[key]; ok {
		return nil, alreadyExists("repository")
	}
	c.repos[key] = repo
	return repo, nil
}

// render returns the resource as the API shows it.
func (c *Cloud) render(repo *repository) Repository {
	out := repo.settings()
	out.Labels, out.CleanupPolicies = maps.Clone(out.Labels), maps.Clone(out.CleanupPolicies)
	config := VulnerabilityScanningConfig{EnablementConfig: "INHERITED"}
	if out.VulnerabilityScanningConfig != nil {
		config = *out.VulnerabilityScanningConfig
	}
	config.EnablementState = "SCANNING_DISABLED"
	out.VulnerabilityScanningConfig = &config
	sizes := map[digest.Digest]int64{}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, img := range repo.images {
		for _, d := range img.store.Blobs() {
			if b, ok := img.store.Blob(d); ok {
				sizes[d] = b.Size()
			}
		}
	}
	for _, size := range sizes {
		out.SizeBytes += size
	}
	return out
}

func (h *APIHandler) createRepository(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	rt.id = r.URL.Query().Get("repositoryId")
	if rt.id == "" {
		rt.id = r.URL.Query().Get("repository_id")
	}
	var settings Repository
	if err := readJSON(r, &settings); err != nil {
		return err
	}
	if settings.Format == "" || settings.Format == "FORMAT_UNSPECIFIED" {
		return invalidArgument("repository format must be specified")
	}
	if settings.Name != "" && settings.Name != rt.String() {
		return invalidArgument("repository name %q does not match %q", settings.Name, rt.String())
	}
	if err := h.cloud.checkRepositoryRate(w, rt.project); err != nil {
		return err
	}
	repo, err := h.cloud.create(rt.repoKey, settings, h.cloud.now().Add(h.cloud.opts.OperationDelay))
	if err != nil {
		return err
	}
	op := h.cloud.begin(rt.parent(), "google.devtools.artifactregistry.v1.Repository", func() any { return h.cloud.render(repo) })
	writeJSON(w, http.StatusOK, h.cloud.renderOperation(op))
	return nil
}

// checkRepositoryRate refuses a creation or deletion that follows the last one too soon.
func (c *Cloud) checkRepositoryRate(w http.ResponseWriter, project string) error {
	if c.opts.RepositoryInterval <= 0 {
		return nil
	}
	if c.repositoryRate.take(quotaKey{project: project}, writing, c.now()) != "" {
		c.retryAfter(w)
		return resourceExhausted("Quota exceeded for quota metric 'Repository creations and deletions' of service 'artifactregistry.googleapis.com'.")
	}
	return nil
}

func (h *APIHandler) getRepository(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, h.cloud.render(repo))
	return nil
}

func (h *APIHandler) listRepositories(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	p, err := h.pager(r)
	if err != nil {
		return err
	}
	h.cloud.mu.RLock()
	var ids []string
	for key, repo := range h.cloud.repos {
		if key.location == rt.location && key.project == rt.project && !h.cloud.now().Before(repo.readyAt) {
			ids = append(ids, key.id)
		}
	}
	h.cloud.mu.RUnlock()
	slices.Sort(ids)
	ids, next := p.page(ids)
	items := make([]Repository, 0, len(ids))
	for _, id := range ids {
		if repo, ok := h.cloud.lookup(repoKey{rt.location, rt.project, id}); ok {
			items = append(items, h.cloud.render(repo))
		}
	}
	list(w, "repositories", items, next)
	return nil
}

func (h *APIHandler) patchRepository(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	var patch Repository
	if err := readJSON(r, &patch); err != nil {
		return err
	}
	if err := h.cloud.patch(repo, patch, strings.Split(r.URL.Query().Get("updateMask"), ",")); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, h.cloud.render(repo))
	return nil
}

// patch takes over the fields that mask names; all of them if it is right, none otherwise.
func (c *Cloud) patch(repo *repository, patch Repository, mask []string) error {
	repo.mu.Lock()
	defer repo.mu.Unlock()
	next := repo.resource
	for _, field := range mask {
		top, _, _ := strings.Cut(strings.ReplaceAll(field, "_", ""), ".")
		switch strings.ToLower(top) {
		case "description":
			next.Description = patch.Description
		case "labels":
			next.Labels = patch.Labels
		case "dockerconfig":
			next.DockerConfig = patch.DockerConfig
		case "cleanuppolicies":
			next.CleanupPolicies = patch.CleanupPolicies
		case "cleanuppolicydryrun":
			next.CleanupPolicyDryRun = patch.CleanupPolicyDryRun
		case "vulnerabilityscanningconfig":
			next.VulnerabilityScanningConfig = patch.VulnerabilityScanningConfig
		case "remoterepositoryconfig":
			next.RemoteRepositoryConfig = patch.RemoteRepositoryConfig
		case "virtualrepositoryconfig":
			next.VirtualRepositoryConfig = patch.VirtualRepositoryConfig
		case "kmskeyname":
			if patch.KMSKeyName != next.KMSKeyName {
				return invalidArgument("kms_key_name may not be changed after the repository has been created")
			}
		default:
			return invalidArgument("update mask path %q is not one that can be updated", field)
		}
	}
	if err := next.normalize(); err != nil {
		return err
	}
	next.UpdateTime = timestamp(c.now())
	repo.resource = next
	return nil
}

func (h *APIHandler) deleteRepository(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	if _, err := h.repository(rt); err != nil {
		return err
	}
	if err := h.cloud.checkRepositoryRate(w, rt.project); err != nil {
		return err
	}
	h.cloud.mu.Lock()
	delete(h.cloud.repos, rt.repoKey)
	h.cloud.mu.Unlock()
	writeJSON(w, http.StatusOK, h.cloud.renderOperation(h.cloud.begin(rt.parent(), typeEmpty, empty)))
	return nil
}
