package oci

import (
	"context"
	"net/http"
	"strings"
)

// Authorizer gives a host's credentials. Implementations are safe for concurrent use.
type Authorizer interface {
	// Authorize sets req's Authorization header, before anybody asked for it.
	Authorize(ctx context.Context, req *http.Request) error
	// Refused says that the credential of res's request was refused with res, whose body was read already. It reports
	// whether a fresh one may be tried.
	Refused(ctx context.Context, res *http.Response, body []byte) bool
}

// refusesCredential reports whether an answer is about the credential itself, rather than what its owner may do.
// ECR says so with 403. FACTS A4.
func refusesCredential(status int, text string) bool {
	return status == http.StatusUnauthorized ||
		status == http.StatusForbidden && strings.Contains(strings.ToLower(text), "authorization token has expired")
}
