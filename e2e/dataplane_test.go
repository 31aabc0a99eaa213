package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// dataPlane stands before a real registry at a cloud's name. It serves whoever has the right credentials, which the
// registry itself does not ask for, and remembers what was wrong.
type dataPlane struct {
	registry http.Handler
	kind     func(*http.Request) string        // counts its requests as the cloud's own
	refuses  func(authorization string) error  // what is wrong with an Authorization header
	pushed   func(put manifestPut) (err error) // hears of each manifest that the registry accepted; may be nil

	mu       sync.Mutex
	problems []string
	writes   int // requests that may change something
}

// manifestPut is a manifest as it was pushed.
type manifestPut struct {
	name, reference, mediaType string
	body                       []byte
}

// Kind names a request for the clouds' counters.
func (d *dataPlane) Kind(r *http.Request) string { return d.kind(r) }

// ServeHTTP passes a request on to the registry.
func (d *dataPlane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := d.refuses(r.Header.Get("Authorization")); err != nil {
		d.problem("%s %s: %v", r.Method, r.URL.Path, err)
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		d.mu.Lock()
		d.writes++
		d.mu.Unlock()
	}
	name, reference, isManifest := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
	if r.Method != http.MethodPut || !isManifest || d.pushed == nil {
		d.registry.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		d.problem("%s %s: %v", r.Method, r.URL.Path, err)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &statusWriter{ResponseWriter: w}
	d.registry.ServeHTTP(answer, r)
	if answer.status == http.StatusCreated {
		if err := d.pushed(manifestPut{name, reference, r.Header.Get("Content-Type"), body}); err != nil {
			d.problem("%v", err)
		}
	}
}

func (d *dataPlane) problem(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.problems = append(d.problems, fmt.Sprintf(format, args...))
}

// check fails the test where a request was not as it should be, and returns the number of writes until now.
func (d *dataPlane) check(t *testing.T, side string) int {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.problems[:min(5, len(d.problems))] {
		t.Errorf("the %s's data plane got %s", side, p)
	}
	return d.writes
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader passes the status on.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// wantBasic wants the user AWS and a password that the embedded ECR gave out.
func wantBasic(ecr http.Handler) func(string) error {
	return func(authorization string) error {
		encoded, ok := strings.CutPrefix(authorization, "Basic ")
		pair, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || !strings.HasPrefix(string(pair), "AWS:") {
			return fmt.Errorf("authorization is %.12q…, want Basic with the user AWS", authorization)
		}
		ping := httptest.NewRequest(http.MethodGet, "https://"+from+"/v2/", nil)
		ping.Header.Set("Authorization", authorization)
		answer := httptest.NewRecorder()
		if ecr.ServeHTTP(answer, ping); answer.Code != http.StatusOK {
			return fmt.Errorf("a password that ECR does not know: status %d", answer.Code)
		}
		return nil
	}
}

// wantBearer wants the access token that the binary was given.
func wantBearer(authorization string) error {
	if authorization != "Bearer "+googleToken {
		return fmt.Errorf("authorization is %.12q…, want Bearer with the access token", authorization)
	}
	return nil
}
