package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/corpus"
)

// ask sends one request to a registry, without a network between.
func ask(registry http.Handler, method, url, mediaType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, bytes.NewReader(body))
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set("Accept", mediaType)
	}
	answer := httptest.NewRecorder()
	registry.ServeHTTP(answer, r)
	return answer
}

// seed pushes a corpus into a registry, as builds would have. Archived images stay out: ECR lists but does not serve them.
func seed(t *testing.T, registry http.Handler, c *corpus.Corpus) {
	t.Helper()
	pushed := map[digest.Digest]string{} // where a blob is already
	for _, repo := range c.Repositories {
		for _, d := range repo.Blobs {
			uploads := "/v2/" + repo.Name + "/blobs/uploads/"
			if place, ok := pushed[d]; ok {
				want(t, ask(registry, "POST", uploads+"?mount="+d.String()+"&from="+place, "", nil), http.StatusCreated)
				continue
			}
			begun := want(t, ask(registry, "POST", uploads, "", nil), http.StatusAccepted)
			url := begun.Header().Get("Location") + "&digest=" + d.String()
			want(t, ask(registry, "PUT", url, "application/octet-stream", c.Blobs[d]), http.StatusCreated)
			pushed[d] = repo.Name
		}
		for _, img := range repo.Images {
			if img.Archived {
				continue
			}
			for _, reference := range append([]string{img.Digest.String()}, img.Tags...) {
				want(t, ask(registry, "PUT", "/v2/"+repo.Name+"/manifests/"+reference, img.MediaType, img.Manifest), http.StatusCreated)
			}
		}
	}
}

func want(t *testing.T, answer *httptest.ResponseRecorder, status int) *httptest.ResponseRecorder {
	t.Helper()
	if answer.Code != status {
		t.Fatalf("the registry answered %d %s, want %d", answer.Code, answer.Body, status)
	}
	return answer
}
