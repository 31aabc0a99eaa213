package gar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	api "google.golang.org/api/artifactregistry/v1"

	"transship/internal/cloudsim/arsim"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

func TestImages(t *testing.T) {
	sim, ar, c := world(t, arsim.Options{})
	for i := range 2499 {
		record(t, ar, apps, fmt.Sprintf("team/app-%d", i%7), fmt.Sprint(i), fmt.Sprintf("v%d", i))
	}
	untagged := record(t, ar, apps, "top", "untagged")
	tagged := record(t, ar, apps, "team/deep/er", "tagged", "b", "a", "c")
	images := map[string]document.TargetImage{}
	for image, err := range c.Images(t.Context(), apps) {
		if err != nil {
			t.Fatal(err)
		}
		images[image.URI.String()+"@"+image.Digest.String()] = image
	}
	if n := sim.Counts().Of("ar.api"); n != 3 || len(images) != 2501 {
		t.Errorf("%d images by %d requests, want 2501 by 3:\n%s", len(images), n, sim.Counts())
	}
	got := images["us-docker.pkg.dev/my-project/app-images/team/deep/er@"+tagged.String()]
	if got.URI != apps.Image("team/deep/er") || !slices.Equal(got.Tags, []string{"a", "b", "c"}) || got.MediaType != ocispec.MediaTypeImageManifest || got.Size == 0 || got.UploadedAt.IsZero() {
		t.Errorf("image is %+v", got)
	}
	if got := images["us-docker.pkg.dev/my-project/app-images/top@"+untagged.String()]; got.Tags == nil || len(got.Tags) != 0 {
		t.Errorf("untagged image is %+v", got)
	}
}

// TestManyTags has images with more tags than Artifact Registry shows.
func TestManyTags(t *testing.T) {
	for _, n := range []int{99, 100, 101, 2500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			sim, ar, c := world(t, arsim.Options{MaxImageTags: 100})
			image := apps.Image("team/api")
			var want []string
			d := record(t, ar, apps, image.Path, "x")
			for i := range n {
				want = append(want, fmt.Sprintf("v%04d", i))
				if err := ar.SetTag(image.String(), want[i], d); err != nil {
					t.Fatal(err)
				}
			}
			record(t, ar, apps, image.Path, "other", "other")
			listed, more := 0, (n+pageSize-1)/pageSize
			if n < 100 {
				more = 0
			}
			for name, list := range map[string]func(func(document.TargetImage, error) bool){
				"images": c.Images(t.Context(), apps), "package": c.PackageImages(t.Context(), image),
			} {
				before := sim.Counts().Of("ar.api")
				for got, err := range list {
					if err != nil {
						t.Fatal(err)
					}
					if got.Digest == d {
						listed++
						if diff := cmp.Diff(want, got.Tags); diff != "" {
							t.Errorf("%s (-want +got):\n%s", name, diff)
						}
					}
				}
				if got := sim.Counts().Of("ar.api") - before; got != 1+more {
					t.Errorf("%s: %d requests, want %d", name, got, 1+more)
				}
			}
			if listed != 2 {
				t.Errorf("listed %d times, want 2", listed)
			}
		})
	}
}

func TestPackageImages(t *testing.T) {
	sim, ar, c := world(t, arsim.Options{})
	want := map[digest.Digest]document.TargetImage{}
	image := apps.Image("team/api")
	for i := range 1500 {
		tag := fmt.Sprintf("v%d", i)
		d := record(t, ar, apps, "team/api", fmt.Sprint(i), tag)
		want[d] = document.TargetImage{URI: image, Digest: d, Tags: []string{tag}, MediaType: ocispec.MediaTypeImageManifest}
	}
	record(t, ar, apps, "team/api2", "other")
	got := map[digest.Digest]document.TargetImage{}
	for i, err := range c.PackageImages(t.Context(), image) {
		if err != nil {
			t.Fatal(err)
		}
		if i.UploadedAt.IsZero() || i.Size == 0 {
			t.Fatalf("image is %+v", i)
		}
		i.UploadedAt, i.Size = time.Time{}, 0
		got[i.Digest] = i
	}
	if diff := cmp.Diff(want, got); diff != "" || sim.Counts().Of("ar.api.versions.list") != 2 {
		t.Errorf("%d requests, want 2 (-want +got):\n%.2000s", sim.Counts().Of("ar.api"), diff)
	}
	for i, err := range c.PackageImages(t.Context(), apps.Image("not/there")) {
		t.Errorf("a path that is not there has %+v, %v", i, err)
	}
}

func TestNamesOfImages(t *testing.T) {
	d := digest.FromString("x").String()
	domain := ref.TargetRepository{Location: "europe-west3", Project: "example.com:my-project", ID: "apps"}
	legacy := ref.TargetRepository{Location: "us", Project: "my-project", ID: "gcr.io"}
	for _, c := range []struct {
		r         ref.TargetRepository
		uri, name string
		want      string // image path, empty for an error
	}{
		{apps, "us-docker.pkg.dev/my-project/app-images/team/api@" + d, "", "team/api"},
		{apps, "docker.us.rep.pkg.dev/my-project/app-images/api@" + d, "", "api"},
		{apps, "us-docker.pkg.dev/my-project/other/api@" + d, "", ""},
		{apps, "", "projects/my-project/locations/us/repositories/app-images/dockerImages/team%2Fapi@" + d, "team/api"},
		{apps, "", "projects/my-project/locations/us/repositories/app-images/dockerImages/team/api@" + d, "team/api"},
		{apps, "us-docker.pkg.dev/my-project/app-images/api", "", ""},
		{apps, "us-docker.pkg.dev/my-project/app-images/api@sha256:12", "", ""},
		{apps, "us-docker.pkg.dev/my-project/app-images/@" + d, "", ""},
		{apps, "", "", ""},
		{apps, "", "projects/p/locations/us/repositories/r/dockerImages/%zz@" + d, ""},
		{domain, "europe-west3-docker.pkg.dev/example.com/my-project/apps/team/api@" + d, "", "team/api"},
		{domain, "europe-west3-docker.pkg.dev/example.com:my-project/apps/team/api@" + d, "", "team/api"},
		{legacy, "gcr.io/my-project/team/api@" + d, "", "team/api"},
		{legacy, "us-docker.pkg.dev/my-project/gcr.io/team/api@" + d, "", "team/api"},
	} {
		uri, got, err := imageName(c.r, &api.DockerImage{Uri: c.uri, Name: c.name})
		if c.want == "" {
			if err == nil {
				t.Errorf("%q %q became %s", c.uri, c.name, uri)
			}
			continue
		}
		if err != nil || uri != c.r.Image(c.want) || got.String() != d {
			t.Errorf("%q %q became %s@%s, %v; want %s", c.uri, c.name, uri, got, err, c.want)
		}
	}
}

