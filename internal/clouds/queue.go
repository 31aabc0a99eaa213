package clouds

import (
	"context"
	"net/http"
	"time"

	"transship/internal/events"
	"transship/internal/ref"
	"transship/internal/registry/ecr"
)

// OpenQueue returns the queue of ECR's events at address, reached as o.Source says, for events about the sources. It makes
// no request to SQS. Errors of the AWS configuration are those of OpenSource.
func OpenQueue(ctx context.Context, address events.Address, sources []ref.Registry, o Options) (*events.Queue, error) {
	eo := o.aws()
	eo.Region = address.Region
	eo.Profile, eo.RoleARN, eo.ExternalID, eo.SessionName = o.Source.Profile, o.Source.RoleARN, o.Source.ExternalID, o.Source.SessionName
	o.webIdentity(&eo)
	cfg, err := ecr.Config(ctx, address.Registry(), eo)
	if err != nil {
		return nil, err
	}
	sessions := ecr.Sessions(eo)
	out := events.Options{
		Config: cfg, Address: address, Sources: sources, Logger: o.logger(),
		Credentials: func(ctx context.Context) (keyID, secretKey, sessionToken string, err error) {
			s, err := sessions(ctx)
			return s.AccessKeyID, s.SecretAccessKey, s.SessionToken, err
		},
	}
	if o.Transport != nil {
		out.HTTPClient = &http.Client{Transport: o.Transport.Clone()}
	}
	if o.Observe != nil {
		out.Observe = func(host string, status int) { o.Observe(host, status, status == http.StatusTooManyRequests) }
	}
	return events.Open(out)
}

// watched tells of each request that next carries.
type watched struct {
	next http.RoundTripper
	tell func(host string, status int, throttled bool)
}

// RoundTrip sends req.
func (w watched) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := w.next.RoundTrip(req)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	w.tell(req.URL.Host, status, status == http.StatusTooManyRequests)
	return res, err
}

// watch has o.Observe told of what t carries.
func (o Options) watch(t http.RoundTripper) http.RoundTripper {
	if o.Observe == nil {
		return t
	}
	return watched{t, o.Observe}
}

// TokenObtained is when the present token for ECR's data plane was obtained; the zero value where there is none.
func (s *Source) TokenObtained() time.Time { return s.control.Authorizer().Obtained() }

// TokenObtained is when the present access token was obtained; the zero value where there is none.
func (t *Target) TokenObtained() time.Time { return t.keys.Obtained() }
