// Package arsim is an embedded Google Artifact Registry: servers that speak its REST API v1, its registry data plane
// and the token endpoint of its accounts, with their limits and error texts, over content kept in memory.
//
// Vocabulary: a location is a region or multi-region and has a data plane of its own at LOCATION-docker.pkg.dev; a
// repository is a container of many images, made through the API before anything is pushed; an image is the path
// below it (the API calls it a package); a version is one manifest of an image, known by digest. A kind is the word
// under which a request is counted, such as ar.v2.manifest.put.
//
//	request ─ Kind ─ authorization ─ quota ─ permission ─ repository ─ handler ─ store.Repository of the image
//
// What Google does not document is an option of the Cloud, so that a test can play both variants.
package arsim

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

// APIHost is the name of the REST API.
const APIHost = "artifactregistry.googleapis.com"

// OAuthHost is the name of the token endpoint that service-account keys and refresh tokens are exchanged at.
const OAuthHost = "oauth2.googleapis.com"

// Cloud is all of one embedded Artifact Registry: every project and location. It is safe for concurrent use.
type Cloud struct {
	opts   Options
	now    func() time.Time
	log    *slog.Logger
	tokens tokens
	quotas quotas
	// repositoryRate counts the creations and deletions of repositories.
	repositoryRate quotas

	apiMethods  map[string]apiMethod // fixed
	dataMethods map[string]dataMethod

	mu         sync.RWMutex
	repos      map[repoKey]*repository
	operations map[string]*operation
	uploads    map[string]*upload
	serial     int

	summaries sync.Map // digest.Digest to *summary: manifests are immutable, so each is parsed once
}

// repoKey names one repository.
type repoKey struct{ location, project, id string }

func (k repoKey) parent() string {
	return "projects/" + k.project + "/locations/" + k.location
}

// String returns the resource name.
func (k repoKey) String() string { return k.parent() + "/repositories/" + k.id }

// path is the repository in the form that image references have: the colon of a domain-scoped project is a slash.
func (k repoKey) path() string {
	return strings.Replace(k.project, ":", "/", 1) + "/" + k.id
}

// New returns a Cloud without repositories.
func New(opts Options) *Cloud {
	opts = opts.withDefaults()
	return &Cloud{
		opts:   opts,
		now:    opts.Now,
		log:    opts.Logger,
		tokens: tokens{expiry: map[string]time.Time{}, fixed: opts.Token},
		quotas: quotas{limits: opts.Quotas, windows: map[quotaKey]*window{}},
		repositoryRate: quotas{
			limits: Quotas{Requests: -1, Writes: 1, Deletes: -1, Window: opts.RepositoryInterval}, windows: map[quotaKey]*window{},
		},
		apiMethods: apiMethods(), dataMethods: dataMethods(),
		repos:      map[repoKey]*repository{},
		operations: map[string]*operation{},
		uploads:    map[string]*upload{},
	}
}

// Kinder is what each handler of this package is besides an http.Handler: it names the kind of a request without
// reading its body.
type Kinder interface {
	Kind(r *http.Request) string
}

// Handler returns the handler for a host name (a port is ignored), or nil where the host is none of this cloud's.
// Every handler is also a Kinder.
func (c *Cloud) Handler(host string) http.Handler {
	host, _, _ = strings.Cut(host, ":")
	switch host {
	case APIHost:
		return c.API()
	case OAuthHost:
		return c.OAuth()
	}
	if location, ok := strings.CutSuffix(host, "-docker.pkg.dev"); ok {
		return c.Data(location)
	}
	if rest, ok := strings.CutSuffix(host, ".rep.pkg.dev"); ok {
		if location, ok := strings.CutPrefix(rest, "docker."); ok {
			return c.Data(location)
		}
	}
	if rest, ok := strings.CutSuffix(host, ".rep.googleapis.com"); ok && strings.HasPrefix(rest, "artifactregistry.") {
		return c.API()
	}
	return nil
}

// ServeHTTP answers for all hosts of the Cloud, by the request's Host.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := c.Handler(r.Host)
	if h == nil {
		http.Error(w, "no such host: "+r.Host, http.StatusMisdirectedRequest)
		return
	}
	h.ServeHTTP(w, r)
}

// Kind names a request to any of the hosts; other where the host is none of the Cloud's.
func (c *Cloud) Kind(r *http.Request) string {
	if h, ok := c.Handler(r.Host).(Kinder); ok {
		return h.Kind(r)
	}
	return "other"
}

// Repository returns a copy of a repository's resource, and whether there is one.
func (c *Cloud) Repository(location, project, id string) (Repository, bool) {
	repo, ok := c.lookup(repoKey{location, project, id})
	if !ok {
		return Repository{}, false
	}
	return c.render(repo), true
}

// CreateRepository makes a repository at once, as the API would. An empty format is DOCKER. It fails where the API
// would: a bad id, one that is taken, settings that are refused.
func (c *Cloud) CreateRepository(location, project, id string, settings Repository) error {
	if settings.Format == "" {
		settings.Format = "DOCKER"
	}
	_, err := c.create(repoKey{location, project, id}, settings, c.now())
	if err != nil {
		return fmt.Errorf("create repository %s: %w", repoKey{location, project, id}, err)
	}
	return nil
}

