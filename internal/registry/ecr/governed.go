package ecr

import (
	"context"

	"github.com/aws/smithy-go/middleware"

	"transship/internal/registry/governor"
)

// governed has every attempt of a request hold a slot of g, from before it is signed, since a signature does not last
// while its request waits, until its answer was read. The SDK's own hook for this, the attempt token of the retryer, is no
// use: it is not always given back.
func governed(g *governor.Governor) func(*middleware.Stack) error {
	hold := middleware.FinalizeMiddlewareFunc("Governor", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		middleware.FinalizeOutput, middleware.Metadata, error,
	) {
		slot, err := g.Acquire(ctx, false)
		if err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, err
		}
		out, metadata, err := next.HandleFinalize(ctx, in)
		// Whether a failure was a throttle is the retryer's matter, and so is the wait that follows.
		o := governor.Outcome{Result: governor.Done}
		if err != nil {
			o.Result = governor.Failed
		}
		slot.Release(o)
		return out, metadata, err
	})
	return func(s *middleware.Stack) error { return s.Finalize.Insert(hold, "Retry", middleware.After) }
}
