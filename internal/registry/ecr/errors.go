package ecr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/governor"
	"transship/internal/registry/secret"
)

// call says what was being done when something failed.
type call struct {
	op        string // for people, such as "list images of"
	object    string // to what
	operation string // the permission that it needs, without ecr:
}

const (
	hintCredentials = `check the AWS credentials with "aws sts get-caller-identity"; sign in with "aws sso login", or choose a profile with AWS_PROFILE`
	hintTrust       = "if a proxy or a stand-in signs with a CA of its own, name its certificates in AWS_CA_BUNDLE or SSL_CERT_FILE"
)

// cause says in one short line what the SDK says in several nested ones, which stay reachable by errors.As.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// fail makes err, whatever it is, a *registry.Error. An err that is one already passes.
func (r *Registry) fail(ctx context.Context, c call, err error) error {
	if _, ok := errors.AsType[*registry.Error](err); ok || err == nil {
		return err
	}
	e := &registry.Error{Side: registry.Source, Op: c.op, Object: c.object, Err: &cause{oneLine(err), err}}
	if res, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		e.Status = res.HTTPStatusCode()
		e.RetryAfter = retryAfter(err)
	}
	api, isAPI := errors.AsType[smithy.APIError](err)
	credentials, isCredentials := errors.AsType[*credentialsError](err)
	switch {
	case ctx.Err() != nil:
		e.Class, e.Err = registry.Canceled, ctx.Err()
	case isCredentials:
		why := explainCredentials(credentials.err, r.profile)
		e.Class, e.Hint, e.Err = why.class, why.hint, &cause{why.text, err}
	case isAPI:
		e.Err = &cause{apiText(api, err), err}
		e.Class, e.Hint = r.classify(c, api, e.Status)
	case e.Status >= 500:
		e.Class, e.Err = registry.Unavailable, &cause{fmt.Sprintf("HTTP %d: %s", e.Status, oneLine(innermost(err))), err}
	case e.Status != 0:
		e.Class, e.Hint = registry.Unknown, "this is no answer of ECR's: check the proxy and AWS_ENDPOINT_URL_ECR"
		e.Err = &cause{fmt.Sprintf("HTTP %d: %s", e.Status, oneLine(innermost(err))), err}
	default:
		e.Class, e.Hint = r.classifyConnection(err)
		if send, ok := errors.AsType[interface {
			error
			ConnectionError() bool
		}](err); ok {
			e.Err = &cause{oneLine(errors.Unwrap(send)), err}
		}
	}
	return e
}

// classify says of ECR's error codes what they are, and what to do.
func (r *Registry) classify(c call, e smithy.APIError, status int) (registry.Class, string) {
	code := e.ErrorCode()
	switch code {
	case "RepositoryNotFoundException":
		return registry.NoRepository, "it was deleted, or its name, account or region is another"
	case "ImageNotFoundException", "ImageArchivedException":
		return registry.NotFound, "it was deleted since it was listed, or it is archived"
	case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized":
		return registry.Denied, r.deniedHint(c, e.ErrorMessage())
	case "BlockedByOrganizationPolicyException":
		return registry.Denied, "a policy of the AWS organization forbids it"
	case "KmsException":
		return registry.Denied, "check that the repository's KMS key is enabled and may be used"
	case "OptInRequired", "SubscriptionRequiredException":
		return registry.Denied, "the account is not signed up for ECR in " + r.name.Region
	case "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure":
		return registry.Unauthorized, hintCredentials + "; the region " + r.name.Region + " must be enabled for the account too"
	case "ExpiredToken", "ExpiredTokenException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "IncompleteSignature":
		return registry.Unauthorized, hintCredentials
	case "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed":
		return registry.Unauthorized, hintCredentials + "; this machine's clock must be right too"
	case "LimitExceededException":
		return registry.Invalid, "a limit of the account is reached: see Service Quotas for ECR in " + r.name.Region
	case "InvalidParameterException", "ValidationException", "UnsupportedImageTypeException", "SerializationException":
		return registry.Invalid, ""
	case "UnknownOperationException", "UnknownOperation", "UnsupportedCommandException":
		return registry.Unsupported, ""
	}
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok || status == http.StatusTooManyRequests {
		return registry.Throttled, "run it again later, or have the API's rate raised in Service Quotas"
	}
	if status >= 500 || code == "ServerException" || e.ErrorFault() == smithy.FaultServer {
		return registry.Unavailable, ""
	}
	return registry.Unknown, ""
}

