package arsim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/api/artifactregistry/v1"
	"google.golang.org/api/googleapi"

	"transship/internal/cloudsim/arsim"
)

// wantAPI checks that err is a refusal of the API with that status and a text.
func wantAPI(t *testing.T, err error, code int, text string) {
	t.Helper()
	var e *googleapi.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Body, text) {
		t.Fatalf("error %v, want %d with %q", err, code, text)
	}
}

func TestRepositoryLifeCycle(t *testing.T) {
	w := newWorld(t, arsim.Options{OperationDelay: 3 * time.Second})
	repos := w.sdk().Projects.Locations.Repositories
	name := parent + "/repositories/team"
	op, err := repos.Create(parent, &artifactregistry.Repository{
		Format: "DOCKER", Description: "x", Labels: map[string]string{"a": "b"},
		DockerConfig: &artifactregistry.DockerRepositoryConfig{ImmutableTags: true},
	}).RepositoryId("team").Do()
	if err != nil || op.Done {
		t.Fatalf("create: %v, done %v; want a pending operation", err, op != nil && op.Done)
	}
	_, err = repos.Get(name).Do()
	wantAPI(t, err, 404, "NOT_FOUND")
	_, err = repos.Create(parent, &artifactregistry.Repository{Format: "DOCKER"}).RepositoryId("team").Do()
	wantAPI(t, err, 409, "ALREADY_EXISTS")
	w.clock.advance(3 * time.Second)
	op, err = w.sdk().Projects.Locations.Operations.Get(op.Name).Do()
	if err != nil || !op.Done || !strings.Contains(string(op.Response), name) {
		t.Fatalf("operation: %v %+v", err, op)
	}
	got, err := repos.Get(name).Do()
	if err != nil {
		t.Fatal(err)
	}
	if got.Mode != "STANDARD_REPOSITORY" || got.RegistryUri != "us-docker.pkg.dev/my-gcp-project/team" || !got.DockerConfig.ImmutableTags {
		t.Errorf("repository is %+v", got)
	}
	got, err = repos.Patch(name, &artifactregistry.Repository{
		Description: "y", Labels: map[string]string{"c": "d"},
		CleanupPolicyDryRun: true, CleanupPolicies: map[string]artifactregistry.CleanupPolicy{
			"old": {Id: "old", Action: "Delete", Condition: &artifactregistry.CleanupPolicyCondition{TagState: "untagged", OlderThan: "1209600.0s"}},
		},
	}).UpdateMask("labels,cleanupPolicies,cleanupPolicyDryRun,dockerConfig.immutableTags").Do()
	if err != nil {
		t.Fatal(err)
	}
	want := artifactregistry.CleanupPolicy{Id: "old", Action: "DELETE", Condition: &artifactregistry.CleanupPolicyCondition{TagState: "UNTAGGED", OlderThan: "1209600s"}}
	if diff := cmp.Diff(want, got.CleanupPolicies["old"]); diff != "" || got.Description != "x" || got.Labels["c"] != "d" || got.DockerConfig != nil {
		t.Errorf("patched to %+v\n%s", got, diff)
	}
	if _, err := repos.Delete(name).Do(); err != nil {
		t.Fatal(err)
	}
	_, err = repos.Get(name).Do()
	wantAPI(t, err, 404, "NOT_FOUND")
}

