package arsim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/api/artifactregistry/v1"
	"pgregory.net/rapid"

	"transship/internal/cloudsim/arsim"
)

func TestSinglePost(t *testing.T) {
	content, d := []byte("a layer"), digest.FromString("a layer").String()
	for mode, want := range map[arsim.SinglePost]int{arsim.SinglePostIgnored: 202, arsim.SinglePostAccepted: 201, arsim.SinglePostRefused: 400} {
		w := newWorld(t, arsim.Options{SinglePost: mode})
		got := w.want(w.do("POST", repoURL+"/app/blobs/uploads/?digest="+d, content), want, "")
		if want == 202 {
			w.want(w.do("HEAD", repoURL+"/app/blobs/"+d, nil), 404, "")
			got = w.want(w.do("PUT", w.location(got)+"&digest="+d, content), 201, "")
		}
		if got.StatusCode == 201 {
			w.want(w.do("HEAD", repoURL+"/app/blobs/"+d, nil), 200, "")
		}
		if mode == arsim.SinglePostAccepted {
			w.want(w.do("POST", repoURL+"/app/blobs/uploads/?digest="+d, []byte("other")), 400, "DIGEST_INVALID")
		}
	}
}

func TestMountRules(t *testing.T) {
	for rule, want := range map[arsim.MountRule][2]int{
		arsim.MountNeedsBlob: {201, 201}, arsim.MountNeedsManifest: {202, 201}, arsim.MountNever: {202, 202},
	} {
		for _, scope := range []arsim.BlobScope{arsim.BlobsPerImage, arsim.BlobsPerRepository} {
			w := newWorld(t, arsim.Options{Mount: rule, Blobs: scope})
			m := w.imageOf("app", "a layer")
			url := repoURL + "/web/blobs/uploads/?mount=" + digest.FromString("a layer").String() + "&from=my-gcp-project/app-images/app"
			w.want(w.do("POST", url, nil), want[0], "")
			w.want(w.putManifest("app", "v1", ocispec.MediaTypeImageManifest, m), 201, "")
			w.want(w.do("POST", url, nil), want[1], "")
		}
	}
}

func TestMountDenied(t *testing.T) {
	w := newWorld(t, arsim.Options{MountDeniedStatus: http.StatusForbidden, Deny: deny("secret", "downloadArtifacts")})
	w.want(w.do("POST", repoURL+"/web/blobs/uploads/?mount="+digest.FromString("x").String()+"&from=secret/repo/app", nil), 403, "DENIED")
}

func TestBlobScope(t *testing.T) {
	for scope, want := range map[arsim.BlobScope]int{arsim.BlobsPerImage: 404, arsim.BlobsPerRepository: 200} {
		w := newWorld(t, arsim.Options{Blobs: scope})
		d := w.pushBlob("app", []byte("a layer"))
		w.want(w.do("HEAD", repoURL+"/web/blobs/"+d.String(), nil), want, "")
	}
}

func TestAnyOrder(t *testing.T) {
	w := newWorld(t, arsim.Options{AnyOrder: true})
	w.want(w.putManifest("app", "v1", ocispec.MediaTypeImageIndex, indexOf([]byte("not there"))), 201, "")
}

func TestAbsoluteLocations(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		w := newWorld(t, arsim.Options{AbsoluteLocations: absolute})
		got := w.want(w.do("POST", repoURL+"/app/blobs/uploads/", nil), 202, "").Header.Get("Location")
		if strings.HasPrefix(got, host+"/artifacts-uploads/") != absolute {
			t.Errorf("absolute %v: Location is %q", absolute, got)
		}
	}
}

func TestForgottenBlobs(t *testing.T) {
	w := newWorld(t, arsim.Options{ForgetBlobsOver: 100})
	large := make([]byte, 1000)
	d := w.pushBlob("app", large)
	if head := w.want(w.do("HEAD", repoURL+"/app/blobs/"+d.String(), nil), 200, ""); head.ContentLength != 1000 {
		t.Errorf("%d bytes", head.ContentLength)
	}
	w.want(w.do("PUT", w.startUpload("app")+"&digest="+digest.FromString("x").String(), large), 400, "DIGEST_INVALID")
}

