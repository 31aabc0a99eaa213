package events

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/secret"
)

// ForeignError says that an event is about a registry that is no source.
type ForeignError struct{ Registry ref.Registry }

// Error names the registry.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("it is about the registry %s, which is no source of this migration", e.Registry)
}

// fail makes err a *registry.Error that says what to do.
func (q *Queue) fail(ctx context.Context, op, action string, err error) error {
	e := &registry.Error{Side: registry.Source, Op: op, Object: "the queue " + q.options.Address.URL, Class: registry.Unknown,
		Err: errors.New(secret.Clean(err.Error()))}
	if ctx.Err() != nil {
		e.Class, e.Err = registry.Canceled, ctx.Err()
		return e
	}
	answer, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		e.Class, e.Hint = registry.Unavailable, "check the credentials of AWS and the way to "+q.options.Address.Region
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			e.Hint = "if a proxy or a stand-in signs with a CA of its own, name its certificates in AWS_CA_BUNDLE or SSL_CERT_FILE"
		}
		return e
	}
	e.Err = fmt.Errorf("%s: %s", secret.Clean(answer.ErrorCode()), secret.Clean(answer.ErrorMessage()))
	switch code := answer.ErrorCode(); code {
	case "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue":
		e.Class, e.Hint = registry.NotFound, `it was deleted, or its name is another: "aws sqs list-queues" names those that there are`
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		e.Class = registry.Denied
		e.Hint = "allow " + strings.Join(Actions(), ", ") + " on it, of which sqs:" + action + " is missing"
	case "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch":
		e.Class, e.Hint = registry.Unauthorized, "renew the AWS credentials"
	case "ThrottlingException", "RequestThrottled":
		e.Class = registry.Throttled
	default:
		if answer.ErrorFault() == smithy.FaultServer {
			e.Class = registry.Unavailable
		}
	}
	return e
}