func TestRepositoryValidation(t *testing.T) {
	w := newWorld(t, arsim.Options{Projects: []string{project}})
	repos := w.sdk().Projects.Locations.Repositories
	docker := func() *artifactregistry.Repository { return &artifactregistry.Repository{Format: "DOCKER"} }
	for _, id := range []string{"Bad", "bad_name", "1bad", "bad-", "", "a.b", strings.Repeat("a", 64)} {
		_, err := repos.Create(parent, docker()).RepositoryId(id).Do()
		wantAPI(t, err, 400, "INVALID_ARGUMENT")
	}
	many := map[string]artifactregistry.CleanupPolicy{}
	for i := range 11 {
		many[fmt.Sprint("p", i)] = artifactregistry.CleanupPolicy{Action: "KEEP", MostRecentVersions: &artifactregistry.CleanupPolicyMostRecentVersions{KeepCount: 1}}
	}
	condition := &artifactregistry.CleanupPolicyCondition{TagState: "ANY", OlderThan: "14d"}
	for name, r := range map[string]*artifactregistry.Repository{
		"no format":         {},
		"format":            {Format: "FLOPPY"},
		"mode":              {Format: "DOCKER", Mode: "SIDEWAYS"},
		"label key":         {Format: "DOCKER", Labels: map[string]string{"Team": "x"}},
		"label value":       {Format: "DOCKER", Labels: map[string]string{"team": strings.Repeat("x", 64)}},
		"kms":               {Format: "DOCKER", KmsKeyName: "my-key"},
		"eleven policies":   {Format: "DOCKER", CleanupPolicies: many},
		"days":              {Format: "DOCKER", CleanupPolicies: map[string]artifactregistry.CleanupPolicy{"a": {Action: "DELETE", Condition: condition}}},
		"no condition":      {Format: "DOCKER", CleanupPolicies: map[string]artifactregistry.CleanupPolicy{"a": {Action: "DELETE"}}},
		"delete the newest": {Format: "DOCKER", CleanupPolicies: map[string]artifactregistry.CleanupPolicy{"a": {Action: "DELETE", MostRecentVersions: &artifactregistry.CleanupPolicyMostRecentVersions{KeepCount: 3}}}},
	} {
		if _, err := repos.Create(parent, r).RepositoryId("team").Do(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	_, err := repos.Create("projects/my-gcp-project/locations/atlantis", docker()).RepositoryId("team").Do()
	wantAPI(t, err, 403, "Location atlantis is not found")
	_, err = repos.Create("projects/other/locations/us", docker()).RepositoryId("team").Do()
	wantAPI(t, err, 403, "PERMISSION_DENIED")
	_, err = repos.Patch(parent+"/repositories/app-images", &artifactregistry.Repository{Format: "MAVEN"}).UpdateMask("format").Do()
	wantAPI(t, err, 400, "update mask")
	_, err = repos.Patch(parent+"/repositories/app-images", &artifactregistry.Repository{KmsKeyName: "projects/p/locations/us/keyRings/r/cryptoKeys/k"}).UpdateMask("kmsKeyName").Do()
	wantAPI(t, err, 400, "may not be changed")
	w.want(w.do("POST", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories?repositoryId=x", []byte(`{"format":"DOCKER","colour":"red"}`)), 400, "INVALID_ARGUMENT")
}

func TestRepositoryRate(t *testing.T) {
	w := newWorld(t, arsim.Options{RepositoryInterval: 2 * time.Second, RetryAfter: 1500 * time.Millisecond})
	create := func(id string) error {
		_, err := w.sdk().Projects.Locations.Repositories.Create(parent, &artifactregistry.Repository{Format: "DOCKER"}).RepositoryId(id).Do()
		return err
	}
	if err := create("one"); err != nil {
		t.Fatal(err)
	}
	err := create("two")
	wantAPI(t, err, 429, "RESOURCE_EXHAUSTED")
	var e *googleapi.Error
	if errors.As(err, &e); e.Header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After is %q, want 2", e.Header.Get("Retry-After"))
	}
	w.clock.advance(2 * time.Second)
	if err := create("two"); err != nil {
		t.Fatal(err)
	}
}

func TestListRepositories(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	for i := range 149 {
		if err := w.CreateRepository("us", project, fmt.Sprintf("repo-%03d", i), arsim.Repository{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.CreateRepository("europe", project, "elsewhere", arsim.Repository{}); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{0, 7, 1000, 5000} {
		call := w.sdk().Projects.Locations.Repositories.List(parent)
		if size > 0 {
			call = call.PageSize(size)
		}
		n, pages := 0, 0
		err := call.Pages(t.Context(), func(p *artifactregistry.ListRepositoriesResponse) error {
			n, pages = n+len(p.Repositories), pages+1
			return nil
		})
		want := map[int64]int{0: 2, 7: 22, 1000: 1, 5000: 1}[size]
		if err != nil || n != 150 || pages != want {
			t.Errorf("page size %d: %d repositories on %d pages, %v; want 150 on %d", size, n, pages, err, want)
		}
	}
	locations, err := w.sdk().Projects.Locations.List("projects/" + project).Do()
	if err != nil || len(locations.Locations) < 40 {
		t.Errorf("locations: %v", err)
	}
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1beta2/projects/"+project+"/locations", nil), 200, "")
}

func TestImagesPackagesVersionsTags(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	amd, arm := w.imageOf("team/app", "amd64"), w.imageOf("team/app", "arm64")
	for _, m := range [][]byte{amd, arm} {
		w.want(w.putManifest("team/app", digest.FromBytes(m).String(), ocispec.MediaTypeImageManifest, m), 201, "")
	}
	index := indexOf(amd, arm)
	for _, tag := range []string{"v1", "latest"} {
		w.want(w.putManifest("team/app", tag, ocispec.MediaTypeImageIndex, index), 201, "")
	}
	w.push("other", "v2")
	repos := w.sdk().Projects.Locations.Repositories
	name := parent + "/repositories/app-images"

	images, err := repos.DockerImages.List(name).PageSize(1000).Do()
	if err != nil || len(images.DockerImages) != 4 {
		t.Fatalf("docker images: %v, %+v", err, images)
	}
	d := digest.FromBytes(index)
	image, err := repos.DockerImages.Get(name + "/dockerImages/team%2Fapp@" + d.String()).Do()
	if err != nil {
		t.Fatal(err)
	}
	stamp := "2026-03-01T12:00:00.000000Z"
	want := &artifactregistry.DockerImage{
		Name: name + "/dockerImages/team%2Fapp@" + d.String(), Uri: "us-docker.pkg.dev/my-gcp-project/app-images/team/app@" + d.String(),
		Tags: []string{"latest", "v1"}, ImageSizeBytes: int64(len(amd) + len(arm)), MediaType: ocispec.MediaTypeImageIndex,
		UploadTime: stamp, UpdateTime: stamp,
		ImageManifests: []*artifactregistry.ImageManifest{
			{Architecture: "amd64", Os: "linux", Digest: digest.FromBytes(amd).String(), MediaType: ocispec.MediaTypeImageManifest},
			{Architecture: "arm64", Os: "linux", Digest: digest.FromBytes(arm).String(), MediaType: ocispec.MediaTypeImageManifest},
		},
		ServerResponse: image.ServerResponse,
	}
	if diff := cmp.Diff(want, image); diff != "" {
		t.Error(diff)
	}

	packages, err := repos.Packages.List(name).Do()
	if err != nil || len(packages.Packages) != 2 || packages.Packages[1].Name != name+"/packages/team%2Fapp" {
		t.Fatalf("packages: %v, %+v", err, packages)
	}
	pkg := packages.Packages[1].Name
	versions, err := repos.Packages.Versions.List(pkg).View("FULL").Do()
	if err != nil || len(versions.Versions) != 3 {
		t.Fatalf("versions: %v, %+v", err, versions)
	}
	version, err := repos.Packages.Versions.Get(pkg + "/versions/" + d.String()).View("FULL").Do()
	if err != nil || len(version.RelatedTags) != 2 || !strings.Contains(string(version.Metadata), `"imageSizeBytes":"`) {
		t.Fatalf("version: %v, %+v", err, version)
	}
	tags, err := repos.Packages.Tags.List(pkg).Filter(`version="` + version.Name + `"`).Do()
	if err != nil || len(tags.Tags) != 2 || tags.Tags[0].Name != pkg+"/tags/latest" || tags.Tags[0].Version != version.Name {
		t.Fatalf("tags: %v, %+v", err, tags)
	}
	// A package's name may also arrive escaped only once.
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/"+pkg+"/tags", nil), 200, "")
	testTagWrites(t, repos, pkg, version.Name, digest.FromBytes(amd))
	_, err = repos.Packages.Versions.List(name + "/packages/nothing").Do()
	wantAPI(t, err, 404, "NOT_FOUND")
}

// testTagWrites makes, moves and deletes tags, then versions and the package.
func testTagWrites(t *testing.T, repos *artifactregistry.ProjectsLocationsRepositoriesService, pkg, index string, child digest.Digest) {
	t.Helper()
	tags := repos.Packages.Tags
	if _, err := tags.Create(pkg, &artifactregistry.Tag{Version: index}).TagId("new").Do(); err != nil {
		t.Fatal(err)
	}
	_, err := tags.Create(pkg, &artifactregistry.Tag{Version: index}).TagId("new").Do()
	wantAPI(t, err, 409, "ALREADY_EXISTS")
	moved, err := tags.Patch(pkg+"/tags/new", &artifactregistry.Tag{Version: pkg + "/versions/" + child.String()}).Do()
	if err != nil || !strings.HasSuffix(moved.Version, child.String()) {
		t.Fatalf("patch: %v, %+v", err, moved)
	}
	_, err = repos.Packages.Versions.Delete(pkg + "/versions/" + child.String()).Do()
	wantAPI(t, err, 400, "FAILED_PRECONDITION")
	_, err = repos.Packages.Versions.Delete(pkg + "/versions/" + child.String()).Force(true).Do()
	wantAPI(t, err, 400, "DANGLING_PARENT")
	if _, err := tags.Delete(pkg + "/tags/v1").Do(); err != nil {
		t.Fatal(err)
	}
	_, err = tags.Get(pkg + "/tags/v1").Do()
	wantAPI(t, err, 404, "NOT_FOUND")
	if _, err := repos.Packages.Versions.Delete(index).Force(true).Do(); err != nil {
		t.Fatal(err)
	}
	left, err := tags.List(pkg).Do()
	if err != nil || len(left.Tags) != 0 {
		t.Errorf("tags left: %v, %+v", err, left)
	}
	if _, err := repos.Packages.Delete(pkg).Do(); err != nil {
		t.Fatal(err)
	}
	_, err = repos.Packages.Get(pkg).Do()
	wantAPI(t, err, 404, "NOT_FOUND")
}

func TestManyTagsOfOneVersion(t *testing.T) {
	w := newWorld(t, arsim.Options{MaxImageTags: 120})
	m := w.push("app", "t-000")
	for i := range 149 {
		if err := w.SetTag("us-docker.pkg.dev/my-gcp-project/app-images/app", fmt.Sprintf("t-%03d", i+1), digest.FromBytes(m)); err != nil {
			t.Fatal(err)
		}
	}
	repos := w.sdk().Projects.Locations.Repositories
	name := parent + "/repositories/app-images"
	versions, err := repos.Packages.Versions.List(name + "/packages/app").View("FULL").Do()
	if err != nil || len(versions.Versions[0].RelatedTags) != 100 {
		t.Errorf("%v: want 100 related tags", err)
	}
	images, err := repos.DockerImages.List(name).Do()
	if err != nil || len(images.DockerImages[0].Tags) != 120 {
		t.Errorf("%v: want 120 tags", err)
	}
	n := 0
	err = repos.Packages.Tags.List(name+"/packages/app").Pages(t.Context(), func(p *artifactregistry.ListTagsResponse) error {
		n += len(p.Tags)
		return nil
	})
	if err != nil || n != 150 {
		t.Errorf("%d tags, %v; want 150", n, err)
	}
}

func TestIAM(t *testing.T) {
	w := newWorld(t, arsim.Options{Deny: deny("", "artifactregistry.repositories.deleteArtifacts")})
	repos := w.sdk().Projects.Locations.Repositories
	name := parent + "/repositories/app-images"
	policy, err := repos.GetIamPolicy(name).Do()
	if err != nil || len(policy.Bindings) != 0 {
		t.Fatalf("policy: %v, %+v", err, policy)
	}
	stale := policy.Etag
	policy.Bindings = []*artifactregistry.Binding{{Role: "roles/artifactregistry.reader", Members: []string{"group:dev@example.com"}}}
	if _, err := repos.SetIamPolicy(name, &artifactregistry.SetIamPolicyRequest{Policy: policy}).Do(); err != nil {
		t.Fatal(err)
	}
	policy.Etag = stale
	_, err = repos.SetIamPolicy(name, &artifactregistry.SetIamPolicyRequest{Policy: policy}).Do()
	wantAPI(t, err, 409, "ABORTED")
	policy.Bindings[0].Members = []string{"arn:aws:iam::1:user/x"}
	_, err = repos.SetIamPolicy(name, &artifactregistry.SetIamPolicyRequest{Policy: policy}).Do()
	wantAPI(t, err, 400, "Invalid principal")
	if got, ok := w.Policy("us", project, "app-images"); !ok || len(got.Bindings) != 1 {
		t.Errorf("policy is %+v", got)
	}
	asked := []string{"artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.deleteArtifacts"}
	got, err := repos.TestIamPermissions(name, &artifactregistry.TestIamPermissionsRequest{Permissions: asked}).Do()
	if err != nil || !cmp.Equal(got.Permissions, asked[:1]) {
		t.Errorf("permissions: %v, %v", err, got)
	}
}

func TestAPIRefusals(t *testing.T) {
	w := newWorld(t, arsim.Options{
		APIDisabled: func(p string) bool { return p == "asleep" }, Deny: deny("denied"),
	})
	repos := w.sdk().Projects.Locations.Repositories
	_, err := repos.List("projects/asleep/locations/us").Do()
	wantAPI(t, err, 403, "SERVICE_DISABLED")
	_, err = repos.Get("projects/denied/locations/us/repositories/x").Do()
	wantAPI(t, err, 403, "artifactregistry.repositories.get")
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/projects/p/zones/us", nil), 404, "NOT_FOUND")
	w.want(w.do("DELETE", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories", nil), 404, "NOT_FOUND")
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories?pageSize=-1", nil), 400, "INVALID_ARGUMENT")
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories?pageToken=%21", nil), 400, "INVALID_ARGUMENT")
	w.token = "wrong"
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories", nil), 401, "UNAUTHENTICATED")
}

// Who does not ask for version 3 of a policy sees no condition, and cannot lose one.
func TestIAMConditions(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	repos := w.sdk().Projects.Locations.Repositories
	name := parent + "/repositories/app-images"
	reader := &artifactregistry.Binding{
		Role: "roles/artifactregistry.reader", Members: []string{"group:dev@example.com"}, Condition: &artifactregistry.Expr{Title: "t", Expression: "true"},
	}
	set := func(p *artifactregistry.Policy) error {
		_, err := repos.SetIamPolicy(name, &artifactregistry.SetIamPolicyRequest{Policy: p}).Do()
		return err
	}
	wantAPI(t, set(&artifactregistry.Policy{Bindings: []*artifactregistry.Binding{reader}}), 400, "version 3")
	if err := set(&artifactregistry.Policy{Version: 3, Bindings: []*artifactregistry.Binding{reader}}); err != nil {
		t.Fatal(err)
	}
	old, err := repos.GetIamPolicy(name).Do()
	if err != nil || old.Version != 1 || old.Bindings[0].Condition != nil || old.Bindings[0].Role == reader.Role {
		t.Errorf("version 1: %+v, %v", old, err)
	}
	whole, err := repos.GetIamPolicy(name).OptionsRequestedPolicyVersion(3).Do()
	if err != nil || whole.Version != 3 || whole.Bindings[0].Condition == nil || whole.Bindings[0].Role != reader.Role {
		t.Errorf("version 3: %+v, %v", whole, err)
	}
	wantAPI(t, set(&artifactregistry.Policy{Etag: whole.Etag}), 400, "version 3")
	if kept, _ := w.Policy("us", project, "app-images"); len(kept.Bindings) != 1 || kept.Bindings[0].Condition == nil {
		t.Errorf("the condition is lost: %+v", kept)
	}
}
