package gar

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/ref"
)

var (
	apps  = ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"}
	begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// accessToken is what must never be seen.
const accessToken = "ya29.secret"

// world is an embedded Artifact Registry with the repository apps, and the Cloud that is under test.
func world(t testing.TB, opts arsim.Options) (*cloudsim.Sim, *arsim.Cloud, *Cloud) {
	t.Helper()
	opts.Token = accessToken
	sim := cloudsim.New(cloudsim.Options{AR: opts})
	if _, err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	ar := sim.AR()
	if err := ar.CreateRepository(apps.Location, apps.Project, apps.ID, arsim.Repository{Format: "DOCKER"}); err != nil {
		t.Fatal(err)
	}
	return sim, ar, cloud(t, sim.Transport(), StaticToken(accessToken))
}

func cloud(t testing.TB, transport http.RoundTripper, s *TokenSource) *Cloud {
	t.Helper()
	c, err := New(Options{Credentials: NewKeyring(s), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// record puts a manifest that nothing else has at an image path.
func record(t testing.TB, ar *arsim.Cloud, r ref.TargetRepository, path, content string, tags ...string) digest.Digest {
	t.Helper()
	body := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"size":2,"digest":%q},"layers":[],"annotations":{"x":%q}}`,
		ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageConfig, digest.FromString("{}"), content)
	d := digest.FromBytes(body)
	for _, reference := range append(tags, d.String()) {
		if err := ar.Record(r.Location, r.Project, r.ID, path, reference, ocispec.MediaTypeImageManifest, body); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// script is an API whose answers a test writes. It needs no socket, so it works in a synctest bubble.
type script struct {
	answer func(n int, r *http.Request) (status int, body string, header http.Header, err error) // n counts from 1

	mu   sync.Mutex
	seen []*http.Request
	body []string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	s.mu.Lock()
	s.seen, s.body = append(s.seen, req), append(s.body, string(body))
	n := len(s.seen)
	s.mu.Unlock()
	status, text, header, err := s.answer(n, req)
	if err != nil {
		return nil, err
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json; charset=UTF-8")
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: header, Body: io.NopCloser(bytes.NewReader([]byte(text))), Request: req}, nil
}

func (s *script) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// always answers the same to everything.
func always(status int, body string) *script {
	return &script{answer: func(int, *http.Request) (int, string, http.Header, error) { return status, body, nil, nil }}
}

// inTurn answers one after the other, and the last one for ever.
func inTurn(answers ...func() (int, string, http.Header, error)) *script {
	return &script{answer: func(n int, _ *http.Request) (int, string, http.Header, error) {
		return answers[min(n, len(answers))-1]()
	}}
}

func answer(status int, body string, headers ...string) func() (int, string, http.Header, error) {
	return func() (int, string, http.Header, error) {
		h := http.Header{}
		for i := 0; i+1 < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return status, body, h, nil
	}
}

func broken(err error) func() (int, string, http.Header, error) {
	return func() (int, string, http.Header, error) { return 0, "", nil, err }
}

func apiError(code int, status, message, reason, metadata string) string {
	details := ""
	if reason != "" {
		details = fmt.Sprintf(`,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":%q,"domain":"googleapis.com","metadata":{%s}}]`, reason, metadata)
	}
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q%s}}`, code, message, status, details)
}

func lastError[T any](seq func(func(T, error) bool)) (last error) {
	seq(func(_ T, err error) bool {
		last = err
		return true
	})
	return last
}
