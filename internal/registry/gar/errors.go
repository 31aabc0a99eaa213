package gar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/governor"
	"transship/internal/registry/secret"
)

// call says what was being done when something failed.
type call struct {
	op         string // for people, such as "list images of"
	object     string // to what
	repository ref.TargetRepository
	permission string // what it needs, without artifactregistry.
	creates    bool   // what is not found is the project or the location, not the repository
}

const hintTrust = "if a proxy or a stand-in signs with a CA of its own, name its certificates in SSL_CERT_FILE"

// cause says in one short line what a library says in several, which stays reachable by errors.As.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// operationError is how a long-running operation failed. Its code is gRPC's.
type operationError struct {
	code    int64
	message string
}

func (e *operationError) Error() string { return e.message }

// status is the HTTP status that Google's APIs answer for the code.
func (e *operationError) status() int {
	switch e.code {
	case 1:
		return 499
	case 3, 9, 11:
		return http.StatusBadRequest
	case 4:
		return http.StatusGatewayTimeout
	case 5:
		return http.StatusNotFound
	case 6, 10:
		return http.StatusConflict
	case 7:
		return http.StatusForbidden
	case 8:
		return http.StatusTooManyRequests
	case 14:
		return http.StatusServiceUnavailable
	case 16:
		return http.StatusUnauthorized
	}
	return http.StatusInternalServerError
}

// alreadyExists reports whether a creation failed because somebody, perhaps our own first attempt, was there before.
func alreadyExists(err error) bool {
	if op, ok := errors.AsType[*operationError](err); ok {
		return op.code == 6
	}
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && e.Code == http.StatusConflict && reply(e).Status != "ABORTED"
}

// apiReply is Google's error body.
type apiReply struct {
	Status  string // such as PERMISSION_DENIED
	Reason  string // such as SERVICE_DISABLED
	Details map[string]string
}

func reply(e *googleapi.Error) apiReply {
	var body struct {
		Error struct {
			Status  string `json:"status"`
			Details []struct {
				Type     string            `json:"@type"`
				Reason   string            `json:"reason"`
				Metadata map[string]string `json:"metadata"`
			} `json:"details"`
		} `json:"error"`
	}
	_ = json.Unmarshal([]byte(e.Body), &body) // what is no JSON says nothing more than its status
	r := apiReply{Status: body.Error.Status}
	for _, d := range body.Error.Details {
		if strings.HasSuffix(d.Type, "/google.rpc.ErrorInfo") {
			r.Reason, r.Details = d.Reason, d.Metadata
			break
		}
	}
	return r
}

// fail makes err, whatever it is, a *registry.Error. An err that is one already passes, with the object named.
func (c *Cloud) fail(ctx context.Context, what call, err error) error {
	if e, ok := errors.AsType[*registry.Error](err); ok && ctx.Err() == nil {
		return c.inner(what, e, err)
	}
	e := &registry.Error{Side: registry.Target, Op: what.op, Object: what.object, Err: &cause{oneLine(err), err}}
	if ctx.Err() != nil {
		e.Class, e.Err = registry.Canceled, ctx.Err()
		return e
	}
	answer, isAnswer := errors.AsType[*googleapi.Error](err)
	failed, isFailed := errors.AsType[*operationError](err)
	switch {
	case isAnswer:
		e.Status, e.RetryAfter = answer.Code, governor.ParseRetryAfter(answer.Header.Get("Retry-After"), time.Now())
		e.Err = &cause{answerText(answer), err}
		e.Class, e.Hint = c.classify(what, answer.Code, reply(answer), answer.Message)
	case isFailed:
		e.Err = &cause{"the operation failed: " + oneLine(failed), err}
		e.Class, e.Hint = c.classify(what, failed.status(), apiReply{}, failed.message)
	default:
		e.Class, e.Hint = classifyConnection(err)
		if u, ok := errors.AsType[*url.Error](err); ok {
			e.Err = &cause{oneLine(u.Err), err}
		}
	}
	return e
}

// inner names the object of an error that was made further below, such as by the credentials.
func (c *Cloud) inner(what call, e *registry.Error, err error) error {
	if _, isOurs := err.(*registry.Error); isOurs { //nolint:errorlint // exactly that: not wrapped by the HTTP client
		return err
	}
	return &registry.Error{Side: registry.Target, Op: what.op, Object: what.object, Class: e.Class, Status: e.Status, RetryAfter: e.RetryAfter, Err: e}
}

func answerText(e *googleapi.Error) string {
	text := e.Message
	if text == "" {
		text = e.Body
	}
	if text = oneLine(errors.New(text)); text == "" {
		return fmt.Sprintf("HTTP %d", e.Code)
	}
	if s := reply(e).Status; s != "" {
		return s + ": " + text
	}
	return fmt.Sprintf("HTTP %d: %s", e.Code, text)
}

