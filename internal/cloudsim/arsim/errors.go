package arsim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is a refusal of the REST API, in Google's form.
type apiError struct {
	code    int
	status  string
	message string
	details []any
}

func (e *apiError) Error() string { return fmt.Sprintf("%s: %s", e.status, e.message) }

func invalidArgument(format string, args ...any) *apiError {
	return &apiError{code: http.StatusBadRequest, status: "INVALID_ARGUMENT", message: fmt.Sprintf(format, args...)}
}

func failedPrecondition(format string, args ...any) *apiError {
	return &apiError{code: http.StatusBadRequest, status: "FAILED_PRECONDITION", message: fmt.Sprintf(format, args...)}
}

func notFound(what, name string) *apiError {
	return &apiError{code: http.StatusNotFound, status: "NOT_FOUND", message: fmt.Sprintf("%s %q not found", what, name)}
}

func alreadyExists(what string) *apiError {
	return &apiError{code: http.StatusConflict, status: "ALREADY_EXISTS", message: "the " + what + " already exists"}
}

func unauthenticated() *apiError {
	return &apiError{
		code: http.StatusUnauthorized, status: "UNAUTHENTICATED",
		message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid " +
			"authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
		details: []any{errorInfo("ACCESS_TOKEN_TYPE_UNSUPPORTED", "googleapis.com", nil)},
	}
}

func permissionDenied(permission, resource string) *apiError {
	return &apiError{
		code: http.StatusForbidden, status: "PERMISSION_DENIED",
		message: fmt.Sprintf("Permission '%s' denied on resource '//%s/%s' (or it may not exist).", permission, APIHost, resource),
		details: []any{errorInfo("IAM_PERMISSION_DENIED", APIHost, map[string]string{"permission": permission, "resource": resource})},
	}
}

func serviceDisabled(project string) *apiError {
	return &apiError{
		code: http.StatusForbidden, status: "PERMISSION_DENIED",
		message: fmt.Sprintf("Artifact Registry API has not been used in project %s before or it is disabled. Enable it by visiting "+
			"https://console.developers.google.com/apis/api/artifactregistry.googleapis.com/overview?project=%s then retry.", project, project),
		details: []any{errorInfo("SERVICE_DISABLED", "googleapis.com", map[string]string{"consumer": "projects/" + project, "service": APIHost})},
	}
}

func resourceExhausted(message string) *apiError {
	return &apiError{
		code: http.StatusTooManyRequests, status: "RESOURCE_EXHAUSTED", message: message,
		details: []any{errorInfo("RATE_LIMIT_EXCEEDED", "googleapis.com", map[string]string{"service": APIHost})},
	}
}

func errorInfo(reason, domain string, metadata map[string]string) map[string]any {
	info := map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain}
	if metadata != nil {
		info["metadata"] = metadata
	}
	return info
}

func (e *apiError) write(w http.ResponseWriter) {
	body := map[string]any{"code": e.code, "message": e.message, "status": e.status}
	if len(e.details) > 0 {
		body["details"] = e.details
	}
	if e.code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	writeJSON(w, e.code, map[string]any{"error": body})
}

// registryError is a refusal of the data plane, in the form of the distribution specification.
type registryError struct {
	httpStatus int
	code       string
	message    string
}

func (e *registryError) Error() string { return e.code + ": " + e.message }

func refuse(httpStatus int, code, format string, args ...any) *registryError {
	return &registryError{httpStatus: httpStatus, code: code, message: fmt.Sprintf(format, args...)}
}

func (e *registryError) write(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		w.WriteHeader(e.httpStatus)
		return
	}
	writeJSON(w, e.httpStatus, map[string]any{"errors": []any{map[string]any{"code": e.code, "message": e.message}}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
