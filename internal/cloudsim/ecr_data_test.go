package cloudsim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
)

const base = "https://" + host + "/v2/"

func TestBasicAuthAndExpiry(t *testing.T) {
	clock := newClock()
	sim := start(t, cloudsim.Options{Now: clock.Now})
	sim.ECR(account, region).CreateRepository("app", ecrsim.RepositorySettings{})
	client := sim.HTTPClient()
	out, err := sdk(sim, "AKIA").GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	data := out.AuthorizationData[0]
	if !data.ExpiresAt.Equal(begin.Add(12*time.Hour)) || *data.ProxyEndpoint != "https://"+host {
		t.Errorf("authorization data is %+v", data)
	}
	auth := "Authorization: Basic " + *data.AuthorizationToken
	challenge := do(t, client, "GET", base, "").want(t, 401, "Not Authorized").Header.Get("Www-Authenticate")
	if !strings.HasPrefix(challenge, `Basic realm="https://`+host) {
		t.Errorf("challenge is %q", challenge)
	}
	do(t, client, "GET", base, "", "Authorization: Basic QVdTOnNlY3JldA==").want(t, 401, "")
	do(t, client, "GET", base, "", auth).want(t, 200, "")
	do(t, client, "GET", base+"nope/manifests/a", "", auth).
		want(t, 404, "The repository with name 'nope' does not exist in the registry with id '"+account+"'")
	clock.Advance(12 * time.Hour)
	do(t, client, "GET", base, "", auth).want(t, 403, "Your authorization token has expired. Reauthenticate and try again.")
	auth = "Authorization: " + token(t, sim)
	do(t, client, "GET", base, "", auth).want(t, 200, "")
	sim.ECR(account, region).Region().ExpireTokens()
	do(t, client, "GET", base, "", auth).want(t, 403, "DENIED")
}

func TestManifestsByTagAndDigest(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	repo := sim.ECR(account, region).CreateRepository("team/manifests/app", ecrsim.RepositorySettings{})
	d := push(repo, "one", "v1")
	index := indexOf(repo, "multi", d)
	client, auth := sim.HTTPClient(), "Authorization: "+token(t, sim)
	url := base + "team/manifests/app/manifests/"
	got := do(t, client, "GET", url+"v1", "", auth, "Accept: "+ocispec.MediaTypeImageManifest).want(t, 200, "")
	if digest.FromString(got.Body) != d || got.Header.Get("Docker-Content-Digest") != d.String() ||
		got.Header.Get("Content-Type") != ocispec.MediaTypeImageManifest {
		t.Errorf("manifest by tag is %q with %v", got.Body, got.Header)
	}
	docker := "Accept: application/vnd.docker.distribution.manifest.v2+json"
	if got := do(t, client, "GET", url+"v1", "", auth, docker).want(t, 200, ""); digest.FromString(got.Body) == d {
		t.Error("by tag with an Accept that lacks the stored type: the stored bytes were served")
	}
	if got := do(t, client, "GET", url+d.String(), "", auth, docker).want(t, 200, ""); digest.FromString(got.Body) != d {
		t.Error("by digest, the manifest was converted")
	}
	do(t, client, "GET", url+"multi", "", auth, docker).want(t, 406, "")
	head := do(t, client, "HEAD", url+index.String(), "", auth).want(t, 200, "")
	if m, _ := repo.Content.Manifest(index); head.ContentLength != int64(len(m.Bytes)) {
		t.Errorf("HEAD says %d bytes", head.ContentLength)
	}
	do(t, client, "GET", url+"gone", "", auth).want(t, 404, "MANIFEST_UNKNOWN")
}

