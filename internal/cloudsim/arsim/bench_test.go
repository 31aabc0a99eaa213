package arsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/arsim"
)

// BenchmarkListImages reads one page of 1,000 out of 100,000 images in 1,000 packages: its cost must be that of a page.
func BenchmarkListImages(b *testing.B) {
	cloud := arsim.New(arsim.Options{Token: "T", Quotas: arsim.NoQuotas()})
	if err := cloud.CreateRepository("us", project, "app-images", arsim.Repository{}); err != nil {
		b.Fatal(err)
	}
	for p := range 1000 {
		for i := range 100 {
			name := fmt.Sprintf("app-%04d", p)
			m := manifestOf([]byte(name), []byte(fmt.Sprint(i)), nil)
			if err := cloud.Record("us", project, "app-images", name, fmt.Sprintf("v%d", i), ocispec.MediaTypeImageManifest, m); err != nil {
				b.Fatal(err)
			}
		}
	}
	url := "https://" + arsim.APIHost + "/v1/" + parent + "/repositories/app-images/dockerImages?pageSize=1000&pageToken="
	token := ""
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), "GET", url+token, nil)
		r.Header.Set("Authorization", "Bearer T")
		rec := httptest.NewRecorder()
		cloud.ServeHTTP(rec, r)
		body := rec.Body.String()
		if rec.Code != http.StatusOK || strings.Count(body, `"uri"`) != 1000 {
			b.Fatalf("%d: %.200s", rec.Code, body)
		}
		_, rest, _ := strings.Cut(body, `"nextPageToken":"`)
		token, _, _ = strings.Cut(rest, `"`)
	}
}
