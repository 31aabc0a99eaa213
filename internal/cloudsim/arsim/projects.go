package arsim

import (
	"net/http"
	"strings"
)

// ProjectsHost is the name of the Resource Manager API.
const ProjectsHost = "cloudresourcemanager.googleapis.com"

// ProjectsHandler serves as much of the Resource Manager API as tells permissions on projects.
type ProjectsHandler struct{ cloud *Cloud }

// Projects returns the Resource Manager API's handler.
func (c *Cloud) Projects() *ProjectsHandler { return &ProjectsHandler{c} }

// Kind returns ar.projects.testIamPermissions, or ar.projects.other.
func (h *ProjectsHandler) Kind(r *http.Request) string {
	if _, ok := projectOf(r); ok {
		return "ar.projects.testIamPermissions"
	}
	return "ar.projects.other"
}

func projectOf(r *http.Request) (string, bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/projects/")
	project, verb, _ := cutLast(rest, ":")
	return project, ok && r.Method == http.MethodPost && verb == "testIamPermissions"
}

// cutLast is strings.Cut at the last separator: the id of a domain-scoped project has a colon.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// ServeHTTP answers which of the permissions the caller has on the project: all that Options.Deny does not take away.
func (h *ProjectsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	project, ok := projectOf(r)
	if _, authorized := h.cloud.authorize(r, false); !authorized {
		unauthenticated().write(w)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	if !h.cloud.projectExists(project) {
		permissionDenied("resourcemanager.projects.get", "projects/"+project).write(w)
		return
	}
	var request struct {
		Permissions []string `json:"permissions"`
	}
	if err := readJSON(r, &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	granted := []string{}
	for _, p := range request.Permissions {
		if !h.cloud.denied(project, p) {
			granted = append(granted, p)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"permissions": granted})
}