func TestBlobsComeFromS3(t *testing.T) {
	clock := newClock()
	sim := start(t, cloudsim.Options{Now: clock.Now})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	content := strings.Repeat("0123456789", 1000)
	d := digest.FromString(content)
	repo.Content.PutBlob(d, store.BytesBlob([]byte(content)))
	client, auth := sim.HTTPClient(), "Authorization: "+token(t, sim)

	if head := do(t, client, "HEAD", base+"app/blobs/"+d.String(), "", auth).want(t, 200, ""); head.ContentLength != 10000 {
		t.Errorf("HEAD says %d bytes", head.ContentLength)
	}
	url := do(t, client, "GET", base+"app/blobs/"+d.String(), "", auth).want(t, 307, "").Header.Get("Location")
	if !strings.HasPrefix(url, "https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/") || !strings.Contains(url, "X-Amz-Expires=3600") {
		t.Errorf("redirect to %s", url)
	}
	do(t, client, "GET", url, "", auth).want(t, 400, "Only one auth mechanism allowed")
	do(t, client, "HEAD", url, "").want(t, 403, "")
	do(t, client, "GET", strings.Replace(url, "Expires=3600", "Expires=9999", 1), "").want(t, 403, "SignatureDoesNotMatch")
	if got := do(t, client, "GET", url, "").want(t, 200, ""); got.Body != content || got.Header.Get("Etag") == "" {
		t.Error("the blob is not what was stored")
	}
	for spec, want := range map[string]string{"bytes=9990-": "9990-9999/10000", "bytes=0-4": "0-4/10000", "bytes=-3": "9997-9999/10000", "bytes=9000-99999": "9000-9999/10000"} {
		got := do(t, client, "GET", url, "", "Range: "+spec).want(t, 206, "")
		if got.Header.Get("Content-Range") != "bytes "+want || int64(len(got.Body)) != got.ContentLength || !strings.Contains(content, got.Body) {
			t.Errorf("%s: %v", spec, got.Header)
		}
	}
	do(t, client, "GET", url, "", "Range: bytes=10000-").want(t, 416, "InvalidRange")
	reg.SetQuirks(ecrsim.Quirks{IgnoreRange: true})
	do(t, client, "GET", url, "", "Range: bytes=9990-").want(t, 200, content)
	clock.Advance(time.Hour)
	do(t, client, "GET", url, "").want(t, 403, "Request has expired")
	do(t, client, "GET", base+"app/blobs/"+digest.FromString("x").String(), "", auth).want(t, 404, "BLOB_UNKNOWN")
	if got := sim.Counts()["s3.get"]; got.Sent < 20000 {
		t.Errorf("counted %+v", got)
	}
}

func TestTagsListPages(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	repo := sim.ECR(account, region).CreateRepository("app", ecrsim.RepositorySettings{})
	fill(repo, 250)
	client, auth := sim.HTTPClient(), "Authorization: "+token(t, sim)
	url, pages, tags := base+"app/tags/list", 0, 0
	for url != "" {
		got := do(t, client, "GET", url, "", auth).want(t, 200, `"name":"app"`)
		pages, tags = pages+1, tags+strings.Count(got.Body, `"v`)
		link, _, _ := strings.Cut(got.Header.Get("Link"), ">")
		url = strings.TrimPrefix(link, "<")
	}
	if pages != 3 || tags != 250 {
		t.Errorf("%d pages with %d tags, want 3 with 250", pages, tags)
	}
	do(t, client, "GET", base+"app/tags/list?n=1001", "", auth).want(t, 400, "Invalid parameter at 'maxResults'")
	do(t, client, "GET", base+"app/tags/list?n=1000", "", auth).want(t, 200, "v0249")
}

