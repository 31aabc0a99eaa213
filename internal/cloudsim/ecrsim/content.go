package ecrsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func (p *Repository) serveManifest(w http.ResponseWriter, req *http.Request, reference string) {
	m, ok := p.Content.Resolve(reference)
	if !ok || p.Status(m.Digest) != StatusActive { // an archived image is plainly not found. FACTS A4
		fail(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
		return
	}
	types, anything := accepts(req.Header.Values("Accept"))
	if byTag := !strings.Contains(reference, ":"); byTag && !anything && !slices.Contains(types, m.MediaType) {
		converted, ok := convert(m, types)
		if !ok {
			fail(w, http.StatusNotAcceptable, "UNSUPPORTED", "The image cannot be converted to a media type that is accepted")
			return
		}
		m = converted
	}
	h := w.Header()
	h.Set("Content-Type", m.MediaType)
	h.Set("Content-Length", strconv.Itoa(len(m.Bytes)))
	h.Set("Docker-Content-Digest", m.Digest.String())
	w.WriteHeader(http.StatusOK)
	if req.Method == http.MethodGet {
		p.pull(m.Digest)
		_, _ = w.Write(m.Bytes)
	}
}

func (p *Repository) serveBlob(w http.ResponseWriter, req *http.Request, reference string) {
	d := digest.Digest(reference)
	b, ok := p.Content.Blob(d)
	if !ok {
		fail(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
		return
	}
	h := w.Header()
	h.Set("Docker-Content-Digest", d.String())
	if req.Method == http.MethodHead {
		h.Set("Content-Length", strconv.FormatInt(b.Size(), 10))
		h.Set("Content-Type", "application/octet-stream")
		w.WriteHeader(http.StatusOK)
		return
	}
	h.Set("Location", p.registry.region.sign(p, d))
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// listPage reads n and last, and answers itself when n is out of bounds.
func listPage(w http.ResponseWriter, q url.Values) (p paging, ok bool) {
	if text := q.Get("n"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || n < 1:
			fail(w, http.StatusBadRequest, "UNSUPPORTED", "Invalid parameter at 'maxResults' failed to satisfy constraint: "+
				"'Member must have value greater than or equal to 1'")
			return p, false
		case n > 1000:
			fail(w, http.StatusBadRequest, "UNSUPPORTED", "Invalid parameter at 'maxResults' failed to satisfy constraint: "+
				"'Member must have value less than or equal to 1000'")
			return p, false
		}
		p.MaxResults = &n
	}
	last := q.Get("last")
	if raw, err := base64.StdEncoding.DecodeString(last); err == nil && strings.HasPrefix(string(raw), tokenMark) {
		p.NextToken = last
	} else if last != "" {
		p.NextToken = encodeToken(last) // a plain name: the way of the specification
	}
	return p, true
}

// serveList answers one page of names and the Link to the next. FACTS A4.
func serveList(w http.ResponseWriter, req *http.Request, names []string, body func(page []string) any) {
	q := req.URL.Query()
	p, ok := listPage(w, q)
	if !ok {
		return
	}
	key := func(s string) string { return s }
	out, next, err := page(names, p, 100, 1000, key, nil, false)
	if err != nil {
		fail(w, http.StatusBadRequest, "UNSUPPORTED", err.Error())
		return
	}
	if next != "" {
		q.Set("last", next)
		link := &url.URL{Scheme: "https", Host: req.Host, Path: req.URL.Path, RawQuery: q.Encode()}
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", link))
	}
	serveJSON(w, "application/json", body(out))
}

func serveJSON(w http.ResponseWriter, mediaType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body)
}

func (p *Repository) serveTags(w http.ResponseWriter, req *http.Request) {
	var tags []string
	for _, tag := range p.Content.Tags() {
		if d, ok := p.Content.TagDigest(tag); ok && p.Status(d) == StatusActive {
			tags = append(tags, tag)
		}
	}
	serveList(w, req, tags, func(page []string) any {
		return struct {
			Name string   `json:"name"`
			Tags []string `json:"tags"`
		}{p.name, page}
	})
}

func (r *Registry) serveCatalog(w http.ResponseWriter, req *http.Request) {
	var names []string
	for _, repo := range r.Repositories() {
		names = append(names, repo.name)
	}
	serveList(w, req, names, func(page []string) any { return map[string][]string{"repositories": page} })
}

// serveReferrers plays what nobody has confirmed of ECR. FACTS A4, F2 [U].
func (p *Repository) serveReferrers(w http.ResponseWriter, req *http.Request, reference string) {
	switch p.registry.Quirks().Referrers {
	case ReferrersNotFound:
		fail(w, http.StatusNotFound, "UNSUPPORTED", "The operation is unsupported.")
		return
	case ReferrersFalse:
		serveJSON(w, "application/json", map[string]any{})
		return
	}
	want := req.URL.Query().Get("artifactType")
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{}}
	index.SchemaVersion = 2
	for _, r := range p.referrers(digest.Digest(reference)) {
		if r.ArtifactStatus != StatusActive || (want != "" && r.ArtifactType != want) {
			continue
		}
		index.Manifests = append(index.Manifests, ocispec.Descriptor{
			MediaType: r.MediaType, Digest: r.Digest, Size: r.Size,
			ArtifactType: r.ArtifactType, Annotations: r.Annotations,
		})
	}
	if want != "" {
		w.Header().Set("Oci-Filters-Applied", "artifactType")
	}
	serveJSON(w, ocispec.MediaTypeImageIndex, index)
}
