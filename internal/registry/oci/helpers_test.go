package oci

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/registry"
	"transship/internal/registry/governor"
)

const (
	ecrHost = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	arHost  = "us-docker.pkg.dev"
	arRepo  = "my-project/app-images"
)

// world is the embedded clouds in a synctest bubble: in memory, by a clock that waits for nobody.
type world struct {
	*testing.T
	sim       *cloudsim.Sim
	transport Transport
	ecr       *ecrsim.Registry
	ar        *arsim.Cloud
}

// bubble runs f in a world of its own.
func bubble(t *testing.T, opts cloudsim.Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts.DisableHTTP2 = true
		sim := cloudsim.New(opts)
		if err := sim.StartMemory(); err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, sim: sim, transport: NewTransport(sim.Transport())}
		w.ecr = sim.ECR("123456789012", "us-east-1")
		w.ar = sim.AR()
		if err := w.ar.CreateRepository("us", "my-project", "app-images", arsim.Repository{Format: "DOCKER"}); err != nil {
			t.Fatal(err)
		}
		defer func() {
			time.Sleep(time.Minute) // for what still runs on the other side of broken connections
			w.transport.CloseIdleConnections()
			if err := sim.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(t, w)
	})
}

// fakeAuth is an Authorizer with a header that renew replaces.
type fakeAuth struct {
	renew func() string

	mu      sync.Mutex
	header  string
	refused int
}

func (a *fakeAuth) Authorize(_ context.Context, req *http.Request) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.header == "" {
		a.header = a.renew()
	}
	req.Header.Set("Authorization", a.header)
	return nil
}

func (a *fakeAuth) Refused(context.Context, *http.Response, []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused++
	a.header = ""
	return true
}

func (w *world) source(change ...func(*Options)) *Client {
	auth := &fakeAuth{renew: w.ecrToken}
	return w.client(registry.Source, ecrHost, auth, change...)
}

func (w *world) target(change ...func(*Options)) *Client {
	auth := &fakeAuth{renew: func() string { return "Bearer " + w.ar.IssueToken(time.Hour) }}
	return w.client(registry.Target, arHost, auth, change...)
}

func (w *world) client(side registry.Side, host string, auth Authorizer, change ...func(*Options)) *Client {
	o := Options{
		Side: side, Host: host, Transport: w.transport, Auth: auth,
		Governor: governor.New(governor.Options{Random: func() float64 { return 0.5 }}),
		Hint: func(_ string, c registry.Class) string {
			return map[registry.Class]string{registry.NoRepository: "create it"}[c]
		},
	}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

// scripted is a Client for a host that a handler plays, with the credential "Basic c2VjcmV0".
func (w *world) scripted(h http.HandlerFunc, change ...func(*Options)) *Client {
	w.sim.Handle("registry.example", h)
	auth := &fakeAuth{renew: func() string { return "Basic c2VjcmV0" }}
	return w.client(registry.Source, "registry.example", auth, change...)
}

// ecrToken asks the API for a Basic credential.
func (w *world) ecrToken() string {
	client := ecr.NewFromConfig(aws.Config{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: w.transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	})
	out, err := client.GetAuthorizationToken(context.Background(), &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		w.Errorf("no ECR token: %v", err)
		return ""
	}
	return "Basic " + *out.AuthorizationData[0].AuthorizationToken
}

// requests counts what the clouds' data planes got while f ran, and compares it.
func (w *world) requests(want map[string]int, f func()) {
	w.Helper()
	before := w.sim.Counts()
	f()
	got := w.sim.Counts().Sub(before)
	total := 0
	for kind, n := range want {
		total += n
		if got.Of(kind) != n {
			w.Errorf("%d requests of kind %s, want %d; all:\n%s", got.Of(kind), kind, n, got)
		}
	}
	if all := got.Of("ecr.v2", "s3", "ar.v2", "other"); all != total {
		w.Errorf("%d requests, want %d:\n%s", all, total, got)
	}
}

// noise is n bytes that do not repeat, the same for the same n.
func noise(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(out) // never fails
	return out
}

func blobOf(b []byte) registry.Blob {
	return registry.Blob{Digest: digest.FromBytes(b), Size: int64(len(b))}
}

// opener gives b, and counts how often.
func opener(b []byte, opened *int) Opener {
	return func(context.Context) (io.ReadCloser, error) {
		*opened++
		return io.NopCloser(bytes.NewReader(b)), nil
	}
}

// wantClass checks an error's class and that its text has each of parts.
func wantClass(t testing.TB, err error, class registry.Class, parts ...string) {
	t.Helper()
	if got := registry.ClassOf(err); err == nil || got != class {
		t.Errorf("error of class %q, want %q: %v", got, class, err)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
