package ecr

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/document"
	"transship/internal/registry"
)

func TestRepositories(t *testing.T) {
	sim, cloud, reg := world(t, cloudsim.Options{})
	for i := range 2499 {
		cloud.CreateRepository(fmt.Sprintf("team/app-%04d", i), ecrsim.RepositorySettings{CreatedAt: begin})
	}
	cloud.CreateRepository("vault", ecrsim.RepositorySettings{
		CreatedAt: begin, Mutability: "IMMUTABLE_WITH_EXCLUSION", ExclusionFilters: []string{"latest", "dev-*"},
		ScanOnPush: true, EncryptionType: "KMS", KMSKey: "arn:aws:kms:us-east-1:123456789012:key/k",
	})
	var got []document.SourceRepository
	for r, err := range reg.Repositories(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if n := sim.Counts().Of("ecr.DescribeRepositories"); n != 3 || len(got) != 2500 {
		t.Errorf("%d repositories by %d requests, want 2500 by 3", len(got), n)
	}
	want := []document.SourceRepository{
		{Name: "team/app-0000", URI: home.Repository("team/app-0000"), CreatedAt: begin, TagMutability: "MUTABLE", EncryptionType: "AES256"},
		{Name: "vault", URI: home.Repository("vault"), CreatedAt: begin, TagMutability: "IMMUTABLE_WITH_EXCLUSION",
			TagExclusions: []string{"dev-*", "latest"}, ScanOnPush: true, EncryptionType: "KMS", KMSKey: "arn:aws:kms:us-east-1:123456789012:key/k"},
	}
	i := slices.IndexFunc(got, func(r document.SourceRepository) bool { return r.Name == "team/app-0000" })
	j := slices.IndexFunc(got, func(r document.SourceRepository) bool { return r.Name == "vault" })
	if diff := cmp.Diff(want, []document.SourceRepository{utc(got[i]), utc(got[j])}); diff != "" {
		t.Errorf("repositories (-want +got):\n%s", diff)
	}
}

func utc(r document.SourceRepository) document.SourceRepository {
	r.CreatedAt = r.CreatedAt.UTC()
	return r
}

func TestImages(t *testing.T) {
	sim, cloud, reg := world(t, cloudsim.Options{})
	p := cloud.CreateRepository("team/api", ecrsim.RepositorySettings{})
	for i := range 2497 {
		push(p, fmt.Sprint(i), fmt.Sprintf("v%04d", i))
	}
	tagged := push(p, "tagged", "z", "a", "m")
	archived := push(p, "archived")
	p.SetStatus(archived, ecrsim.StatusArchived)
	subject := pushBytes(p, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"artifactType":"application/sbom","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[],"subject":{"mediaType":%q,"digest":%q,"size":1}}`,
		ocispec.MediaTypeImageManifest, digest.FromString("{}"), ocispec.MediaTypeImageManifest, tagged), ocispec.MediaTypeImageManifest)
	images := map[digest.Digest]document.SourceImage{}
	for image, err := range reg.Images(t.Context(), home.Repository("team/api")) {
		if err != nil {
			t.Fatal(err)
		}
		images[image.Digest] = image
	}
	if n := sim.Counts().Of("ecr.DescribeImages"); n != 3 || len(images) != 2500 {
		t.Errorf("%d images by %d requests, want 2500 by 3", len(images), n)
	}
	if got := images[tagged]; !slices.Equal(got.Tags, []string{"a", "m", "z"}) || got.Status != document.StatusActive || got.URI != home.Repository("team/api") || !got.PushedAt.Equal(begin) {
		t.Errorf("tagged image is %+v", got)
	}
	if got := images[archived]; got.Status != document.StatusArchived || got.Tags == nil || len(got.Tags) != 0 {
		t.Errorf("archived image is %+v", got)
	}
	if got := images[subject]; got.Subject != tagged || got.ArtifactType != "application/sbom" {
		t.Errorf("referrer is %+v", got)
	}
}

