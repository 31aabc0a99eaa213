package ecr

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// observed logs every attempt of a request, and tells tell, which may be nil, of it: its host, its HTTP status (0 where
// there was no answer), and whether ECR said that it takes no more for now, which it mostly says with a 400.
func observed(log *slog.Logger, tell func(host string, status int, throttled bool)) func(*middleware.Stack) error {
	look := middleware.DeserializeMiddlewareFunc("Observed", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		host, status := "", 0
		if req, ok := in.Request.(*smithyhttp.Request); ok && req.URL != nil {
			host = req.URL.Host
		}
		start := time.Now()
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if res, ok := out.RawResponse.(*smithyhttp.Response); ok && res != nil && res.Response != nil {
			status = res.StatusCode
		}
		log.DebugContext(ctx, "request", "operation", middleware.GetOperationName(ctx), "host", host, "status", status, "duration", time.Since(start))
		if tell != nil {
			tell(host, status, isThrottle(err))
		}
		return out, metadata, err
	})
	return func(s *middleware.Stack) error { return s.Deserialize.Add(look, middleware.Before) }
}

// Obtained is when the present token was obtained; the zero value where there is none.
func (a *Authorizer) Obtained() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current.obtained
}
