package ecr

import (
	"context"
	"errors"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// cutError says that an answer broke off while it was read. net/http does not export the types of some such errors (a
// stream that was reset, a connection that went away), and the SDK takes them for answers that make no sense.
type cutError struct{ err error }

func (e *cutError) Error() string {
	return "the connection broke in the middle of the answer: " + e.err.Error()
}
func (e *cutError) Unwrap() error { return e.err }

// cutBody is an answer's body that marks what breaks it.
type cutBody struct{ io.ReadCloser }

// Read reads the body.
func (b cutBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &cutError{err}
	}
	return n, err
}

// markCuts has the bodies of all answers marked, before anything reads them.
func markCuts(s *middleware.Stack) error {
	return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("MarkCuts", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if res, ok := out.RawResponse.(*smithyhttp.Response); ok && res.Response != nil && res.Body != nil {
			res.Body = cutBody{res.Body}
		}
		return out, metadata, err
	}), middleware.After)
}
