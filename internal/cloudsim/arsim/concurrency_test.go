package arsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/arsim"
)

// TestConcurrent pushes, mounts, tags and lists at once: under the race detector nothing is shared without a lock, and
// nothing that was pushed is lost.
func TestConcurrent(t *testing.T) {
	cloud := arsim.New(arsim.Options{Token: "T"})
	if err := cloud.CreateRepository("us", project, "app-images", arsim.Repository{}); err != nil {
		t.Fatal(err)
	}
	send := func(method, url, body, contentType string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer T")
		r.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		cloud.ServeHTTP(rec, r)
		return rec.Result()
	}
	const workers, rounds = 8, 20
	config := "{}"
	d := digest.FromString(config).String()
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for round := range rounds {
				url := fmt.Sprintf("%s/app-%d", repoURL, worker%3)
				at := send("POST", url+"/blobs/uploads/", "", "").Header.Get("Location")
				if got := send("PUT", host+at+"&digest="+d, config, ""); got.StatusCode != 201 {
					t.Errorf("PUT: %d", got.StatusCode)
				}
				m := fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[],"annotations":{"n":"%d-%d"}}`,
					ocispec.MediaTypeImageConfig, d, worker, round)
				for _, tag := range []string{"latest", fmt.Sprintf("v%d-%d", worker, round)} {
					if got := send("PUT", url+"/manifests/"+tag, m, ocispec.MediaTypeImageManifest); got.StatusCode != 201 {
						t.Errorf("PUT %s: %d", tag, got.StatusCode)
					}
				}
				send("POST", repoURL+"/web/blobs/uploads/?mount="+d+"&from="+project+"/app-images/app-0", "", "")
				send("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories/app-images/dockerImages", "", "")
				send("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories", "", "")
				send("GET", url+"/tags/list", "", "")
				send("DELETE", url+"/manifests/latest", "", "")
			}
		})
	}
	wg.Wait()
	n := 0
	for _, path := range cloud.Images("us", project, "app-images") {
		n += cloud.Image("us-docker.pkg.dev/" + project + "/app-images/" + path).Len()
	}
	if n != workers*rounds {
		t.Errorf("%d manifests, want %d", n, workers*rounds)
	}
}
