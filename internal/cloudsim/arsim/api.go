package arsim

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// APIHandler serves the REST API, v1 and as much of v1beta2 as gcloud uses, for all locations.
type APIHandler struct{ cloud *Cloud }

// API returns the REST API's handler.
func (c *Cloud) API() *APIHandler { return &APIHandler{c} }

// apiRoute is what the path of an API request says.
type apiRoute struct {
	repoKey
	collection string // the last collection of the path, such as tags
	pkg        string // the package, where one is named
	member     string // the last id, "" where the path names the collection
	verb       string // what follows a colon, such as setIamPolicy
}

func (rt apiRoute) packageName() string { return rt.String() + "/packages/" + url.PathEscape(rt.pkg) }

// Kind names a request: ar.api.repositories.list and so on.
func (h *APIHandler) Kind(r *http.Request) string {
	rt, err := routeAPI(r)
	if err != nil {
		return "ar.api.other"
	}
	return rt.kind(r.Method)
}

func (rt apiRoute) kind(method string) string {
	action := rt.verb
	if action == "" {
		action = map[string]string{
			http.MethodGet: "get", http.MethodPost: "create", http.MethodPatch: "patch", http.MethodDelete: "delete",
		}[method]
		if method == http.MethodGet && rt.member == "" {
			action = "list"
		}
		if (method == http.MethodPost) != (rt.member == "") && action != "list" {
			action = "other"
		}
	}
	return "ar.api." + rt.collection + "." + action
}

// routeAPI reads a path: /v1/projects/P/locations/L/repositories/R/packages/PKG/tags/T and its shorter forms.
func routeAPI(r *http.Request) (apiRoute, error) {
	unknown := &apiError{code: http.StatusNotFound, status: "NOT_FOUND", message: "Method not found: " + r.URL.Path}
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if len(parts) < 4 || (parts[0] != "v1" && parts[0] != "v1beta2") || parts[1] != "projects" || parts[3] != "locations" {
		return apiRoute{}, unknown
	}
	var rt apiRoute
	last := len(parts) - 1
	for _, verb := range []string{"getIamPolicy", "setIamPolicy", "testIamPermissions"} {
		if rest, ok := strings.CutSuffix(parts[last], ":"+verb); ok {
			parts[last], rt.verb = rest, verb
		}
	}
	for i := 1; i < len(parts); i += 2 {
		collection, member := parts[i], ""
		if i+1 < len(parts) {
			member = unescapeTwice(parts[i+1])
			if member == "" {
				return apiRoute{}, unknown
			}
		}
		switch collection {
		case "projects":
			rt.project = member
		case "locations":
			rt.location = member
		case "repositories":
			rt.id = member
		case "packages":
			rt.pkg = member
		case "operations", "dockerImages", "versions", "tags":
		default:
			return apiRoute{}, unknown
		}
		rt.collection, rt.member = collection, member
	}
	return rt, nil
}

// unescapeTwice undoes the escaping of a resource name in a URL: a slash in a package's name is %2F in the resource's
// name, which clients escape again or not (FACTS B3).
func unescapeTwice(s string) string {
	for range 2 {
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
	}
	return s
}

type apiMethod func(*APIHandler, http.ResponseWriter, *http.Request, apiRoute) error

// apiMethods are the methods, by kind.
func apiMethods() map[string]apiMethod {
	return map[string]apiMethod{
		"ar.api.locations.list":                  (*APIHandler).listLocations,
		"ar.api.locations.get":                   (*APIHandler).getLocation,
		"ar.api.repositories.list":               (*APIHandler).listRepositories,
		"ar.api.repositories.get":                (*APIHandler).getRepository,
		"ar.api.repositories.create":             (*APIHandler).createRepository,
		"ar.api.repositories.patch":              (*APIHandler).patchRepository,
		"ar.api.repositories.delete":             (*APIHandler).deleteRepository,
		"ar.api.repositories.getIamPolicy":       (*APIHandler).getIamPolicy,
		"ar.api.repositories.setIamPolicy":       (*APIHandler).setIamPolicy,
		"ar.api.repositories.testIamPermissions": (*APIHandler).testIamPermissions,
		"ar.api.dockerImages.list":               (*APIHandler).listImages,
		"ar.api.dockerImages.get":                (*APIHandler).getImage,
		"ar.api.packages.list":                   (*APIHandler).listPackages,
		"ar.api.packages.get":                    (*APIHandler).getPackage,
		"ar.api.packages.delete":                 (*APIHandler).deletePackage,
		"ar.api.versions.list":                   (*APIHandler).listVersions,
		"ar.api.versions.get":                    (*APIHandler).getVersion,
		"ar.api.versions.delete":                 (*APIHandler).deleteVersion,
		"ar.api.tags.list":                       (*APIHandler).listTags,
		"ar.api.tags.get":                        (*APIHandler).getTag,
		"ar.api.tags.create":                     (*APIHandler).createTag,
		"ar.api.tags.patch":                      (*APIHandler).patchTag,
		"ar.api.tags.delete":                     (*APIHandler).deleteTag,
		"ar.api.operations.get":                  (*APIHandler).getOperation,
	}
}

