package oci

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"transship/internal/registry"
	"transship/internal/registry/governor"
	"transship/internal/registry/secret"
)

// maxErrorBody is how much of a refusal is read, in bytes.
const maxErrorBody = 8 << 10

// answer is what the other side said when it refused.
type answer struct {
	status  int
	code    string // such as NAME_UNKNOWN; may be empty
	message string // may be empty
	host    string // that said it, where it is not the Client's own
	renewed bool   // the credential was refused, and there is a fresh one
}

// Error is the status, the code and the message.
func (a *answer) Error() string {
	var b strings.Builder
	if a.host != "" {
		fmt.Fprintf(&b, "%s, where the registry redirected to, answered ", a.host)
	}
	fmt.Fprintf(&b, "%d %s", a.status, http.StatusText(a.status))
	if a.code != "" {
		b.WriteString(": " + a.code)
	}
	if a.message != "" {
		b.WriteString(": " + a.message)
	}
	return b.String()
}

func isRenewed(err error) bool {
	a, ok := errors.AsType[*answer](err)
	return ok && a.renewed
}

// sourceError is an error of the reader that an upload sends, which is another Client's matter.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// tooShort makes a corrupt one of a reader's error that says that it ended early.
func (c *Client) tooShort(t task, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return c.wrong(t, registry.Corrupt, errors.New("what was read for it ends too early"))
	}
	return err
}

// refusal makes an error of an answer with a status of 400 or more, and tells the Authorizer where that is about the
// credential.
func (c *Client) refusal(ctx context.Context, e exchange, res *response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody)) // what came before it broke is better than nothing
	a := &answer{status: res.StatusCode}
	if res.Request != nil { // what answers may repeat what it was sent
		body = []byte(secret.Hide(string(body), res.Request.Header.Get("Authorization")))
	}
	a.code, a.message = parseRefusal(body)
	class := classify(a.status, a.code, a.message)
	switch {
	case !res.own:
		a.host = secret.Clean(res.url.Host)
		class = classifyElsewhere(class, a)
	case refusesCredential(a.status, a.code+" "+a.message) && c.opts.Auth != nil:
		a.renewed = c.opts.Auth.Refused(ctx, res.Response, body)
	}
	err := c.wrong(e.task, class, a)
	err.Status = a.status
	err.RetryAfter = governor.ParseRetryAfter(res.Header.Get("Retry-After"), time.Now())
	if err.Hint == "" && class == registry.Denied && strings.Contains(a.message, "it may not exist") {
		err.Hint = "grant the permission, or create the repository if it is missing"
	}
	return err
}

// wrong makes an error of t.
func (c *Client) wrong(t task, class registry.Class, cause error) *registry.Error {
	err := &registry.Error{Side: c.opts.Side, Op: t.op, Object: t.object, Class: class, Err: cause}
	if c.opts.Hint != nil {
		err.Hint = c.opts.Hint(t.name, class)
	}
	return err
}

func (c *Client) canceled(ctx context.Context, t task) error {
	return c.wrong(t, registry.Canceled, context.Cause(ctx))
}

// noCredential makes an error of one that the Authorizer gave.
func (c *Client) noCredential(t task, err error) error {
	class := registry.ClassOf(err)
	if class == registry.Unknown {
		class = registry.Unauthorized
	}
	wrapped := c.wrong(t, class, err)
	if registry.HintOf(err) != "" {
		wrapped.Hint = "" // the cause's own is nearer
	}
	return wrapped
}

// unexpected makes an error of a status that does not answer what was asked.
func (c *Client) unexpected(t task, res *response) error {
	res.finish()
	err := c.wrong(t, registry.Invalid, fmt.Errorf("the registry answered %d %s, which is no answer to that", res.StatusCode, http.StatusText(res.StatusCode)))
	err.Status = res.StatusCode
	return err
}

// broken makes an error of a request that got no answer, or only part of one.
func (c *Client) broken(ctx context.Context, t task, err error) error {
	if registry.ClassOf(err) != registry.Unknown && ctx.Err() == nil {
		return err // it is one already
	}
	if s, ok := errors.AsType[*stalled](context.Cause(ctx)); ok {
		return c.wrong(t, registry.Unavailable, s)
	}
	if ctx.Err() != nil {
		return c.canceled(ctx, t)
	}
	out := c.wrong(t, registry.Unavailable, err)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		out.Err = fmt.Errorf("the connection broke in the middle of the answer: %w", err)
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	if untrusted || notTLS {
		out.Class = registry.Unknown // it does not pass by itself
	}
	if untrusted && out.Hint == "" {
		out.Hint = "if a proxy of yours opens TLS, add its authority with SSL_CERT_FILE"
	}
	return out
}

// isDial reports whether no connection came about.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// outcomeOf tells the governor what an error says about the host's load.
func outcomeOf(err error) governor.Outcome {
	if _, ok := errors.AsType[*sourceError](err); ok {
		return governor.Outcome{Result: governor.Abandoned}
	}
	e, ok := errors.AsType[*registry.Error](err)
	if !ok {
		return governor.Outcome{Result: governor.Abandoned}
	}
	o := governor.Outcome{RetryAfter: e.RetryAfter}
	switch {
	case e.Class == registry.Canceled:
		o.Result = governor.Abandoned
	case e.Class == registry.Throttled:
		o.Result = governor.Throttled
	case e.Status == http.StatusServiceUnavailable || e.Status == http.StatusGatewayTimeout:
		o.Result = governor.Overloaded
	case e.Class == registry.Unavailable:
		o.Result = governor.Failed
	}
	return o
}

// refusalJSON holds the forms in which refusals come: the distribution specification's, Google's and AWS's.
type refusalJSON struct {
	Errors []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	Error   json.RawMessage `json:"error"`
	Type    string          `json:"__type"`
	Message string          `json:"message"`
}

type googleError struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// refusalXML is S3's form.
type refusalXML struct {
	XMLName xml.Name `xml:"Error"`
	Code    string   `xml:"Code"`
	Message string   `xml:"Message"`
}

// parseRefusal reads the body of a refusal in any form. Code and message are clean and bounded; both may be empty.
func parseRefusal(body []byte) (code, message string) {
	var j refusalJSON
	text := strings.TrimSpace(string(body))
	switch {
	case text == "":
	case strings.HasPrefix(text, "<?xml") || strings.HasPrefix(text, "<Error"):
		var x refusalXML
		if xml.Unmarshal(body, &x) == nil {
			code, message = x.Code, x.Message
		}
	case strings.HasPrefix(text, "<"): // a web page: whatever it says, the status says it better
	case json.Unmarshal(body, &j) != nil:
		message = text
	case len(j.Errors) > 0:
		code, message = j.Errors[0].Code, j.Errors[0].Message
		for _, more := range j.Errors[1:min(len(j.Errors), 3)] {
			message += "; " + strings.TrimPrefix(more.Code+": "+more.Message, ": ")
		}
	default:
		var g googleError
		if json.Unmarshal(j.Error, &g) == nil && g != (googleError{}) {
			code, message = g.Status, g.Message
		} else {
			code, message = j.Type[strings.LastIndex(j.Type, "#")+1:], j.Message
		}
	}
	return secret.Clean(code), secret.Clean(message)
}
