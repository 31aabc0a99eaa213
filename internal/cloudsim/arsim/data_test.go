package arsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/arsim"
)

const image = "us-docker.pkg.dev/my-gcp-project/app-images/team/app"

func TestPushAndPull(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	m := w.imageOf("team/app", "a layer")
	d := digest.FromBytes(m)
	put := w.want(w.putManifest("team/app", "v1", ocispec.MediaTypeImageManifest, m), 201, "")
	if got := put.Header.Get("Docker-Content-Digest"); got != d.String() {
		t.Errorf("Docker-Content-Digest is %q", got)
	}
	for _, reference := range []string{"v1", d.String()} {
		got := w.want(w.do("GET", repoURL+"/team/app/manifests/"+reference, nil, "Accept", "application/json"), 200, "")
		if string(got.body) != string(m) || got.Header.Get("Content-Type") != ocispec.MediaTypeImageManifest {
			t.Errorf("%s: another manifest", reference)
		}
		head := w.want(w.do("HEAD", repoURL+"/team/app/manifests/"+reference, nil), 200, "")
		if head.ContentLength != int64(len(m)) || len(head.body) != 0 {
			t.Errorf("HEAD says %d bytes", head.ContentLength)
		}
	}
	layer := digest.FromString("a layer")
	head := w.want(w.do("HEAD", repoURL+"/team/app/blobs/"+layer.String(), nil), 200, "")
	if head.ContentLength != 7 {
		t.Errorf("HEAD of the blob says %d bytes", head.ContentLength)
	}
	redirect := w.want(w.do("GET", repoURL+"/team/app/blobs/"+layer.String(), nil), 302, "")
	to := redirect.Header.Get("Location")
	if !strings.HasPrefix(to, "/artifacts-downloads/namespaces/my-gcp-project/repositories/app-images/downloads/") {
		t.Errorf("redirected to %q", to)
	}
	if got := w.want(w.do("GET", host+to, nil), 200, ""); string(got.body) != "a layer" {
		t.Errorf("downloaded %q", got.body)
	}
	if got := w.want(w.do("GET", host+to, nil, "Range", "bytes=2-"), 206, ""); string(got.body) != "layer" {
		t.Errorf("downloaded %q", got.body)
	}
	w.want(w.do("GET", host+to, nil, "Range", "bytes=99-"), 416, "")
	w.want(w.do("GET", host+to, nil, "Authorization", ""), 401, "UNAUTHORIZED")
}

func TestUnknown(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	absent := digest.FromString("absent").String()
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/team/app/manifests/v1", 404, "MANIFEST_UNKNOWN"},
		{"HEAD", "/team/app/manifests/v1", 404, ""},
		{"DELETE", "/team/app/manifests/v1", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/team/app/blobs/" + absent, 404, "BLOB_UNKNOWN"},
		{"HEAD", "/team/app/blobs/" + absent, 404, ""},
		{"GET", "/team/app/blobs/sha256:short", 400, "DIGEST_INVALID"},
		{"DELETE", "/team/app/blobs/" + absent, 404, "UNSUPPORTED"},
		{"GET", "/team/app/tags/list", 404, "NAME_UNKNOWN"},
		{"GET", "/manifests/v1", 400, "NAME_INVALID"},
		{"GET", "/team/app/elsewhere", 404, "UNSUPPORTED"},
	} {
		w.want(w.do(c.method, repoURL+c.path, nil), c.status, c.code)
	}
	got := w.want(w.do("POST", host+"/v2/my-gcp-project/nothing/app/blobs/uploads/", nil), 404, "NAME_UNKNOWN")
	if !strings.Contains(string(got.body), `Repository \"nothing\" not found`) {
		t.Errorf("%s", got.body)
	}
	// The repository is in us: no other location has it.
	w.want(w.do("GET", "https://europe-docker.pkg.dev/v2/my-gcp-project/app-images/team/app/manifests/v1", nil), 404, "NAME_UNKNOWN")
	w.want(w.do("GET", host+"/artifacts-uploads/namespaces/my-gcp-project", nil), 404, "UNSUPPORTED")
	w.want(w.do("GET", host+"/artifacts-downloads/namespaces/my-gcp-project/repositories/app-images/downloads/x", nil), 404, "BLOB_UNKNOWN")
	w.want(w.do("GET", host+"/v2/", nil), 200, "")
}

