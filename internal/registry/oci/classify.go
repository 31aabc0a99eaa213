package oci

import (
	"net/http"
	"strings"

	"transship/internal/registry"
)

// classify says what kind of trouble a refusal is: by what it says where the clouds say more than the status does, then
// by its code, then by its status. FACTS A4, B6.
func classify(status int, code, message string) registry.Class {
	text := strings.ToLower(code + " " + message)
	switch {
	case containsAny(text, "enabled tag immutability", "repository is immutable", "imagetagalreadyexists"):
		return registry.Immutable
	case refusesCredential(status, text):
		return registry.Unauthorized
	case status == http.StatusTooManyRequests,
		containsAny(text, "toomanyrequests", "resource_exhausted", "throttlingexception", "rate exceeded", "slowdown", "quota exceeded"):
		return registry.Throttled
	case status >= 500 && status != http.StatusNotImplemented:
		return registry.Unavailable // whatever it says, it does not mean the request
	}
	if class, ok := classOfCode(strings.ToUpper(code)); ok {
		return class
	}
	if status == http.StatusNotFound && (strings.Contains(text, `repository "`) && strings.Contains(text, "not found") ||
		containsAny(text, "name unknown", "repository with name")) {
		return registry.NoRepository
	}
	return classOfStatus(status)
}

func classOfCode(code string) (registry.Class, bool) {
	switch code {
	case "NAME_UNKNOWN", "REPOSITORYNOTFOUNDEXCEPTION":
		return registry.NoRepository, true
	case "MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NOSUCHKEY", "NOT_FOUND":
		return registry.NotFound, true
	case "MANIFEST_BLOB_UNKNOWN":
		return registry.Incomplete, true
	case "BLOB_UPLOAD_UNKNOWN":
		return registry.Unavailable, true // a lost session: another one may do
	case "DIGEST_INVALID", "SIZE_INVALID":
		return registry.Corrupt, true
	case "DENIED", "PERMISSION_DENIED", "ACCESSDENIED":
		return registry.Denied, true
	case "UNSUPPORTED":
		return registry.Unsupported, true
	case "MANIFEST_INVALID", "MANIFEST_UNVERIFIED", "NAME_INVALID", "TAG_INVALID", "BLOB_UPLOAD_INVALID":
		return registry.Invalid, true
	}
	return "", false
}

func classOfStatus(status int) registry.Class {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return registry.NotFound
	case http.StatusForbidden:
		return registry.Denied
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return registry.Unsupported
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return registry.Unavailable
	case http.StatusConflict, http.StatusPreconditionFailed:
		return registry.Conflict
	case http.StatusRequestedRangeNotSatisfiable:
		return registry.Corrupt // it ends before the byte that was asked for
	}
	if status >= 400 && status < 500 {
		return registry.Invalid
	}
	return registry.Unknown
}

// classifyElsewhere corrects the class of a refusal by a host that the registry redirected to: a signed URL that
// expired on the way is a passing fault, since the registry gives a fresh one; anything else about permission is not
// the credential's fault.
func classifyElsewhere(class registry.Class, a *answer) registry.Class {
	text := strings.ToLower(a.code + " " + a.message)
	switch {
	case (a.status == http.StatusForbidden || a.status == http.StatusBadRequest || a.status == http.StatusUnauthorized) &&
		containsAny(text, "request has expired", "expiredtoken", "token has expired", "requesttimetooskewed"):
		return registry.Unavailable
	case class == registry.Unauthorized:
		return registry.Denied
	}
	return class
}

func containsAny(text string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