// TestTargetImage sees to it that no field of the API's is lost, and none invented.
func TestTargetImage(t *testing.T) {
	d := digest.FromString("x")
	got, err := targetImage(apps, &api.DockerImage{
		Uri: "us-docker.pkg.dev/my-project/app-images/api@" + d.String(), Tags: []string{"b", "a"}, ImageSizeBytes: 42, MediaType: "m", ArtifactType: "t",
		UploadTime: "2026-03-01T12:00:00.000000Z", UpdateTime: "2027-01-01T00:00:00Z",
	})
	want := document.TargetImage{URI: apps.Image("api"), Digest: d, Tags: []string{"a", "b"}, Size: 42, MediaType: "m", ArtifactType: "t", UploadedAt: begin}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("all fields: %v (-want +got):\n%s", err, diff)
	}
	got, err = targetImage(apps, &api.DockerImage{Uri: "us-docker.pkg.dev/my-project/app-images/api@" + d.String(), UploadTime: "yesterday"})
	if diff := cmp.Diff(document.TargetImage{URI: apps.Image("api"), Digest: d, Tags: []string{}}, got); err != nil || diff != "" {
		t.Errorf("no fields: %v (-want +got):\n%s", err, diff)
	}
	if j, _ := json.Marshal(got); !strings.Contains(string(j), `"tags":[]`) {
		t.Errorf("no fields marshal to %s", j)
	}
	for _, c := range []struct{ version, want string }{
		{`{"name":"a/versions/` + d.String() + `","createTime":"2026-03-01T12:00:00Z","metadata":{"imageSizeBytes":"42","mediaType":"m","artifactType":"t"},"relatedTags":[{"name":"a/tags/b"},{"name":"a/tags/a"}]}`, ""},
		{`{"name":"a/versions/` + d.String() + `","metadata":{"imageSizeBytes":42}}`, ""},
		{`{"name":"a/versions/` + d.String() + `","metadata":{"imageSizeBytes":"much"}}`, "metadata"},
		{`{"name":"a/versions/1.0"}`, "not a digest"},
		{`{"name":"a"}`, "/versions/"},
		{`{"name":"a/versions/` + d.String() + `","relatedTags":[{"name":"a"}]}`, "/tags/"},
	} {
		var v api.Version
		if err := json.Unmarshal([]byte(c.version), &v); err != nil {
			t.Fatal(err)
		}
		got, err := packageImage(apps.Image("api"), &v)
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want an error with %q", c.version, err, c.want)
			}
		case err != nil || got.Size != 42 || got.Digest != d:
			t.Errorf("%s became %+v, %v", c.version, got, err)
		case len(got.Tags) > 0:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("a version (-want +got):\n%s", diff)
			}
		}
	}
}

func TestListingsWithBadAnswers(t *testing.T) {
	images := func(c *Cloud) error { return lastError(c.Images(t.Context(), apps)) }
	versions := func(c *Cloud) error { return lastError(c.PackageImages(t.Context(), apps.Image("api"))) }
	repositories := func(c *Cloud) error { return lastError(c.Repositories(t.Context(), "my-project", "us")) }
	tags := func(c *Cloud) error { return lastError(c.tags(t.Context(), apps.Image("api"), "")) }
	for _, c := range []struct {
		name, body string
		list       func(*Cloud) error
		want       string
		calls      int
	}{
		{"an image of another repository", `{"dockerImages":[{"uri":"us-docker.pkg.dev/a/b/c@sha256:1"}]}`, images, "not in this repository", 1},
		{"a repository without a name", `{"repositories":[{}]}`, repositories, "/repositories/", 1},
		{"a tag without a version", `{"tags":[{"name":"a/tags/b"}]}`, tags, "/versions/", 1},
		{"endless images", `{"nextPageToken":"again"}`, images, "does not end", 2},
		{"endless versions", `{"nextPageToken":"again"}`, versions, "does not end", 2},
		{"endless repositories", `{"nextPageToken":"again"}`, repositories, "does not end", 2},
		{"endless tags", `{"nextPageToken":"again"}`, tags, "does not end", 2},
		{"no JSON", `<html>`, images, "invalid character", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := always(200, c.body)
			err := c.list(cloud(t, s, StaticToken(accessToken)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "target: list ") || s.requests() != c.calls {
				t.Errorf("after %d requests: %v, want %q after %d", s.requests(), err, c.want, c.calls)
			}
			if registry.ClassOf(err) != registry.Unknown {
				t.Errorf("the class is %s", registry.ClassOf(err))
			}
		})
	}
}