var (
	// The messages of IAM: "User: arn:aws:iam::123456789012:user/x is not authorized to perform: ecr:DescribeImages on …".
	actionPattern = regexp.MustCompile(`perform: ([a-z0-9-]+:[A-Za-z]+)`)
	callerPattern = regexp.MustCompile(`User: (arn:[a-z-]+:[a-z]+::(\d{12}):\S+)`)
)

// deniedHint names the permission that is missing, and the account where the caller belongs to another one.
func (r *Registry) deniedHint(c call, message string) string {
	action := "ecr:" + c.operation
	if m := actionPattern.FindStringSubmatch(message); m != nil {
		action = m[1]
	}
	hint := "allow " + action
	caller := callerPattern.FindStringSubmatch(message)
	if caller != nil {
		hint += " to " + caller[1]
	}
	if strings.Contains(message, "explicit deny") {
		hint += ", which a policy denies explicitly"
	}
	if caller != nil && caller[2] != r.name.Account {
		hint += fmt.Sprintf(": the registry belongs to account %s, the credentials to %s; choose those of the former with AWS_PROFILE, or let it allow the latter",
			r.name.Account, caller[2])
	}
	return hint
}

func (r *Registry) classifyConnection(err error) (registry.Class, string) {
	switch dns, isDNS := errors.AsType[*net.DNSError](err); {
	case isUntrusted(err):
		return registry.Unknown, hintTrust
	case isDNS && dns.IsNotFound:
		return registry.Unavailable, "the region " + r.name.Region + " has no ECR, or the name is mistyped; else this machine cannot look up AWS's names (proxy, VPC endpoint)"
	case isProxyRefusal(err):
		return registry.Denied, "check HTTPS_PROXY and NO_PROXY: the proxy refuses the connection"
	case isConnectionError(err) || isCut(err):
		return registry.Unavailable, ""
	}
	return registry.Unknown, ""
}

// configurationError is about the files and variables that say which credentials to use.
func configurationError(ctx context.Context, r ref.Registry, profile string, err error) error {
	e := &registry.Error{Side: registry.Source, Op: "load the AWS configuration for", Object: r.Host(), Class: registry.Unauthorized,
		Hint: "check AWS_PROFILE and the files ~/.aws/config and ~/.aws/credentials", Err: &cause{oneLine(err), err}}
	if _, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok || isEndedSSO(err) {
		why := explainCredentials(err, profile)
		e.Hint, e.Err = why.hint, &cause{why.text, err}
	}
	if ctx.Err() != nil {
		e.Class, e.Hint, e.Err = registry.Canceled, "", ctx.Err()
	}
	return e
}

// credentialsError says that a request could not be signed, rather than that ECR refused it.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// markedCredentials lets the errors of the credentials be told from those of ECR. It is not retried here: the provider
// has retries of its own, and a machine without credentials must not wait for minutes.
type markedCredentials struct{ provider *aws.CredentialsCache }

// Retrieve returns the provider's credentials, or a *credentialsError.
func (m markedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if m.provider == nil {
		return aws.Credentials{}, &credentialsError{errors.New("there is no provider of credentials")}
	}
	c, err := m.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, &credentialsError{err}
	}
	return c, nil
}

func apiText(e smithy.APIError, err error) string {
	text := secret.Clean(e.ErrorCode()) + ": " + secret.Clean(e.ErrorMessage())
	if res, ok := errors.AsType[*awshttp.ResponseError](err); ok && res.ServiceRequestID() != "" {
		text += " (request " + secret.Clean(res.ServiceRequestID()) + ")"
	}
	return text
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// oneLine returns err's text, which may be the other side's, in one line of bounded length, without escapes and
// credentials: some stand-ins answer with whole HTML pages.
func oneLine(err error) string { return secret.Clean(err.Error()) }

// retryAfter is how long the response asked to wait, 0 where it did not.
func retryAfter(err error) time.Duration {
	res, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || res.Response == nil || res.Response.Response == nil {
		return 0
	}
	return governor.ParseRetryAfter(res.Response.Header.Get("Retry-After"), time.Now())
}
