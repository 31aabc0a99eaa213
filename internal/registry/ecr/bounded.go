package ecr

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"transship/internal/registry"
)

const (
	// maxAnswer bounds an answer of the API in bytes, unpacked. The largest are 100 manifests, of which content expects
	// 16 MiB; what is more is then read one by one.
	maxAnswer = 64 << 20
	// maxValues bounds the values in it: the SDK makes a map of each, which is many times its text. 1,000 images with
	// 1,000 tags each have a million.
	maxValues = 2_000_000
)

// bounded ends the reading of answers that would fill the memory: the SDK reads whatever comes.
func bounded(s *middleware.Stack) error {
	return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Bounded", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if res, ok := out.RawResponse.(*smithyhttp.Response); ok && res != nil && res.Response != nil && res.Body != nil {
			res.Body = &boundedBody{ReadCloser: res.Body}
		}
		return out, metadata, err
	}), middleware.After)
}

// boundedBody is an answer's body up to the bounds.
type boundedBody struct {
	io.ReadCloser
	bytes, values int
}

// Read reads on, or fails at a bound.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes += n
	b.values += registry.CountValues(p[:n])
	switch {
	case b.bytes > maxAnswer:
		return 0, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	case b.values > maxValues:
		return 0, fmt.Errorf("the answer has more than %d values", maxValues)
	}
	return n, err
}