// classify says of the API's answers what they are, and what to do.
func (c *Cloud) classify(what call, status int, r apiReply, message string) (registry.Class, string) {
	switch {
	case r.Reason == "RATE_LIMIT_EXCEEDED", status == http.StatusTooManyRequests:
		return registry.Throttled, "run it again later, or have the quota of Artifact Registry raised"
	case status == http.StatusUnauthorized:
		return registry.Unauthorized, c.keys.Hint()
	case status == http.StatusForbidden:
		return registry.Denied, deniedHint(what, r, message)
	case status == http.StatusNotFound && what.creates:
		return registry.NotFound, fmt.Sprintf("check that the project %s exists and that Artifact Registry has a location %s", what.repository.Project, what.repository.Location)
	case status == http.StatusNotFound:
		return registry.NoRepository, `run "transship provision"`
	case status == http.StatusConflict:
		return registry.Conflict, "run it again"
	case status >= 500:
		return registry.Unavailable, ""
	case status >= 400:
		return registry.Invalid, invalidHint(what, message)
	case status >= 300:
		return registry.Unknown, "something between this machine and Google answers for it: check the proxy"
	}
	return registry.Unknown, ""
}

var permissionPattern = regexp.MustCompile(`[Pp]ermission ['"]?([a-z]+(?:\.[A-Za-z]+)+)`)

// hintKey is for a key that Artifact Registry may not use. FACTS C4 [S].
const hintKey = "check that the key exists, and grant roles/cloudkms.cryptoKeyEncrypterDecrypter on it to " +
	"service-PROJECT_NUMBER@gcp-sa-artifactregistry.iam.gserviceaccount.com"

// invalidHint says what to do about settings that Artifact Registry refuses. Its words are not documented [U]: where none
// is recognized, there is nothing to say beyond them.
func invalidHint(what call, message string) string {
	message = strings.ToLower(message)
	policies := strings.Contains(message, "cleanup") && strings.Contains(message, "polic")
	switch {
	case strings.Contains(message, "kms") && strings.Contains(message, "changed"):
		return "a repository keeps the key that it was created with: map to another repository"
	case strings.Contains(message, "kms"):
		return hintKey + "; its location must be " + what.repository.Location
	case policies && strings.Contains(message, "at most"):
		return "remove clean-up policies from the repository, or map to another one"
	case policies, strings.Contains(message, "label"):
		return "look at what the plan wants the repository to have"
	}
	return ""
}

// deniedHint says which of the many things that Google calls forbidden it is.
func deniedHint(what call, r apiReply, message string) string {
	project := what.repository.Project
	switch r.Reason {
	case "SERVICE_DISABLED":
		return "run: gcloud services enable artifactregistry.googleapis.com --project " + project
	case "BILLING_DISABLED":
		return "enable billing for the project " + project
	case "CONSUMER_INVALID":
		return "check that the project " + project + " exists"
	case "USER_PROJECT_DENIED":
		return "run: gcloud auth application-default set-quota-project " + project
	case "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return "the credentials need the scope " + scope
	}
	if strings.Contains(message, "has not been used in project") || strings.Contains(message, "it is disabled") {
		return "run: gcloud services enable artifactregistry.googleapis.com --project " + project
	}
	permission := r.Details["permission"]
	if permission == "" {
		permission = "artifactregistry." + what.permission
		if m := permissionPattern.FindStringSubmatch(message); m != nil {
			permission = m[1]
		}
	}
	if strings.HasPrefix(permission, "cloudkms.") {
		return hintKey
	}
	role := "roles/artifactregistry.reader"
	if strings.HasSuffix(permission, ".create") || strings.HasSuffix(permission, ".update") || strings.HasSuffix(permission, "IamPolicy") {
		role = "roles/artifactregistry.admin"
	}
	return fmt.Sprintf("grant %s, which %s holds, on the project %s; also check that the project and the repository exist", permission, role, project)
}

func classifyConnection(err error) (registry.Class, string) {
	switch dns, isDNS := errors.AsType[*net.DNSError](err); {
	case isUntrusted(err):
		return registry.Unknown, hintTrust
	case isDNS && dns.IsNotFound:
		return registry.Unavailable, "can this machine reach Google (proxy, private access)?"
	case isProxyRefusal(err):
		return registry.Denied, "check HTTPS_PROXY and NO_PROXY: the proxy refuses the connection"
	case isConnectionError(err):
		return registry.Unavailable, ""
	}
	return registry.Unknown, ""
}

// oneLine returns err's text, which may be the other side's, in one line of bounded length, without escapes and
// credentials: some stand-ins answer with whole HTML pages.
func oneLine(err error) string { return secret.Clean(err.Error()) }
