package ecr

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/opencontainers/go-digest"

	"transship/internal/registry"
)

// FuzzAnswers has ECR's API answer anything: whatever is read of it is valid, and an error is one short line of the
// source's. Retries take no time in a bubble.
func FuzzAnswers(f *testing.F) {
	d := digest.FromString("{}").String()
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, `{}`},
		{200, `{"repositories":[{"repositoryName":"app","createdAt":1.7e9,"imageTagMutabilityExclusionFilters":[{"filter":"v*"}]}],"nextToken":"x"}`},
		{200, `{"imageDetails":[{"imageDigest":"` + d + `","imageTags":["v1"],"imageSizeInBytes":-1,"subjectManifestDigest":"` + d + `"}]}`},
		{200, `{"images":[{"imageId":{"imageDigest":"` + d + `"},"imageManifest":"{}"}],"failures":[{"imageId":null},{"failureCode":"ImageNotFound"}]}`},
		{200, `{"referrers":[{"digest":"` + d + `","size":1}]}`},
		{200, `{"layers":[{"layerDigest":"` + d + `","layerSize":1,"layerAvailability":"AVAILABLE"}]}`},
		{200, `{"authorizationData":[{"authorizationToken":"QVdTOng=","expiresAt":1}]}`},
		{200, `{"authorizationData":[null],"images":[null],"layers":[null],"repositories":[null],"imageDetails":[null],"referrers":[null]}`},
		{400, `{"__type":"RepositoryNotFoundException","message":"\u001b[2J"}`}, {403, `<html>`}, {302, ``},
	} {
		f.Add(seed.status, seed.body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 499 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
			return // what is tried again for minutes is for other tests
		}
		synctest.Test(t, func(t *testing.T) {
			r, repo := scripted(always(status, body)), home.Repository("app")
			wanted := digest.Digest(d)
			_, referrers := r.Referrers(t.Context(), repo, wanted)
			_, layers := r.LayerSizes(t.Context(), repo, []digest.Digest{wanted})
			found, failed, manifests := r.Manifests(t.Context(), repo, []digest.Digest{wanted})
			if manifests == nil && len(found)+len(failed) != 1 {
				t.Errorf("%d manifests are found and %d failed", len(found), len(failed))
			}
			for _, m := range found {
				if m.Check() != nil {
					t.Errorf("the manifest %s is wrong", m.Digest)
				}
			}
			for i, err := range r.Images(t.Context(), repo) {
				if err == nil && registry.CheckDigest(i.Digest) != nil {
					t.Errorf("an image has the digest %q", i.Digest)
				}
			}
			_, token := r.token(t.Context())
			for _, err := range []error{referrers, layers, manifests, token, lastError(r.Images(t.Context(), repo)), lastError(r.Repositories(t.Context())), failed[wanted]} {
				checkError(t, err)
			}
		})
	})
}

// checkError wants an error, if there is one, to be a short line of the source's.
func checkError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if len(text) > 2500 || text[:7] != "source:" {
		t.Errorf("the error is %q", text)
	}
	for _, r := range text {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			t.Errorf("%U is in the error %q", r, text)
		}
	}
}