// Image returns the content of LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE, or nil where nothing was pushed.
func (c *Cloud) Image(path string) *store.Repository {
	img := c.imageAt(path)
	if img == nil {
		return nil
	}
	return img.store
}

// EnsureImage is Image, but makes an image that is not there yet; the repository must be. A test uses it to put
// content in place without pushing it.
func (c *Cloud) EnsureImage(path string) (*store.Repository, error) {
	key, name, err := splitPath(path)
	if err != nil {
		return nil, err
	}
	repo, ok := c.lookup(key)
	if !ok {
		return nil, fmt.Errorf("repository %s does not exist", key)
	}
	return c.ensureImage(repo, name).store, nil
}

// Images returns the paths of all images of a repository that hold a manifest, sorted, without host.
func (c *Cloud) Images(location, project, id string) []string {
	repo, ok := c.lookup(repoKey{location, project, id})
	if !ok {
		return nil
	}
	return c.imageNames(repo)
}

// SetTag points a tag at a digest, whether or not the repository's settings would allow it: somebody else's change.
func (c *Cloud) SetTag(path, tag string, d digest.Digest) error {
	img := c.imageAt(path)
	if img == nil {
		return fmt.Errorf("set tag %s: no image %s", tag, path)
	}
	img.setTag(tag, d, c.now())
	return nil
}

// DeleteTag removes a tag, whether or not the repository's settings would allow it: somebody else's change.
func (c *Cloud) DeleteTag(path, tag string) error {
	img := c.imageAt(path)
	if img == nil || !img.deleteTag(tag, c.now()) {
		return fmt.Errorf("delete tag %s: no such tag at %s", tag, path)
	}
	return nil
}

// Record tells the control plane that a manifest was pushed under reference, a tag or a digest, to a data plane that
// is not this one. Nothing is checked but that the repository exists.
func (c *Cloud) Record(location, project, repo, image, reference, mediaType string, manifest []byte) error {
	r, ok := c.lookup(repoKey{location, project, repo})
	if !ok {
		return fmt.Errorf("record %s: repository %s does not exist in %s", image, repo, location)
	}
	img := c.ensureImage(r, image)
	d := digest.FromBytes(manifest)
	img.store.PutManifest(store.Manifest{Digest: d, MediaType: mediaType, Bytes: manifest, PushedAt: c.now()})
	if _, err := digest.Parse(reference); err != nil {
		img.setTag(reference, d, c.now())
	}
	return nil
}

// lookup returns a repository that exists and whose creation is done.
func (c *Cloud) lookup(key repoKey) (*repository, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	repo, ok := c.repos[key]
	if !ok || c.now().Before(repo.readyAt) {
		return nil, false
	}
	return repo, true
}

func (c *Cloud) imageAt(path string) *image {
	key, name, err := splitPath(path)
	if err != nil {
		return nil
	}
	repo, ok := c.lookup(key)
	if !ok {
		return nil
	}
	return c.image(repo, name)
}

// image returns the image of that name, or nil.
func (c *Cloud) image(repo *repository, name string) *image {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return repo.images[name]
}

func (c *Cloud) ensureImage(repo *repository, name string) *image {
	c.mu.Lock()
	defer c.mu.Unlock()
	img, ok := repo.images[name]
	if !ok {
		img = newImage(c.now())
		repo.images[name] = img
	}
	return img
}

// imageNames lists the images that hold a manifest; one that only blobs were sent to is no package yet.
func (c *Cloud) imageNames(repo *repository) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	names := make([]string, 0, len(repo.images))
	for name, img := range repo.images {
		if img.store.Len() > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// nextID returns an identifier that this Cloud has not used. It is not secret: possession of it opens nothing.
func (c *Cloud) nextID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serial++
	sum := digest.FromString(fmt.Sprintf("arsim/%d", c.serial)).Encoded()
	return fmt.Sprintf("%s-%s-%s-%s-%s", sum[:8], sum[8:12], sum[12:16], sum[16:20], sum[20:32])
}

// splitPath reads LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE.
func splitPath(path string) (repoKey, string, error) {
	host, rest, _ := strings.Cut(path, "/")
	location, ok := strings.CutSuffix(host, "-docker.pkg.dev")
	project, repo, name := splitName(rest)
	if !ok || repo == "" || name == "" {
		return repoKey{}, "", errors.New("not LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE: " + path)
	}
	return repoKey{location, project, repo}, name, nil
}

// splitName reads PROJECT/REPOSITORY/IMAGE. A first element with a dot is the domain of a domain-scoped project:
// example.com/proj/repo/img is in project example.com:proj (FACTS B1).
func splitName(name string) (project, repo, image string) {
	project, rest, _ := strings.Cut(name, "/")
	if strings.Contains(project, ".") {
		var id string
		id, rest, _ = strings.Cut(rest, "/")
		project += ":" + id
	}
	repo, image, _ = strings.Cut(rest, "/")
	return project, repo, image
}