func TestUploads(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	content, d := []byte("a layer"), digest.FromString("a layer").String()

	at := w.startUpload("team/app")
	if !strings.HasPrefix(at, host+"/artifacts-uploads/namespaces/my-gcp-project/repositories/app-images/uploads/") {
		t.Errorf("Location is %s", at)
	}
	w.want(w.do("PUT", at+"&digest="+d, content, "Authorization", ""), 401, "UNAUTHORIZED")
	w.want(w.do("PUT", at+"&digest="+digest.FromString("other").String(), content), 400, "DIGEST_INVALID")
	w.want(w.do("PUT", at+"&digest="+d, content), 404, "BLOB_UPLOAD_UNKNOWN") // the session ended with the mismatch
	w.want(w.do("PUT", w.startUpload("team/app"), content), 400, "DIGEST_INVALID")
	w.want(w.do("PUT", w.startUpload("team/app")+"&digest=md5:x", content), 400, "DIGEST_INVALID")
	w.want(w.do("HEAD", repoURL+"/team/app/blobs/"+d, nil), 404, "")

	// One stream as a PATCH, then an empty PUT at the new Location.
	patched := w.want(w.do("PATCH", w.startUpload("team/app"), content), 202, "")
	if got := patched.Header.Get("Range"); got != "0-6" {
		t.Errorf("Range is %q, want 0-6", got)
	}
	w.want(w.do("PUT", w.location(patched)+"&digest="+d, nil), 201, "")

	// Chunks are refused, whichever way they come.
	w.want(w.do("PATCH", w.startUpload("team/app"), content, "Content-Range", "0-6"), 400, "BLOB_UPLOAD_INVALID")
	patched = w.want(w.do("PATCH", w.startUpload("team/app"), content), 202, "")
	w.want(w.do("PATCH", w.location(patched), content), 400, "BLOB_UPLOAD_INVALID")
	w.want(w.do("PUT", w.location(patched)+"&digest="+d, nil), 404, "BLOB_UPLOAD_UNKNOWN")
	patched = w.want(w.do("PATCH", w.startUpload("team/app"), content), 202, "")
	w.want(w.do("PUT", w.location(patched)+"&digest="+d, content), 400, "BLOB_UPLOAD_INVALID")

	at = w.startUpload("team/app")
	w.want(w.do("GET", at, nil), 204, "")
	w.want(w.do("DELETE", at, nil), 204, "")
	w.want(w.do("PUT", at+"&digest="+d, content), 404, "BLOB_UPLOAD_UNKNOWN")
	// A blob without bytes is a blob.
	w.pushBlob("team/app", nil)
	// A session belongs to its repository.
	if err := w.CreateRepository("us", project, "other", arsim.Repository{}); err != nil {
		t.Fatal(err)
	}
	at = strings.Replace(w.startUpload("team/app"), "/app-images/", "/other/", 1)
	w.want(w.do("PUT", at+"&digest="+d, content), 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestMount(t *testing.T) {
	w := newWorld(t, arsim.Options{Deny: deny("secret", "downloadArtifacts")})
	for _, p := range []string{"other-project", "secret-project", "example.com:proj"} {
		if err := w.CreateRepository("us", p, "repo", arsim.Repository{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.CreateRepository("europe", project, "far", arsim.Repository{}); err != nil {
		t.Fatal(err)
	}
	d := w.pushBlob("team/app", []byte("a layer"))
	mount := func(to, from string) answer {
		return w.do("POST", to+"/blobs/uploads/?mount="+d.String()+"&from="+from, nil)
	}
	from := "my-gcp-project/app-images/team/app"
	w.want(mount(repoURL+"/team/web", from), 201, "")
	w.want(w.do("HEAD", repoURL+"/team/web/blobs/"+d.String(), nil), 200, "")
	w.want(mount(host+"/v2/other-project/repo/x", from), 201, "")
	w.want(mount(host+"/v2/example.com/proj/repo/x", "other-project/repo/x"), 201, "")
	w.want(mount(repoURL+"/team/cli", "example.com/proj/repo/x"), 201, "")
	w.want(mount("https://europe-docker.pkg.dev/v2/my-gcp-project/far/x", from), 202, "")
	w.want(mount("https://europe-docker.pkg.dev/v2/my-gcp-project/far/x", from+"&origin=us-docker.pkg.dev"), 201, "")
	if w.Image("us-docker.pkg.dev/example.com/proj/repo/x") == nil {
		t.Error("no image in the domain-scoped project")
	}

	// What cannot be mounted goes on as an upload.
	for _, from := range []string{"my-gcp-project/app-images/nothing", "nobody/app-images/team/app", "", "secret-project/repo/x"} {
		answer := w.want(mount(repoURL+"/team/late", from), 202, "")
		w.want(w.do("PUT", w.location(answer)+"&digest="+d.String(), []byte("a layer")), 201, "")
		w.Image("us-docker.pkg.dev/my-gcp-project/app-images/team/late").DeleteBlob(d)
	}
	w.want(w.do("POST", repoURL+"/x/blobs/uploads/?mount=rubbish&from="+from, nil), 400, "DIGEST_INVALID")
}

func TestManifestRefusals(t *testing.T) {
	w := newWorld(t, arsim.Options{MaxManifestBytes: 4096})
	good := w.imageOf("app", "a layer")
	oci := ocispec.MediaTypeImageManifest
	for name, c := range map[string]struct {
		reference, mediaType string
		manifest             []byte
		status               int
		code                 string
	}{
		"no JSON":         {"v1", oci, []byte("{"), 400, "MANIFEST_INVALID"},
		"media type":      {"v1", "text/plain", good, 400, "MANIFEST_INVALID"},
		"no media type":   {"v1", "", good, 400, "MANIFEST_INVALID"},
		"other type":      {"v1", ocispec.MediaTypeImageIndex, good, 400, "MANIFEST_INVALID"},
		"schema":          {"v1", oci, []byte(`{"schemaVersion":3,"config":{"digest":"` + digest.FromString("a layer").String() + `"}}`), 400, "MANIFEST_INVALID"},
		"no config":       {"v1", oci, []byte(`{"schemaVersion":2}`), 400, "MANIFEST_INVALID"},
		"bad digest":      {"v1", oci, []byte(`{"schemaVersion":2,"config":{"digest":"sha256:1"}}`), 400, "MANIFEST_INVALID"},
		"schema 1":        {"v1", "application/vnd.docker.distribution.manifest.v1+json", []byte(`{"schemaVersion":1}`), 400, "MANIFEST_INVALID"},
		"blob unknown":    {"v1", oci, manifestOf([]byte("{}"), []byte("absent"), nil), 400, "MANIFEST_BLOB_UNKNOWN"},
		"child unknown":   {"v1", ocispec.MediaTypeImageIndex, indexOf(good), 400, "MANIFEST_INVALID"},
		"too large":       {"v1", oci, append(good, make([]byte, 4096)...), 413, "MANIFEST_INVALID"},
		"digest mismatch": {digest.FromString("other").String(), oci, good, 400, "DIGEST_INVALID"},
		"tag":             {"-v1", oci, good, 400, "TAG_INVALID"},
		"long tag":        {strings.Repeat("x", 129), oci, good, 400, "TAG_INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{Cloud: w.Cloud, t: t, client: w.client, token: w.token}
			w.want(w.putManifest("app", c.reference, c.mediaType, c.manifest), c.status, c.code)
		})
	}
	if got := w.Images("us", project, "app-images"); len(got) != 0 {
		t.Errorf("images %v, want none", got)
	}
	// A layer that is kept elsewhere need not be there, nor need a build cache's layers be manifests.
	foreign := ocispec.Descriptor{MediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Digest: digest.FromString("foreign"), Size: 7, URLs: []string{"https://example.com"}}
	m := encode(map[string]any{"schemaVersion": 2, "config": descriptor(ocispec.MediaTypeImageConfig, []byte(`{"architecture":"amd64","os":"linux"}`)), "layers": []any{foreign}})
	w.want(w.putManifest("app", "foreign", "application/vnd.docker.distribution.manifest.v2+json", m), 201, "")
	cache := encode(map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "manifests": []any{descriptor(ocispec.MediaTypeImageLayerGzip, []byte("a layer"))}})
	w.want(w.putManifest("app", "cache", ocispec.MediaTypeImageIndex, cache), 201, "")
}

func TestImmutableTags(t *testing.T) {
	for _, strict := range []bool{false, true} {
		w := newWorld(t, arsim.Options{ImmutableRefusesSame: strict})
		if err := w.CreateRepository("us", project, "frozen", arsim.Repository{DockerConfig: &arsim.DockerConfig{ImmutableTags: true}}); err != nil {
			t.Fatal(err)
		}
		d := w.pushBlob("app", []byte("x"))
		url := host + "/v2/my-gcp-project/frozen/app"
		w.want(w.do("POST", url+"/blobs/uploads/?mount="+d.String()+"&from=my-gcp-project/app-images/app", nil), 201, "")
		one, two := manifestOf([]byte("x"), []byte("x"), nil), append(manifestOf([]byte("x"), []byte("x"), nil), ' ')
		put := func(tag string, m []byte) answer {
			return w.do("PUT", url+"/manifests/"+tag, m, "Content-Type", ocispec.MediaTypeImageManifest)
		}
		w.want(put("v1", one), 201, "")
		got := w.want(put("v1", two), 400, "MANIFEST_INVALID")
		if !strings.Contains(string(got.body), "cannot update tag v1. The repository has enabled tag immutability") {
			t.Errorf("%s", got.body)
		}
		if strict {
			w.want(put("v1", one), 400, "MANIFEST_INVALID")
		} else {
			w.want(put("v1", one), 201, "")
		}
		w.want(put("v2", one), 201, "")
		w.want(put(digest.FromBytes(two).String(), two), 201, "")
		w.want(w.do("DELETE", url+"/manifests/v1", nil), 400, "MANIFEST_INVALID")
		w.want(w.do("DELETE", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories/frozen/packages/app/tags/v1", nil), 400, "FAILED_PRECONDITION")
		w.want(w.do("PATCH", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories/frozen/packages/app/tags/v1",
			encode(map[string]string{"version": "x/" + digest.FromBytes(two).String()})), 400, "FAILED_PRECONDITION")
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	child := w.imageOf("app", "child")
	byDigest := func(m []byte) string { return repoURL + "/app/manifests/" + digest.FromBytes(m).String() }
	w.want(w.putManifest("app", digest.FromBytes(child).String(), ocispec.MediaTypeImageManifest, child), 201, "")
	index := indexOf(child)
	w.want(w.putManifest("app", "v1", ocispec.MediaTypeImageIndex, index), 201, "")
	w.pushBlob("app", []byte("sbom"))
	subject := descriptor(ocispec.MediaTypeImageIndex, index)
	referrer := manifestOf([]byte("sbom"), []byte("sbom"), &subject)
	got := w.want(w.putManifest("app", digest.FromBytes(referrer).String(), ocispec.MediaTypeImageManifest, referrer), 201, "")
	if got.Header.Get("OCI-Subject") != subject.Digest.String() {
		t.Errorf("OCI-Subject is %q", got.Header.Get("OCI-Subject"))
	}
	w.want(w.do("DELETE", byDigest(index), nil), 400, "GOOGLE_MANIFEST_DANGLING_TAG")
	w.want(w.do("DELETE", repoURL+"/app/manifests/v1", nil), 202, "")
	w.want(w.do("GET", byDigest(index), nil), 200, "")
	w.want(w.do("DELETE", byDigest(child), nil), 400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE")
	w.want(w.do("DELETE", byDigest(index), nil), 400, "GOOGLE_MANIFEST_REFERRING_MANIFEST")
	for _, m := range [][]byte{referrer, index, child} {
		w.want(w.do("DELETE", byDigest(m), nil), 202, "")
		w.want(w.do("DELETE", byDigest(m), nil), 404, "MANIFEST_UNKNOWN")
	}
}

func TestReferrers(t *testing.T) {
	for _, off := range []bool{false, true} {
		w := newWorld(t, arsim.Options{NoReferrers: off})
		m := w.push("app", "v1")
		subject := descriptor(ocispec.MediaTypeImageManifest, m)
		w.pushBlob("app", []byte("sbom"))
		referrer := manifestOf([]byte("sbom"), []byte("sbom"), &subject)
		put := w.want(w.putManifest("app", digest.FromBytes(referrer).String(), ocispec.MediaTypeImageManifest, referrer), 201, "")
		if (put.Header.Get("OCI-Subject") == "") != off {
			t.Errorf("OCI-Subject is %q", put.Header.Get("OCI-Subject"))
		}
		at := repoURL + "/app/referrers/" + subject.Digest.String()
		if off {
			w.want(w.do("GET", at, nil), 404, "")
			continue
		}
		for query, want := range map[string]int{"": 1, "?artifactType=" + url.QueryEscape(ocispec.MediaTypeImageConfig): 1, "?artifactType=other": 0} {
			var index ocispec.Index
			if err := json.Unmarshal(w.want(w.do("GET", at+query, nil), 200, "").body, &index); err != nil || len(index.Manifests) != want {
				t.Errorf("%q: %d referrers, %v; want %d", query, len(index.Manifests), err, want)
			}
		}
		none := w.want(w.do("GET", repoURL+"/app/referrers/"+digest.FromString("x").String(), nil), 200, "")
		if !strings.Contains(string(none.body), `"manifests":[]`) {
			t.Errorf("%s", none.body)
		}
	}
}

func TestTagsList(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	m := w.push("team/app", "v1")
	w.push("team/app/sub", "x")
	img := w.Image(image)
	var list struct {
		Name     string
		Tags     []string
		Child    []string
		Manifest map[string]struct {
			Tag            []string
			ImageSizeBytes string
			MediaType      string
		}
	}
	read := func(query string) answer {
		a := w.want(w.do("GET", repoURL+query, nil), 200, "")
		list.Manifest = nil
		if err := json.Unmarshal(a.body, &list); err != nil {
			t.Fatal(err)
		}
		return a
	}
	read("/team/app/tags/list")
	if e := list.Manifest[digest.FromBytes(m).String()]; !cmp.Equal(e.Tag, []string{"v1"}) || !cmp.Equal(list.Child, []string{"sub"}) || e.ImageSizeBytes == "" {
		t.Errorf("%+v", list)
	}
	read("/tags/list")
	if !cmp.Equal(list.Child, []string{"team"}) || len(list.Tags) != 0 {
		t.Errorf("%+v", list)
	}
	for i := range 10_050 {
		img.Tag(fmt.Sprintf("t%05d", i), digest.FromBytes(m))
	}
	if read("/team/app/tags/list"); len(list.Tags) != 10_000 {
		t.Errorf("%d tags, want the list to end at 10,000", len(list.Tags))
	}
	if a := read("/team/app/tags/list?n=2&last=t00007"); !cmp.Equal(list.Tags, []string{"t00008", "t00009"}) || !strings.Contains(a.Header.Get("Link"), "last=t00009") {
		t.Errorf("%v %q", list.Tags, a.Header.Get("Link"))
	}
}

func TestKinds(t *testing.T) {
	c := arsim.New(arsim.Options{})
	for _, k := range []struct{ method, url, want string }{
		{"GET", host + "/v2/", "ar.v2.ping"},
		{"GET", host + "/v2/token?service=x", "ar.v2.token"},
		{"POST", repoURL + "/a/b/blobs/uploads/", "ar.v2.upload.post"},
		{"POST", repoURL + "/a/blobs/uploads/?digest=x", "ar.v2.upload.post"},
		{"POST", repoURL + "/a/blobs/uploads/?mount=x&from=y", "ar.v2.mount"},
		{"PUT", host + "/artifacts-uploads/namespaces/p/repositories/r/uploads/u?digest=x", "ar.v2.upload.put"},
		{"PATCH", host + "/artifacts-uploads/namespaces/p/repositories/r/uploads/u", "ar.v2.upload.patch"},
		{"GET", host + "/artifacts-downloads/namespaces/p/repositories/r/downloads/u", "ar.v2.blob.download"},
		{"HEAD", repoURL + "/a/blobs/sha256:x", "ar.v2.blob.head"},
		{"GET", repoURL + "/a/blobs/sha256:x", "ar.v2.blob.get"},
		{"PUT", repoURL + "/a/manifests/v1", "ar.v2.manifest.put"},
		{"HEAD", repoURL + "/manifests/blobs/manifests/v1", "ar.v2.manifest.head"},
		{"GET", repoURL + "/a/tags/list", "ar.v2.tags.list"},
		{"GET", repoURL + "/a/referrers/sha256:x", "ar.v2.referrers"},
		{"GET", host + "/", "ar.v2.other"},
		{"GET", "https://" + arsim.APIHost + "/v1/" + parent + "/repositories", "ar.api.repositories.list"},
		{"POST", "https://" + arsim.APIHost + "/v1/" + parent + "/repositories?repositoryId=x", "ar.api.repositories.create"},
		{"GET", "https://" + arsim.APIHost + "/v1/" + parent + "/repositories/x", "ar.api.repositories.get"},
		{"GET", "https://" + arsim.APIHost + "/v1/" + parent + "/repositories/x:getIamPolicy", "ar.api.repositories.getIamPolicy"},
		{"GET", "https://" + arsim.APIHost + "/v1/" + parent + "/repositories/x/dockerImages", "ar.api.dockerImages.list"},
		{"GET", "https://" + arsim.APIHost + "/v1/" + parent + "/repositories/x/packages/a%252Fb/versions", "ar.api.versions.list"},
		{"DELETE", "https://" + arsim.APIHost + "/v1/" + parent + "/repositories/x/packages/a%252Fb/tags/t", "ar.api.tags.delete"},
		{"GET", "https://" + arsim.APIHost + "/v1/" + parent + "/operations/o", "ar.api.operations.get"},
		{"GET", "https://" + arsim.APIHost + "/v1/projects/p/locations", "ar.api.locations.list"},
		{"GET", "https://" + arsim.APIHost + "/", "ar.api.other"},
		{"POST", "https://" + arsim.OAuthHost + "/token", "ar.oauth.token"},
		{"GET", "https://docker.us-east1.rep.pkg.dev/v2/", "ar.v2.ping"},
		{"GET", "https://example.com/v2/", "other"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), k.method, k.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Kind(r); got != k.want {
			t.Errorf("%s %s is %s, want %s", k.method, k.url, got, k.want)
		}
	}
}
