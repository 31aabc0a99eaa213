package arsim

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// Policy is a repository's IAM policy.
type Policy struct {
	Version  int       `json:"version,omitempty"`
	Etag     string    `json:"etag,omitempty"`
	Bindings []Binding `json:"bindings,omitempty"`
	// AuditConfigs are accepted and not kept.
	AuditConfigs []any `json:"auditConfigs,omitempty"`
}

// Binding gives one role to its members.
type Binding struct {
	Role      string         `json:"role"`
	Members   []string       `json:"members,omitempty"`
	Condition map[string]any `json:"condition,omitempty"`
}

// Policy returns a repository's IAM policy, and whether there is such a repository.
func (c *Cloud) Policy(location, project, id string) (Policy, bool) {
	repo, ok := c.lookup(repoKey{location, project, id})
	if !ok {
		return Policy{}, false
	}
	return repo.policyNow(), true
}

func (r *repository) policyNow() Policy {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.policy
	p.Version = max(p.Version, 1)
	p.Etag = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "policy-%d", r.policySerial))
	return p
}

func (h *APIHandler) getIamPolicy(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, repo.policyNow())
	return nil
}

func (h *APIHandler) setIamPolicy(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	var request struct {
		Policy     Policy `json:"policy"`
		UpdateMask string `json:"updateMask"`
	}
	if err := readJSON(r, &request); err != nil {
		return err
	}
	for _, b := range request.Policy.Bindings {
		if err := checkBinding(b); err != nil {
			return err
		}
	}
	// An etag makes sure that nobody else's change is lost between a read and this write.
	if request.Policy.Etag != "" && request.Policy.Etag != repo.policyNow().Etag {
		return &apiError{
			code: http.StatusConflict, status: "ABORTED",
			message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
		}
	}
	repo.mu.Lock()
	repo.policy = request.Policy
	repo.policySerial++
	repo.mu.Unlock()
	writeJSON(w, http.StatusOK, repo.policyNow())
	return nil
}

func checkBinding(b Binding) error {
	if !strings.HasPrefix(b.Role, "roles/") && !strings.Contains(b.Role, "/roles/") {
		return invalidArgument("Role %s is not supported for this resource.", b.Role)
	}
	for _, m := range b.Members {
		prefix, rest, ok := strings.Cut(m, ":")
		switch prefix {
		case "allUsers", "allAuthenticatedUsers":
			ok = true
		case "user", "serviceAccount", "group", "domain", "principal", "principalSet", "deleted", "projectOwner", "projectEditor", "projectViewer":
			ok = ok && rest != ""
		default:
			ok = false
		}
		if !ok {
			return invalidArgument("Invalid principal %q: the member must be of a known type.", m)
		}
	}
	return nil
}

// testIamPermissions answers which of the permissions the caller has: all that Options.Deny does not take away.
func (h *APIHandler) testIamPermissions(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	var request struct {
		Permissions []string `json:"permissions"`
	}
	if err := readJSON(r, &request); err != nil {
		return err
	}
	granted := []string{}
	_, exists := h.cloud.lookup(rt.repoKey)
	for _, p := range request.Permissions {
		if exists && !h.cloud.denied(rt.project, p) {
			granted = append(granted, p)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"permissions": granted})
	return nil
}
