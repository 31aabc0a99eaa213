package oci

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/registry"
)

// endless writes chunks until whoever reads has had enough, or n bytes at most.
func endless(w io.Writer, chunk []byte, n int) {
	for sent := 0; sent < n; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// TestHostileAnswers has a registry whose answers are too large, too many or nonsense. Each ends with an error that says
// so, within bounded memory (of client and server together) and within minutes of a clock that waits for nobody.
func TestHostileAnswers(t *testing.T) {
	chunk := bytes.Repeat([]byte("[{},"), 8<<10)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	endless(z, make([]byte, 1<<20), 100<<20)
	must(t, z.Close())
	d := digest.FromString("x")
	manifest := func(t *testing.T, c *Client) error { _, err := c.Manifest(t.Context(), "app", "v1"); return err }
	head := func(t *testing.T, c *Client) error { _, err := c.HeadManifest(t.Context(), "app", "v1"); return err }
	referrers := func(t *testing.T, c *Client) error { _, err := c.Referrers(t.Context(), "app", d); return err }
	blob := func(t *testing.T, c *Client) error {
		r, err := c.OpenBlob(t.Context(), "app", registry.Blob{Digest: d, Size: 1})
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			err = errors.Join(err, r.Close())
		}
		return err
	}
	pages := 0
	for _, c := range []struct {
		name   string
		ask    func(*testing.T, *Client) error
		answer http.HandlerFunc
		class  registry.Class
		say    string
	}{
		{"a manifest of 100 MB", manifest, func(w http.ResponseWriter, _ *http.Request) { endless(w, chunk, 100<<20) }, registry.Unsupported, "larger than"},
		{"a manifest of 100 MB for a HEAD without a digest", head, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				endless(w, chunk, 100<<20)
			}
		}, registry.Unsupported, "larger than"},
		{"a packed bomb", manifest, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip") // nobody asked for it
			_, _ = w.Write(bomb.Bytes())
		}, "", ""}, // it stays packed: these are the bytes
		{"an error of 100 MB", manifest, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			endless(w, []byte("\x1b[31m"+strings.Repeat("no", 10_000)), 100<<20)
		}, registry.Invalid, "400 Bad Request: nono"},
		{"a header of a megabyte", manifest, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Content-Digest", strings.Repeat("x", 1<<20))
		}, registry.Unavailable, "header"},
		{"a digest of another algorithm", manifest, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Content-Digest", "md5:d41d8cd98f00b204e9800998ecf8427e")
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			_, _ = io.WriteString(w, "{}")
		}, "", ""}, // it counts for nothing: the digest of what came does
		{"more bytes than the blob has", blob, func(w http.ResponseWriter, _ *http.Request) { endless(w, chunk, 100<<20) }, registry.Corrupt, ""},
		{"referrers that name themselves", referrers, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+r.URL.RequestURI()+`>; rel="next"`)
			_, _ = io.WriteString(w, `{"manifests":[]}`)
		}, registry.Invalid, "does not end"},
		{"endless referrers", referrers, func(w http.ResponseWriter, _ *http.Request) {
			pages++
			w.Header().Set("Link", fmt.Sprintf(`</v2/app/referrers/x?page=%d>; rel="next"`, pages))
			_, _ = io.WriteString(w, `{"manifests":[]}`)
		}, registry.Invalid, "more than 1000 pages"},
		{"referrers of 100 MB", referrers, func(w http.ResponseWriter, _ *http.Request) { endless(w, chunk, 100<<20) }, registry.Invalid, "cannot be read"},
		{"redirects in a circle", manifest, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.RequestURI(), http.StatusTemporaryRedirect)
		}, registry.Invalid, "more than 5 redirects"},
		{"a body of a redirect without end", manifest, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", r.URL.RequestURI())
			w.WriteHeader(http.StatusTemporaryRedirect)
			endless(w, chunk, 100<<20)
		}, registry.Invalid, "more than 5 redirects"},
		{"patience for a century", manifest, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3153600000")
			w.WriteHeader(http.StatusTooManyRequests)
		}, registry.Throttled, "429"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				client := w.scripted(c.answer)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				begin := time.Now()
				err := c.ask(t, client)
				runtime.ReadMemStats(&after)
				if n := after.TotalAlloc - before.TotalAlloc; n > 128<<20 { // all tries of both sides together
					t.Errorf("%d MiB were allocated", n>>20)
				}
				if took := time.Since(begin); took > time.Hour {
					t.Errorf("it took %s", took)
				}
				if c.class == "" {
					must(t, err)
					return
				}
				wantClass(t, err, c.class, c.say)
				if text := err.Error(); len(text) > 1000 || strings.ContainsAny(text, "\x1b\n") {
					t.Errorf("the error is %.2000q", text)
				}
			})
		})
	}
}
