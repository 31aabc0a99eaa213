package arsim

import (
	"errors"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
)

// DataHandler serves the registry protocol of one location, LOCATION-docker.pkg.dev.
type DataHandler struct {
	cloud    *Cloud
	location string
}

// Data returns the handler of a location's data plane.
func (c *Cloud) Data(location string) *DataHandler { return &DataHandler{c, location} }

// dataRoute is what the path of a data plane request says.
type dataRoute struct {
	kind                       string
	name                       string // PROJECT/REPOSITORY/IMAGE as in the path
	project, repository, image string
	reference                  string // tag, digest, upload or download
}

func (rt dataRoute) blobPath(d string) string     { return "/v2/" + rt.name + "/blobs/" + d }
func (rt dataRoute) manifestPath(d string) string { return "/v2/" + rt.name + "/manifests/" + d }

const (
	uploadsPrefix   = "/artifacts-uploads/namespaces/"
	downloadsPrefix = "/artifacts-downloads/namespaces/"
)

// Kind names a request: ar.v2.manifest.put and so on.
func (h *DataHandler) Kind(r *http.Request) string { return routeData(r).kind }

// routeData reads a request's path; the kind of one that it does not know is ar.v2.other.
func routeData(r *http.Request) dataRoute {
	path := r.URL.Path
	switch {
	case path == "/v2/" || path == "/v2":
		return dataRoute{kind: "ar.v2.ping"}
	case path == "/v2/token":
		return dataRoute{kind: "ar.v2.token"}
	case strings.HasPrefix(path, uploadsPrefix):
		return routeSession(path, uploadsPrefix, "/uploads/", "ar.v2.upload."+strings.ToLower(r.Method))
	case strings.HasPrefix(path, downloadsPrefix):
		return routeSession(path, downloadsPrefix, "/downloads/", "ar.v2.blob.download")
	}
	if rest, ok := strings.CutPrefix(path, "/v2/"); ok {
		return routeV2(r, rest)
	}
	return dataRoute{kind: "ar.v2.other"}
}

// routeSession reads P/repositories/R/uploads/ID, the paths outside of /v2/.
func routeSession(path, prefix, between, kind string) dataRoute {
	project, rest, ok1 := strings.Cut(strings.TrimPrefix(path, prefix), "/repositories/")
	repo, id, ok2 := strings.Cut(rest, between)
	if !ok1 || !ok2 || id == "" {
		return dataRoute{kind: "ar.v2.other"}
	}
	return dataRoute{kind: kind, project: project, repository: repo, reference: id}
}

// routeV2 reads the paths under /v2/.
func routeV2(r *http.Request, path string) dataRoute {
	method := strings.ToLower(r.Method)
	rt := dataRoute{kind: "ar.v2.other"}
	if name, ok := strings.CutSuffix(path, "/tags/list"); ok {
		rt.name, rt.kind = name, "ar.v2.tags.list"
	} else if name, ok := strings.CutSuffix(strings.TrimSuffix(path, "/"), "/blobs/uploads"); ok {
		rt.name, rt.kind = name, "ar.v2.upload."+method
		if method == "post" && r.URL.Query().Get("mount") != "" {
			rt.kind = "ar.v2.mount"
		}
	} else if i := strings.LastIndex(path, "/"); i >= 0 {
		for _, part := range []struct{ between, kind string }{
			{"/manifests", "ar.v2.manifest." + method}, {"/blobs", "ar.v2.blob." + method}, {"/referrers", "ar.v2.referrers"},
		} {
			if name, ok := strings.CutSuffix(path[:i], part.between); ok {
				rt.name, rt.kind, rt.reference = name, part.kind, path[i+1:]
				break
			}
		}
	}
	rt.project, rt.repository, rt.image = splitName(rt.name)
	return rt
}

type dataMethod func(*DataHandler, http.ResponseWriter, *http.Request, *dataCall) error

// dataMethods are the requests that need a repository, by kind.
func dataMethods() map[string]dataMethod {
	return map[string]dataMethod{
		"ar.v2.upload.post":     (*DataHandler).startUpload,
		"ar.v2.mount":           (*DataHandler).mount,
		"ar.v2.upload.patch":    (*DataHandler).patchUpload,
		"ar.v2.upload.put":      (*DataHandler).putUpload,
		"ar.v2.upload.get":      (*DataHandler).uploadStatus,
		"ar.v2.upload.delete":   (*DataHandler).cancelUpload,
		"ar.v2.blob.head":       (*DataHandler).headBlob,
		"ar.v2.blob.get":        (*DataHandler).getBlob,
		"ar.v2.blob.download":   (*DataHandler).download,
		"ar.v2.manifest.get":    (*DataHandler).getManifest,
		"ar.v2.manifest.head":   (*DataHandler).getManifest,
		"ar.v2.manifest.put":    (*DataHandler).putManifest,
		"ar.v2.manifest.delete": (*DataHandler).deleteManifest,
		"ar.v2.tags.list":       (*DataHandler).listTags,
		"ar.v2.referrers":       (*DataHandler).referrers,
	}
}

