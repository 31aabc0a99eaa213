package oci

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/registry"
)

// seen keeps the Authorization headers that reach a host.
type seen struct {
	mu   sync.Mutex
	auth []string
}

func (s *seen) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auth = append(s.auth, r.Header.Get("Authorization"))
}

func (s *seen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%q", s.auth)
}

func TestCredentialStaysWithItsHost(t *testing.T) {
	blob := noise(1000)
	for _, c := range []struct {
		name  string
		hops  []string // where each answer redirects to
		own   string   // Authorization headers at the registry
		other string   // and at the other host
		class registry.Class
	}{
		{"another host", []string{"https://other.example/x?sig=1"}, `["Basic c2VjcmV0"]`, `[""]`, ""},
		{"relative", []string{"/elsewhere?a=b"}, `["Basic c2VjcmV0" "Basic c2VjcmV0"]`, `[]`, ""},
		{"same host", []string{"https://REGISTRY.example:443/x"}, `["Basic c2VjcmV0" "Basic c2VjcmV0"]`, `[]`, ""},
		{"protocol-relative", []string{"//other.example/x"}, `["Basic c2VjcmV0"]`, `[""]`, ""},
		{"there and back", []string{"https://other.example/x", "https://registry.example/y"}, `["Basic c2VjcmV0" ""]`, `[""]`, ""},
		{"longer name", []string{"https://registry.example.other.example/x"}, `["Basic c2VjcmV0"]`, `[""]`, ""},
		{"plain http", []string{"http://registry.example/x"}, `["Basic c2VjcmV0"]`, `[]`, registry.Invalid},
		{"plain http elsewhere", []string{"http://other.example/x"}, `["Basic c2VjcmV0"]`, `[]`, registry.Invalid},
		{"user", []string{"https://a:b@other.example/x"}, `["Basic c2VjcmV0"]`, `[]`, registry.Invalid},
		{"no URL", []string{"https://other.example:port/x?token=s3cret"}, `["Basic c2VjcmV0"]`, `[]`, registry.Invalid},
		{"nothing", []string{""}, `["Basic c2VjcmV0"]`, `[]`, registry.Invalid},
		{"for ever", strings.Split(strings.Repeat("/x,", 20), ","), `["Basic c2VjcmV0"` + strings.Repeat(` "Basic c2VjcmV0"`, maxRedirects) + `]`, `[]`, registry.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				var own, other seen
				hop := 0
				answer := func(w http.ResponseWriter) {
					if hop < len(c.hops) {
						w.Header().Set("Location", c.hops[hop])
						w.WriteHeader(http.StatusTemporaryRedirect)
						hop++
						return
					}
					_, _ = w.Write(blob)
				}
				for _, host := range []string{"other.example", "registry.example.other.example"} {
					w.sim.Handle(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { other.note(r); answer(w) }))
				}
				client := w.scripted(func(w http.ResponseWriter, r *http.Request) { own.note(r); answer(w) })
				r, err := client.OpenBlob(t.Context(), "app", blobOf(blob))
				if c.class != "" {
					wantClass(t, err, c.class)
					if strings.Contains(err.Error(), "s3cret") {
						t.Errorf("the error gives a secret away: %v", err)
					}
				} else {
					must(t, err)
					_, err := io.ReadAll(r)
					must(t, err)
					must(t, r.Close())
				}
				if own.String() != c.own || other.String() != c.other {
					t.Errorf("the registry got %s, want %s; the other host got %s, want %s", &own, c.own, &other, c.other)
				}
			})
		})
	}
}

