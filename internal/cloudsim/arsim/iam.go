package arsim

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
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
	return r.policyLocked()
}

func (r *repository) policyLocked() Policy {
	p := r.policy
	p.Version = max(p.Version, 1)
	p.Etag = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "policy-%d", r.policySerial))
	return p
}

// conditional is the version of policies that have conditions. FACTS has nothing of it; the API's description does [S].
const conditional = 3

func (p Policy) hasConditions() bool {
	return slices.ContainsFunc(p.Bindings, func(b Binding) bool { return b.Condition != nil })
}

func (h *APIHandler) getIamPolicy(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	p := repo.policyNow()
	if p.hasConditions() && r.URL.Query().Get("options.requestedPolicyVersion") != fmt.Sprint(conditional) {
		// Whoever does not know of conditions is shown a role that nobody has, so as not to take it for one without.
		p.Version, p.Bindings = 1, slices.Clone(p.Bindings)
		for i, b := range p.Bindings {
			if b.Condition != nil {
				p.Bindings[i] = Binding{Role: fmt.Sprintf("%s_withcond_%020d", b.Role, i), Members: b.Members}
			}
		}
	}
	writeJSON(w, http.StatusOK, p)
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
	if err := repo.setPolicy(request.Policy); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, repo.policyNow())
	return nil
}

func (r *repository) setPolicy(p Policy) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.policyLocked()
	// An etag makes sure that nobody else's change is lost between a read and this write.
	if p.Etag != "" && p.Etag != now.Etag {
		return &apiError{
			code: http.StatusConflict, status: "ABORTED",
			message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
		}
	}
	if p.Version != conditional && (p.hasConditions() || p.Etag != "" && now.hasConditions()) {
		return invalidArgument("Bindings with conditions need version %d of policies.", conditional)
	}
	r.policy = p
	r.policySerial++
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