// dataCall is an authorized request with the repository that it is about.
type dataCall struct {
	dataRoute
	repo *repository
}

// image returns the image that the path names, or nil where nothing was pushed to it.
func (h *DataHandler) image(call *dataCall) *image {
	return h.cloud.image(call.repo, call.image)
}

// ServeHTTP answers one request of the registry protocol.
func (h *DataHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	rt := routeData(r)
	if rt.kind == "ar.v2.token" {
		h.serveToken(w, r)
		return
	}
	if _, ok := h.cloud.authorize(r, true); !ok || h.cloud.opts.ExchangeOnly && !carriesRegistryToken(r) {
		challenge(w, r, rt)
		return
	}
	if rt.kind == "ar.v2.ping" {
		writeJSON(w, http.StatusOK, struct{}{})
		return
	}
	err := h.serve(w, r, rt)
	if err == nil {
		return
	}
	var refused *registryError
	if !errors.As(err, &refused) {
		refused = refuse(http.StatusInternalServerError, "UNKNOWN", "%v", err)
	}
	h.cloud.log.Debug("artifact registry refused", "kind", rt.kind, "path", r.URL.Path, "status", refused.httpStatus, "error", refused)
	refused.write(w, r)
}

// serve is what every request passes that is about a repository.
func (h *DataHandler) serve(w http.ResponseWriter, r *http.Request, rt dataRoute) error {
	handle, ok := h.cloud.dataMethods[rt.kind]
	if !ok {
		return refuse(http.StatusNotFound, "UNSUPPORTED", "%s %s is not supported", r.Method, r.URL.Path)
	}
	noImage := rt.image == "" && rt.name != "" && rt.kind != "ar.v2.tags.list"
	if rt.project == "" || rt.repository == "" || noImage {
		return refuse(http.StatusBadRequest, "NAME_INVALID", "Missing project or repository or image in %q: want PROJECT/REPOSITORY/IMAGE", rt.name)
	}
	if text := h.cloud.checkQuota(w, rt.project, h.location, classOf(r.Method)); text != "" {
		return refuse(http.StatusTooManyRequests, "TOOMANYREQUESTS", "RESOURCE_EXHAUSTED: %s", text)
	}
	call := &dataCall{dataRoute: rt}
	var err error
	if call.repo, err = h.repositoryFor(rt, dataPermission(r.Method)); err != nil {
		return err
	}
	return handle(h, w, r, call)
}

// repositoryFor returns the repository that a path names, if the caller may use it so.
func (h *DataHandler) repositoryFor(rt dataRoute, permission string) (*repository, error) {
	c := h.cloud
	key := repoKey{h.location, rt.project, rt.repository}
	if c.opts.APIDisabled != nil && c.opts.APIDisabled(rt.project) {
		return nil, refuse(http.StatusForbidden, "DENIED", "%s", serviceDisabled(rt.project).message)
	}
	denied := refuse(http.StatusForbidden, "DENIED", "Permission %q denied on resource %q (or it may not exist)", permission, key)
	if c.denied(rt.project, permission) || !c.projectExists(rt.project) {
		return nil, denied
	}
	repo, ok := c.lookup(key)
	if !ok && c.opts.HideMissing {
		return nil, denied
	}
	if !ok {
		return nil, refuse(http.StatusNotFound, "NAME_UNKNOWN", "Repository %q not found", rt.repository)
	}
	settings := repo.settings()
	if settings.Format != "DOCKER" {
		return nil, refuse(http.StatusBadRequest, "NAME_INVALID", "Repository %q is of format %s, not DOCKER", rt.repository, settings.Format)
	}
	if settings.Mode != modeStandard && permission != permDownload {
		return nil, refuse(http.StatusBadRequest, "UNSUPPORTED", "Repository %q is a %s and takes no pushes", rt.repository, settings.Mode)
	}
	return repo, nil
}

const (
	permDownload = "artifactregistry.repositories.downloadArtifacts"
	permUpload   = "artifactregistry.repositories.uploadArtifacts"
	permDelete   = "artifactregistry.repositories.deleteArtifacts"
)

func dataPermission(method string) string {
	switch classOf(method) {
	case writing:
		return permUpload
	case deleting:
		return permDelete
	}
	return permDownload
}

func (c *Cloud) denied(project, permission string) bool {
	return c.opts.Deny != nil && c.opts.Deny(project, permission)
}

// absolute returns a path as the Location header gives it.
func (h *DataHandler) absolute(r *http.Request, path string) string {
	if h.cloud.opts.AbsoluteLocations {
		return origin(r) + path
	}
	return path
}

// created answers 201 for the content d, which is to be found at location.
func (h *DataHandler) created(w http.ResponseWriter, location string, d digest.Digest) error {
	w.Header().Set("Location", location)
	w.Header().Set("Docker-Content-Digest", d.String())
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}