func TestListingLag(t *testing.T) {
	w := newWorld(t, arsim.Options{ListingLag: 10 * time.Second})
	old := w.push("team/app", "v1")
	listed := func() string {
		images, err := w.sdk().Projects.Locations.Repositories.DockerImages.List(parent + "/repositories/app-images").Do()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, i := range images.DockerImages {
			out = append(out, i.Uri[strings.Index(i.Uri, "@")+1:]+fmt.Sprint(i.Tags))
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got := listed(); got != "" {
		t.Errorf("listed at once: %s", got)
	}
	w.clock.advance(10 * time.Second)
	before := digest.FromBytes(old).String() + "[v1]"
	if got := listed(); got != before {
		t.Errorf("listed %s, want %s", got, before)
	}
	next := w.imageOf("team/app", "next")
	w.want(w.putManifest("team/app", "v1", ocispec.MediaTypeImageManifest, next), 201, "")
	if got := listed(); got != before {
		t.Errorf("listed %s, want still %s", got, before)
	}
	// A direct look shows the truth.
	if got := w.do("HEAD", repoURL+"/team/app/manifests/v1", nil).Header.Get("Docker-Content-Digest"); got != digest.FromBytes(next).String() {
		t.Errorf("HEAD says %s", got)
	}
	w.clock.advance(10 * time.Second)
	if got := listed(); !strings.Contains(got, digest.FromBytes(next).String()+"[v1]") || !strings.Contains(got, digest.FromBytes(old).String()+"[]") {
		t.Errorf("listed %s", got)
	}
	if err := w.DeleteTag(image, "v1"); err != nil {
		t.Fatal(err)
	}
	if got := listed(); !strings.Contains(got, "[v1]") {
		t.Errorf("a deletion shows at once: %s", got)
	}
}

func TestRecordAndAccessors(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	m := manifestOf([]byte("c"), []byte("l"), nil)
	for _, reference := range []string{"v1", digest.FromBytes(m).String()} {
		if err := w.Record("us", project, "app-images", "team/app", reference, ocispec.MediaTypeImageManifest, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Record("us", project, "nothing", "team/app", "v1", ocispec.MediaTypeImageManifest, m); err == nil {
		t.Error("recorded into a repository that does not exist")
	}
	if d, ok := w.Image(image).TagDigest("v1"); !ok || d != digest.FromBytes(m) {
		t.Errorf("v1 is %s", d)
	}
	if r, ok := w.Repository("us", project, "app-images"); !ok || r.Format != "DOCKER" {
		t.Errorf("repository %+v", r)
	}
	if _, ok := w.Repository("us", project, "nothing"); ok {
		t.Error("a repository that was never made")
	}
	for _, path := range []string{"", "us-docker.pkg.dev/p", "gcr.io/p/r/i", "us-docker.pkg.dev/" + project + "/app-images/none"} {
		if w.Image(path) != nil {
			t.Errorf("an image at %q", path)
		}
		if err := w.SetTag(path, "x", ""); err == nil {
			t.Errorf("set a tag at %q", path)
		}
		if err := w.DeleteTag(path, "x"); err == nil {
			t.Errorf("deleted a tag at %q", path)
		}
	}
	if img, err := w.EnsureImage("us-docker.pkg.dev/" + project + "/app-images/new"); err != nil || img == nil {
		t.Error(err)
	}
	if _, err := w.EnsureImage("us-docker.pkg.dev/" + project + "/nothing/new"); err == nil {
		t.Error("made an image in no repository")
	}
}

// TestPagingLosesNothing lists images page by page while others come: all that were there from the first page on are
// listed exactly once.
func TestPagingLosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, arsim.Options{Quotas: arsim.NoQuotas()})
		record := func(name string) string {
			m := manifestOf([]byte(name), []byte(fmt.Sprint(rapid.Int().Draw(rt, "content"))), nil)
			if err := w.Record("us", project, "app-images", name, "v1", ocispec.MediaTypeImageManifest, m); err != nil {
				rt.Fatal(err)
			}
			return name + "@" + digest.FromBytes(m).String()
		}
		names := rapid.SampledFrom([]string{"a", "a-b", "a/b", "a.b", "b", "b/c/d", "c"})
		want := map[string]bool{}
		for _, name := range rapid.SliceOfN(names, 1, 20).Draw(rt, "images") {
			want[record(name)] = true
		}
		got := map[string]int{}
		size := rapid.Int64Range(1, 6).Draw(rt, "page size")
		err := w.sdk().Projects.Locations.Repositories.DockerImages.List(parent+"/repositories/app-images").PageSize(size).
			Pages(t.Context(), func(p *artifactregistry.ListDockerImagesResponse) error {
				if int64(len(p.DockerImages)) > size || len(p.DockerImages) == 0 {
					rt.Errorf("a page of %d with page size %d", len(p.DockerImages), size)
				}
				for _, i := range p.DockerImages {
					got[strings.TrimPrefix(i.Uri, "us-docker.pkg.dev/my-gcp-project/app-images/")]++
				}
				if rapid.Bool().Draw(rt, "another comes") && len(want) < 40 {
					record(names.Draw(rt, "name"))
				}
				return nil
			})
		if err != nil {
			rt.Fatal(err)
		}
		for key, n := range got {
			if n != 1 {
				rt.Errorf("%s is listed %d times", key, n)
			}
		}
		for key := range want {
			if got[key] != 1 {
				rt.Errorf("%s is not listed", key)
			}
		}
	})
}
