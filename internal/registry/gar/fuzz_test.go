package gar

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/registry"
)

// FuzzAnswers has Artifact Registry's API answer anything: whatever is read of it is valid, and an error is one short
// line of the target's. Retries take no time in a bubble.
func FuzzAnswers(f *testing.F) {
	d := digest.FromString("{}").String()
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, `{}`},
		{200, `{"dockerImages":[{"uri":"us-docker.pkg.dev/my-project/app-images/a@` + d + `","tags":["v1"],"imageSizeBytes":"1"}],"nextPageToken":"x"}`},
		{200, `{"dockerImages":[{"name":"projects/p/locations/us/repositories/r/dockerImages/a%2Fb@` + d + `"}]}`},
		{200, `{"versions":[{"name":"a/versions/` + d + `","metadata":{"imageSizeBytes":"x"},"relatedTags":[{"name":"a/tags/b"}]}]}`},
		{200, `{"tags":[{"name":"a/tags/b","version":"a/versions/` + d + `"}],"repositories":[{"name":"projects/p/locations/us/repositories/r"}]}`},
		{200, `{"dockerImages":[null],"versions":[null],"tags":[null],"repositories":[null]}`},
		{404, `{"error":{"code":404,"status":"NOT_FOUND","message":"\u001b[2J"}}`}, {403, `<html>`}, {302, ``}, {200, `[`},
	} {
		f.Add(seed.status, seed.body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 499 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
			return // what is tried again for minutes is for other tests
		}
		synctest.Test(t, func(t *testing.T) {
			c := cloud(t, always(status, body), StaticToken(accessToken))
			for i, err := range c.Images(t.Context(), apps) {
				if err == nil && (registry.CheckDigest(i.Digest) != nil || i.URI.Path == "") {
					t.Errorf("an image is %+v", i)
				}
			}
			_, repository := c.Repository(t.Context(), apps)
			for _, err := range []error{
				repository, lastError(c.Images(t.Context(), apps)), lastError(c.PackageImages(t.Context(), apps.Image("a"))),
				lastError(c.Repositories(t.Context(), "my-project", "us")), lastError(c.tags(t.Context(), apps.Image("a"), "")),
			} {
				checkError(t, err)
			}
		})
	})
}

// FuzzUpdate has a repository be anything: an update that adds a policy of ours sends back each of the others as it came.
func FuzzUpdate(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"cleanupPolicies":{"a":{"action":"DELETE","condition":{"olderThan":"1.5s","new":[1e400]}},"b":null}}`, `{"cleanupPolicies":null,"labels":{"":"x"}}`,
		`{"cleanupPolicies":{"transship-a":{"id":"other","mostRecentVersions":{"keepCount":9223372036854775807}}}}`, `{"CLEANUPPOLICIES":{"a":{}},"cleanupPolicies":{"a":7}}`, `[`, `{}0`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		synctest.Test(t, func(t *testing.T) {
			s := always(200, body)
			var found document.TargetRepository
			err := cloud(t, s, StaticToken(accessToken)).Update(t.Context(), apps, func(now document.TargetRepository) (document.TargetSettings, error) {
				found = now
				after := now.TargetSettings
				after.Cleanup = append(slices.Clone(now.Cleanup), untagged("transship-fuzz", 7))
				return after, nil
			})
			checkError(t, err)
			if err != nil {
				return
			}
			var came, sent struct {
				CleanupPolicies map[string]json.RawMessage `json:"cleanupPolicies"`
			}
			if json.Unmarshal([]byte(body), &came) != nil || json.Unmarshal([]byte(s.body[1]), &sent) != nil {
				t.Fatalf("%q was answered by %q", body, s.body[1])
			}
			for _, p := range found.Cleanup {
				var want, got bytes.Buffer
				if json.Compact(&want, came.CleanupPolicies[p.ID]) != nil || json.Compact(&got, sent.CleanupPolicies[p.ID]) != nil {
					t.Fatalf("the policy %q came as %q, and was sent as %q", p.ID, came.CleanupPolicies[p.ID], sent.CleanupPolicies[p.ID])
				}
				if p.ID != "transship-fuzz" && !sameJSON(want.Bytes(), got.Bytes()) {
					t.Errorf("the policy %q came as %s, and was sent as %s", p.ID, &want, &got)
				}
			}
		})
	})
}

// sameJSON compares but for the escapes that the encoder puts into texts.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	json.HTMLEscape(&x, a)
	json.HTMLEscape(&y, b)
	return bytes.Equal(x.Bytes(), y.Bytes())
}

// checkError wants an error, if there is one, to be a short line of the target's.
func checkError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if len(text) > 2500 || text[:7] != "target:" {
		t.Errorf("the error is %q", text)
	}
	for _, r := range text {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			t.Errorf("%U is in the error %q", r, text)
		}
	}
}

// FuzzChallenge reads any WWW-Authenticate header: where it leads to is the host itself, over https.
func FuzzChallenge(f *testing.F) {
	for _, seed := range []string{
		`Bearer realm="https://us-docker.pkg.dev/v2/token",service="us-docker.pkg.dev"`, `bearer realm=https://US-docker.pkg.dev:443/t`,
		`Bearer realm="https://us-docker.pkg.dev@evil.example/"`, `Bearer realm="http://us-docker.pkg.dev/"`, `Bearer realm="https://evil.example/us-docker.pkg.dev"`,
		`Basic realm="x"`, `Bearer realm="`, `Bearer ,,=,`, `Bearer realm="https://us-docker.pkg.dev\@evil.example/"`, `Bearer realm="//us-docker.pkg.dev/"`,
	} {
		f.Add(seed)
	}
	a := NewKeyring(StaticToken(accessToken)).Authorizer("us-docker.pkg.dev", http.DefaultTransport)
	f.Fuzz(func(t *testing.T, header string) {
		to, ok := a.challengeIn(&http.Response{Header: http.Header{"Www-Authenticate": {header}}})
		if !ok {
			return
		}
		again, err := url.Parse(to.realm.String())
		if err != nil || again.Scheme != "https" || again.Host != "us-docker.pkg.dev" || again.User != nil {
			t.Errorf("%q leads the credential to %q", header, to.realm)
		}
	})
}
