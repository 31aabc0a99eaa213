package ecr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
	"transship/internal/ref"
)

var (
	home  = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func awsConfig(client aws.HTTPClient) aws.Config {
	return aws.Config{HTTPClient: client, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
}

// world is an embedded ECR, and the registry that is under test.
func world(t testing.TB, opts cloudsim.Options) (*cloudsim.Sim, *ecrsim.Registry, *Registry) {
	t.Helper()
	sim := cloudsim.New(opts)
	if _, err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim, sim.ECR(home.Account, home.Region), New(awsConfig(sim.HTTPClient()), home, Options{})
}

// push puts a manifest that nothing else has into a repository.
func push(p *ecrsim.Repository, content string, tags ...string) digest.Digest {
	return pushBytes(p, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"annotations":{"x":%q}}`, ocispec.MediaTypeImageManifest, content), ocispec.MediaTypeImageManifest, tags...)
}

func pushBytes(p *ecrsim.Repository, body []byte, mediaType string, tags ...string) digest.Digest {
	d := digest.FromBytes(body)
	p.Content.PutManifest(store.Manifest{Digest: d, MediaType: mediaType, Bytes: body, PushedAt: begin})
	for _, tag := range tags {
		p.Content.Tag(tag, d)
	}
	return d
}

// request is what the scripted ECR was asked.
type request struct {
	action string
	in     map[string]any
	header http.Header
}

// script is an ECR whose answers a test writes. It needs no socket, so it works in a synctest bubble.
type script struct {
	answer func(n int, r request) (status int, body string, header http.Header) // n counts from 1

	mu   sync.Mutex
	seen []request
}

func (s *script) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	r := request{header: req.Header}
	_, r.action, _ = strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &r.in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.seen = append(s.seen, r)
	n := len(s.seen)
	s.mu.Unlock()
	status, text, header := s.answer(n, r)
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/x-amz-json-1.1")
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: header, Body: io.NopCloser(bytes.NewReader([]byte(text))), Request: req}, nil
}

func (s *script) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// always answers the same to everything.
func always(status int, body string) *script {
	return &script{answer: func(int, request) (int, string, http.Header) { return status, body, nil }}
}

func scripted(s *script) *Registry { return New(awsConfig(s), home, Options{}) }

func apiError(code, message string) string {
	return fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)
}