// ServeHTTP answers one request of the REST API.
func (h *APIHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h.serve(w, r)
	if err == nil {
		return
	}
	var refused *apiError
	if !errors.As(err, &refused) {
		refused = &apiError{code: http.StatusInternalServerError, status: "INTERNAL", message: err.Error()}
	}
	h.cloud.log.Debug("artifact registry refused", "kind", h.Kind(r), "path", r.URL.Path, "status", refused.code, "error", refused)
	refused.write(w)
}

func (h *APIHandler) serve(w http.ResponseWriter, r *http.Request) error {
	c := h.cloud
	rt, err := routeAPI(r)
	if err != nil {
		return err
	}
	if _, ok := c.authorize(r, false); !ok {
		return unauthenticated()
	}
	kind := rt.kind(r.Method)
	handle, ok := c.apiMethods[kind]
	if !ok {
		return &apiError{code: http.StatusNotFound, status: "NOT_FOUND", message: "Method not found: " + r.Method + " " + r.URL.Path}
	}
	if c.opts.APIDisabled != nil && c.opts.APIDisabled(rt.project) {
		return serviceDisabled(rt.project)
	}
	class := classOf(r.Method)
	if rt.verb == "testIamPermissions" {
		class = reading
	}
	if text := c.checkQuota(w, rt.project, rt.location, class); text != "" {
		return resourceExhausted(text)
	}
	permission := apiPermission(kind)
	if permission != "" && (c.denied(rt.project, permission) || !c.projectExists(rt.project)) {
		return permissionDenied(permission, rt.resource())
	}
	if rt.location != "" && !c.locationExists(rt.location) {
		return &apiError{
			code: http.StatusForbidden, status: "PERMISSION_DENIED",
			message: "Location " + rt.location + " is not found or access is unauthorized.",
		}
	}
	return handle(h, w, r, rt)
}

// resource names what a permission is checked on.
func (rt apiRoute) resource() string {
	switch {
	case rt.id != "":
		return rt.String()
	case rt.location != "":
		return rt.parent()
	}
	return "projects/" + rt.project
}

// apiPermission returns the IAM permission that a method needs, "" for none.
func apiPermission(kind string) string {
	collection, action, _ := strings.Cut(strings.TrimPrefix(kind, "ar.api."), ".")
	switch action {
	case "testIamPermissions":
		return ""
	case "patch":
		action = "update"
	}
	if collection == "operations" {
		return ""
	}
	return "artifactregistry." + strings.ToLower(collection) + "." + action
}

func (c *Cloud) projectExists(project string) bool { return contains(c.opts.Projects, project) }

func (c *Cloud) locationExists(location string) bool { return contains(c.opts.Locations, location) }

// contains reports whether list is nil, which stands for everything, or holds s.
func contains(list []string, s string) bool {
	if list == nil {
		return true
	}
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// repository returns the repository that a path names.
func (h *APIHandler) repository(rt apiRoute) (*repository, error) {
	repo, ok := h.cloud.lookup(rt.repoKey)
	if !ok && h.cloud.opts.HideMissing {
		return nil, permissionDenied("artifactregistry.repositories.get", rt.String())
	}
	if !ok {
		return nil, &apiError{code: http.StatusNotFound, status: "NOT_FOUND", message: "Requested entity was not found."}
	}
	return repo, nil
}

// pager walks a sorted list: a page token is the sort key of the last entry that was given out, so that a list that
// changes between two pages loses and repeats nothing that stayed.
type pager struct {
	after string
	left  int
}

func (h *APIHandler) pager(r *http.Request) (pager, error) {
	p := pager{left: h.cloud.opts.DefaultPageSize}
	if text := r.URL.Query().Get("pageSize"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return pager{}, invalidArgument("page size %q is not a number from 0 to 1000", text)
		}
		if n > 0 {
			p.left = min(n, 1000)
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("pageToken"))
	if err != nil {
		return pager{}, invalidArgument("invalid page token")
	}
	p.after = string(after)
	return p, nil
}

// token returns the page token after key.
func token(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// page returns the keys of one page of a sorted list, and the token of the next one.
func (p pager) page(keys []string) ([]string, string) {
	start := 0
	if p.after != "" {
		start = sort.Search(len(keys), func(i int) bool { return keys[i] > p.after })
	}
	keys = keys[start:]
	if len(keys) <= p.left {
		return keys, ""
	}
	return keys[:p.left], token(keys[p.left-1])
}

// list writes a page of a list.
func list(w http.ResponseWriter, name string, items any, next string) {
	body := map[string]any{name: items}
	if next != "" {
		body["nextPageToken"] = next
	}
	writeJSON(w, http.StatusOK, body)
}

// readJSON reads a request's body into v and refuses unknown names, as the API does.
func readJSON(r *http.Request, v any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return invalidArgument("Invalid JSON payload received. %v", err)
	}
	return nil
}