func TestPush(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{Mutability: "IMMUTABLE_WITH_EXCLUSION", ExclusionFilters: []string{"dev-*"}})
	client, auth := sim.HTTPClient(), "Authorization: "+token(t, sim)
	config := "{}"
	location := do(t, client, "POST", base+"app/blobs/uploads/", "", auth).want(t, 202, "").Header.Get("Location")
	location = do(t, client, "PATCH", location, config, auth).want(t, 202, "").Header.Get("Location")
	do(t, client, "PUT", location+"?digest="+digest.FromString("x").String(), "", auth).want(t, 400, "DIGEST_INVALID")
	do(t, client, "PUT", location+"?digest="+digest.FromString(config).String(), "", auth).want(t, 201, "")
	manifest := func(n int) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"a/b","digest":%q,"size":2},"layers":[],"annotations":{"n":"%d"}}`,
			ocispec.MediaTypeImageManifest, digest.FromString(config), n)
	}
	ctype := "Content-Type: " + ocispec.MediaTypeImageManifest
	do(t, client, "PUT", base+"app/manifests/v1", manifest(1), auth, ctype).want(t, 201, "")
	do(t, client, "PUT", base+"app/manifests/v1", manifest(1), auth, ctype).want(t, 201, "")
	do(t, client, "PUT", base+"app/manifests/v1", manifest(2), auth, ctype).
		want(t, 400, "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable")
	do(t, client, "PUT", base+"app/manifests/dev-1", manifest(1), auth, ctype).want(t, 201, "")
	do(t, client, "PUT", base+"app/manifests/dev-1", manifest(2), auth, ctype).want(t, 201, "")
	do(t, client, "PUT", base+"app/manifests/v2", strings.Replace(manifest(1), digest.FromString(config).String(), digest.FromString("y").String(), 1), auth, ctype).
		want(t, 400, "MANIFEST_BLOB_UNKNOWN")
	if d, ok := repo.Content.TagDigest("dev-1"); !ok || d != digest.FromString(manifest(2)) {
		t.Errorf("dev-1 is at %s", d)
	}
	reg.CreateRepository("other", ecrsim.RepositorySettings{})
	mount := base + "other/blobs/uploads/?from=app&mount=" + digest.FromString(config).String()
	do(t, client, "POST", mount, "", auth).want(t, 202, "")
	reg.SetAccountSetting("BLOB_MOUNTING", "ENABLED")
	do(t, client, "POST", mount, "", auth).want(t, 201, "")
	if got := sim.Counts().Of("ecr.v2.mount"); got != 2 {
		t.Errorf("%d mounts were counted", got)
	}
}

func TestReferrersOfTheDataPlane(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	subject := push(repo, "one", "a")
	referrer := pushManifest(repo, imageOf(repo, "sbom", subject), ocispec.MediaTypeImageManifest)
	client, auth := sim.HTTPClient(), "Authorization: "+token(t, sim)
	url := base + "app/referrers/" + subject.String()
	do(t, client, "GET", url, "", auth).want(t, 200, referrer.String())
	do(t, client, "GET", url+"?artifactType=none", "", auth).want(t, 200, `"manifests":[]`)
	reg.SetQuirks(ecrsim.Quirks{Referrers: ecrsim.ReferrersNotFound})
	do(t, client, "GET", url, "", auth).want(t, 404, "")
	reg.SetQuirks(ecrsim.Quirks{Referrers: ecrsim.ReferrersFalse})
	do(t, client, "GET", url, "", auth).want(t, 200, "{}")
}

func TestDataPlaneThrottles(t *testing.T) {
	clock := newClock()
	sim := start(t, cloudsim.Options{Now: clock.Now})
	reg := sim.ECR(account, region)
	push(reg.CreateRepository("app", ecrsim.RepositorySettings{}), "one", "a")
	reg.SetLimit("BatchGetImage", 1, 1)
	client, auth := sim.HTTPClient(), "Authorization: "+token(t, sim)
	do(t, client, "GET", base+"app/manifests/a", "", auth).want(t, 200, "")
	do(t, client, "GET", base+"app/manifests/a", "", auth).want(t, 429, "TOOMANYREQUESTS")
	if got := sim.Counts().Tally("ecr.v2"); got.Requests != 2 || got.Refused != 1 {
		t.Errorf("counted %+v", got)
	}
}

func TestDownloadURLForLayer(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	repo := sim.ECR(account, region).CreateRepository("app", ecrsim.RepositorySettings{})
	m := imageOf(repo, "one", "")
	client := sdk(sim, "AKIA")
	out, err := client.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{
		RepositoryName: aws.String("app"), LayerDigest: aws.String(m.Layers[0].Digest.String())})
	if err != nil {
		t.Fatal(err)
	}
	res, err := sim.HTTPClient().Get(*out.DownloadUrl)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || digest.FromBytes(body) != m.Layers[0].Digest || res.StatusCode != http.StatusOK {
		t.Errorf("%s, %v, %d bytes", res.Status, err, len(body))
	}
	_, err = client.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{
		RepositoryName: aws.String("app"), LayerDigest: aws.String(digest.FromString("z").String())})
	wantCode(t, err, "LayersNotFoundException")
}