func TestImagesStopsWhenAsked(t *testing.T) {
	sim, cloud, reg := world(t, cloudsim.Options{})
	p := cloud.CreateRepository("app", ecrsim.RepositorySettings{})
	for i := range 1500 {
		push(p, fmt.Sprint(i))
	}
	for _, err := range reg.Images(t.Context(), home.Repository("app")) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if n := sim.Counts().Of("ecr.DescribeImages"); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// TestSourceImage sees to it that no field of the SDK's is lost, and none invented.
func TestSourceImage(t *testing.T) {
	d, s := digest.FromString("d"), digest.FromString("s")
	repo := home.Repository("team/api")
	in := types.ImageDetail{
		ImageDigest: aws.String(d.String()), ImageTags: []string{"b", "a"}, ImageSizeInBytes: aws.Int64(42),
		ImageManifestMediaType: aws.String("m"), ArtifactMediaType: aws.String("t"), SubjectManifestDigest: aws.String(s.String()),
		ImagePushedAt: aws.Time(begin), LastRecordedPullTime: aws.Time(begin.Add(time.Hour)), ImageStatus: types.ImageStatusActivating,
	}
	want := document.SourceImage{
		Name: "team/api", URI: repo, Digest: d, Tags: []string{"a", "b"}, Size: 42, MediaType: "m", ArtifactType: "t", Subject: s,
		PushedAt: begin, LastPulledAt: begin.Add(time.Hour), Status: document.StatusActivating,
	}
	got, err := sourceImage(repo, in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all fields (-want +got):\n%s", diff)
	}
	if in.ImageTags[0] != "b" {
		t.Error("the answer's own tags were sorted")
	}
	got, err = sourceImage(repo, types.ImageDetail{ImageDigest: aws.String(d.String())})
	if diff := cmp.Diff(document.SourceImage{Name: "team/api", URI: repo, Digest: d, Tags: []string{}, Status: document.StatusActive}, got); err != nil || diff != "" {
		t.Errorf("no fields: %v (-want +got):\n%s", err, diff)
	}
	if j, _ := json.Marshal(got); strings.Contains(string(j), "pushedAt") || !strings.Contains(string(j), `"tags":[]`) {
		t.Errorf("no fields marshal to %s", j)
	}
}

func TestListingsWithBadAnswers(t *testing.T) {
	repo := home.Repository("team/api")
	good := digest.FromString("x").String()
	images := func(r *Registry, t *testing.T) error { return lastError(r.Images(t.Context(), repo)) }
	repositories := func(r *Registry, t *testing.T) error { return lastError(r.Repositories(t.Context())) }
	referrers := func(r *Registry, t *testing.T) error {
		_, err := r.Referrers(t.Context(), repo, digest.Digest(good))
		return err
	}
	for _, c := range []struct {
		name, body string
		list       func(*Registry, *testing.T) error
		want       string
		calls      int
	}{
		{"no digest", `{"imageDetails":[{"imageTags":["v1"]}]}`, images, `an image (tags ["v1"]) is listed without a digest`, 1},
		{"no image", `{"imageDetails":[null]}`, images, "", 1},
		{"bad digest", `{"imageDetails":[{"imageDigest":"sha256:zz","imageTags":["v1"]}]}`, images, `"sha256:zz"`, 1},
		{"bad subject", `{"imageDetails":[{"imageDigest":"` + good + `","subjectManifestDigest":"nope"}]}`, images, "the subject of " + good, 1},
		{"bad referrer", `{"referrers":[{"digest":""}]}`, referrers, "a referrer is listed without a digest", 1},
		{"no name", `{"repositories":[{"registryId":"1"}]}`, repositories, "a repository without a name", 1},
		{"endless images", `{"imageDetails":[],"nextToken":"again"}`, images, "does not end", 2},
		{"endless repositories", `{"repositories":[],"nextToken":"again"}`, repositories, "does not end", 2},
		{"endless referrers", `{"referrers":[],"nextToken":"again"}`, referrers, "does not end", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := always(200, c.body)
			err := c.list(scripted(s), t)
			if c.want == "" {
				return // only that it does not panic
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "source: list ") {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
			if s.requests() != c.calls {
				t.Errorf("%d requests, want %d", s.requests(), c.calls)
			}
		})
	}
}

func lastError[T any](seq func(func(T, error) bool)) (last error) {
	seq(func(_ T, err error) bool {
		last = err
		return true
	})
	return last
}

func TestReferrers(t *testing.T) {
	sim, cloud, reg := world(t, cloudsim.Options{})
	p := cloud.CreateRepository("app", ecrsim.RepositorySettings{})
	subject := push(p, "subject", "v1")
	for i := range 120 {
		d := pushBytes(p, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"artifactType":"application/sig","annotations":{"n":"%d"},"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[],"subject":{"mediaType":%q,"digest":%q,"size":1}}`,
			ocispec.MediaTypeImageManifest, i, digest.FromString("{}"), ocispec.MediaTypeImageManifest, subject), ocispec.MediaTypeImageManifest)
		if i == 0 {
			p.SetStatus(d, ecrsim.StatusArchived)
		}
	}
	got, err := reg.Referrers(t.Context(), home.Repository("app"), subject)
	if err != nil {
		t.Fatal(err)
	}
	if n := sim.Counts().Of("ecr.ListImageReferrers"); n != 3 || len(got) != 120 {
		t.Errorf("%d referrers by %d requests, want 120 by 3", len(got), n)
	}
	archived := 0
	for _, r := range got {
		if r.Subject != subject || r.ArtifactType != "application/sig" || r.Size == 0 || r.MediaType == "" || r.Tags == nil {
			t.Fatalf("referrer is %+v", r)
		}
		if r.Status == document.StatusArchived {
			archived++
		}
	}
	if archived != 1 {
		t.Errorf("%d are archived, want 1", archived)
	}
}

func TestRepositoryThatIsMissing(t *testing.T) {
	_, _, reg := world(t, cloudsim.Options{})
	repo := home.Repository("nope")
	err := lastError(reg.Images(t.Context(), repo))
	if !registry.IsClass(err, registry.NoRepository) || !strings.Contains(err.Error(), repo.String()) {
		t.Errorf("images: %v", err)
	}
	_, _, err = reg.Manifests(t.Context(), repo, []digest.Digest{digest.FromString("x")})
	if !registry.IsClass(err, registry.NoRepository) {
		t.Errorf("manifests: %v", err)
	}
}
