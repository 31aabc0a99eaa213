package oci

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"transship/internal/registry"
)

// FuzzMediaTypeOf reads the type of any manifest under any Content-Type.
func FuzzMediaTypeOf(f *testing.F) {
	f.Add("application/vnd.oci.image.index.v1+json; charset=utf-8", []byte(`{}`))
	f.Add("", []byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`))
	f.Add("text/html", []byte(`<html>`))
	f.Add(`a/b; c="`, []byte(`{"mediaType":1}`))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		mediaType := mediaTypeOf(contentType, body)
		_, _ = registry.ParseManifest(registry.Manifest{MediaType: mediaType, Bytes: body}) // never panics
	})
}

// FuzzNextLink reads any Link header: the next page is on https, or there is none.
func FuzzNextLink(f *testing.F) {
	for _, seed := range []string{
		`</v2/app/referrers/x?last=1>; rel="next"`, `<https://other.example/>; rel=next`, `<http://registry.example/>; rel="next"`, `<>; rel="next"`,
		`</a>; rel="prev", </b>; rel="next"`, strings.Repeat("<", 1000), `<a`,
	} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "registry.example", Path: "/v2/app/referrers/x"}
	f.Fuzz(func(t *testing.T, header string) {
		link := nextLink.FindStringSubmatch(header)
		if link == nil {
			return
		}
		if to, err := resolveLocation(base, link[1]); err == nil && (to.Scheme != "https" || to.User != nil || to.Hostname() == "") {
			t.Errorf("%q leads to %q", header, to)
		}
	})
}

// FuzzReference takes a reference only if it cannot lead out of its path.
func FuzzReference(f *testing.F) {
	for _, seed := range []string{"v1", "sha256:" + strings.Repeat("a", 64), "../../x", "a?b", "a#b", "..", "%2e%2e", "\x1b[2J", "sha256:../x"} {
		f.Add("app", seed)
	}
	f.Fuzz(func(t *testing.T, name, reference string) {
		if checkReference(name, reference) != nil {
			return
		}
		c := New(Options{Host: "registry.example", Transport: http.DefaultTransport})
		to := c.task("read manifest", name, "manifests", reference).url
		parsed, err := url.Parse(to.String())
		if err != nil || parsed.Host != "registry.example" || parsed.Path != "/v2/"+name+"/manifests/"+reference || parsed.RawQuery != "" {
			t.Errorf("%q in %q becomes %q", reference, name, to)
		}
	})
}