// A host that an upload's Location names gets the bytes, if the registry wants that, but not the credential.
func TestHostileUploadLocation(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob, opened := noise(100<<10), 0
		var own, other seen
		location := "https://other.example/put?upload=1"
		c := w.scripted(func(w http.ResponseWriter, r *http.Request) {
			own.note(r)
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusAccepted)
		})
		status := http.StatusCreated
		var query string
		w.sim.Handle("other.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			other.note(r)
			query = r.URL.RawQuery
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Location", "https://registry.example/v2/")
			w.Header().Set("WWW-Authenticate", `Bearer realm="https://other.example/token"`)
			w.WriteHeader(status)
		}))
		must(t, c.PushBlob(t.Context(), "app", blobOf(blob), Upload{}, opener(blob, &opened)))
		if want := "upload=1&digest=" + url.QueryEscape(digest.FromBytes(blob).String()); query != want {
			t.Errorf("the query was %s, want %s", query, want)
		}
		// Nor does its 401 make us ask for another credential, or its redirect follow the bytes.
		status = http.StatusUnauthorized
		wantClass(t, c.PushBlob(t.Context(), "app", blobOf(blob), Upload{}, opener(blob, &opened)), registry.Denied, "other.example, where the registry redirected to")
		status = http.StatusTemporaryRedirect
		wantClass(t, c.PushBlob(t.Context(), "app", blobOf(blob), Upload{}, opener(blob, &opened)), registry.Invalid, "307")
		if n := c.opts.Auth.(*fakeAuth).refused; n != 0 {
			t.Errorf("another host's 401 was believed %d times", n)
		}
		if strings.Contains(other.String(), "c2VjcmV0") {
			t.Errorf("the other host got %s", &other)
		}
		for _, bad := range []string{"http://registry.example/put", "", "ftp://registry.example/", "https://u:p@registry.example/"} {
			location = bad
			wantClass(t, c.PushBlob(t.Context(), "app", blobOf(blob), Upload{}, opener(blob, &opened)), registry.Invalid, "the upload cannot go on")
			_, _, err := c.MountBlob(t.Context(), "app", blobOf(blob), "base")
			wantClass(t, err, registry.Invalid, "the upload cannot go on")
		}
		if own.String() == "[]" {
			t.Error("nothing was tested")
		}
	})
}

func TestUploadLocations(t *testing.T) {
	d := digest.FromString("x")
	base := &url.URL{Scheme: "https", Host: "registry.example", Path: "/v2/app/blobs/uploads/"}
	escaped := "digest=sha256%3A" + d.Encoded()
	for location, want := range map[string]string{
		"/up/1":                             "https://registry.example/up/1?" + escaped,
		"1":                                 "https://registry.example/v2/app/blobs/uploads/1?" + escaped,
		"?x=1":                              "https://registry.example/v2/app/blobs/uploads/?x=1&" + escaped,
		"/up/1?":                            "https://registry.example/up/1?" + escaped,
		"/up/1?a=b%2Fc&sig=x+y&":            "https://registry.example/up/1?a=b%2Fc&sig=x+y&" + escaped,
		"/up/a%2Fb?z#fragment":              "https://registry.example/up/a%2Fb?z&" + escaped,
		"https://storage.example/a?b=1&b=2": "https://storage.example/a?b=1&b=2&" + escaped,
	} {
		to, err := resolveLocation(base, location)
		if err != nil {
			t.Errorf("%s: %v", location, err)
			continue
		}
		if got := (Upload{to}).commit(d).String(); got != want {
			t.Errorf("%s leads to %s, want %s", location, got, want)
		}
	}
}

func TestSameHost(t *testing.T) {
	for u, want := range map[string]bool{
		"https://registry.example/":       true,
		"https://REGISTRY.example:443/":   true,
		"https://registry.example:/":      true,
		"https://registry.example:444/":   false,
		"https://registry.example.:443/":  false,
		"https://a.registry.example/":     false,
		"https://registry.example.other/": false,
		"http://registry.example/":        false,
		"http://registry.example:443/":    false,
	} {
		parsed, err := url.Parse(u)
		must(t, err)
		if got := sameHost(parsed, "registry.example"); got != want {
			t.Errorf("%s: %v", u, got)
		}
	}
}
