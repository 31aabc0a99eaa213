package clouds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/ecr"
	"transship/internal/registry/gar"
	"transship/internal/registry/oci"
)

// Prober looks at hosts and asks about permissions, for a diagnosis: each request is sent once or twice rather than for
// minutes, and none changes anything. It is safe for concurrent use.
type Prober struct {
	client  *http.Client
	options Options
}

// NewProber returns a Prober that reaches the hosts as the data plane does.
func NewProber(o Options) *Prober {
	return &Prober{options: o, client: &http.Client{
		Transport:     oci.NewTransport(o.Transport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Look is what a host answered to somebody without credentials.
type Look struct {
	Host string
	Date time.Time     // by the host's clock, in whole seconds; the zero value where it did not say
	Took time.Duration // until the answer came
	Err  error         // why there is no answer
}

// Look asks host for its root, without credentials: any answer is one.
func (p *Prober) Look(ctx context.Context, host string) Look {
	look := Look{Host: host}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/", nil)
	if err != nil {
		look.Err = err
		return look
	}
	start := time.Now()
	res, err := p.client.Do(req)
	if err != nil {
		look.Err = err
		return look
	}
	discard(res)
	look.Took = time.Since(start)
	look.Date, _ = http.ParseTime(res.Header.Get("Date"))
	return look
}

// Ping asks the data plane on host whether it takes the credentials. The error is a *registry.Error.
func (p *Prober) Ping(ctx context.Context, side registry.Side, host string, authorize func(*http.Request)) error {
	return p.ask(ctx, side, "sign in to", host, "/v2/", authorize)
}

// Layer asks the data plane of the registry for a layer that does not exist: nil where the caller may read layers. The
// error is a *registry.Error, of class Denied where the caller may not.
func (p *Prober) Layer(ctx context.Context, repo ref.Repository, form ref.HostForm, authorize func(*http.Request)) error {
	path := "/v2/" + repo.Name + "/blobs/" + ecr.ProbeDigest.String()
	err := p.ask(ctx, registry.Source, "ask for a layer of", repo.Registry.HostIn(form), path, authorize)
	switch registry.ClassOf(err) {
	case registry.NotFound, registry.NoRepository:
		return nil
	}
	return err
}

// maxAnswer is how much of a refusal is read, in bytes.
const maxAnswer = 8 << 10

func (p *Prober) ask(ctx context.Context, side registry.Side, op, host, path string, authorize func(*http.Request)) error {
	e := &registry.Error{Side: side, Op: op, Object: host}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+path, nil)
	if err != nil {
		e.Class, e.Err = registry.Invalid, err
		return e
	}
	authorize(req)
	res, err := p.client.Do(req)
	if err != nil {
		e.Class, e.Err = registry.Unavailable, err
		return e
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode < http.StatusBadRequest {
		return nil
	}
	class, text := oci.ClassifyRefusal(res.StatusCode, body)
	e.Class, e.Status, e.Err = class, res.StatusCode, errors.New(text)
	return e
}

func discard(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	_ = res.Body.Close()
}

// Control is the registry's control plane as a diagnosis asks it.
func (s *Source) Control() *ecr.Registry { return s.control }

// Probe is the target's control plane as a diagnosis asks it.
func (t *Target) Probe(p *Prober) *gar.Probe { return t.Cloud.Probe(p.client.Transport) }

// Credential authorizes requests to host's data plane. The error is a *registry.Error.
func Credential(ctx context.Context, p *gar.Probe, host string) (func(*http.Request), error) {
	probe, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/v2/", nil)
	if err != nil {
		return nil, fmt.Errorf("%q is not a host: %w", host, err)
	}
	if err := p.Authorize(ctx, host, probe); err != nil {
		return nil, err
	}
	value := probe.Header.Get("Authorization")
	return func(req *http.Request) { req.Header.Set("Authorization", value) }, nil
}
