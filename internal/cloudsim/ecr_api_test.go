package cloudsim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
)

// wantCode fails the test unless err is the API's error of that code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code {
		t.Fatalf("got error %v, want %s", err, code)
	}
}

func TestRepositoriesPageByPage(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	for i := range 250 {
		reg.CreateRepository(fmt.Sprintf("team/app-%03d", i), ecrsim.RepositorySettings{CreatedAt: begin})
	}
	client := sdk(sim, "AKIA")
	var sizes []int
	pages := ecr.NewDescribeRepositoriesPaginator(client, &ecr.DescribeRepositoriesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Repositories))
		if r := page.Repositories[0]; !strings.HasPrefix(*r.RepositoryUri, host+"/team/app-") || !r.CreatedAt.Equal(begin) ||
			r.ImageTagMutability != types.ImageTagMutabilityMutable || r.EncryptionConfiguration.EncryptionType != types.EncryptionTypeAes256 {
			t.Fatalf("repository is %+v", r)
		}
	}
	if diff := cmp.Diff([]int{100, 100, 50}, sizes); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	one, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1000)})
	if err != nil || len(one.Repositories) != 250 || one.NextToken != nil {
		t.Errorf("page of 1000: %d repositories, %v", len(one.Repositories), err)
	}
	if got := sim.Counts().Of("ecr.DescribeRepositories"); got != 4 {
		t.Errorf("%d requests were counted, want 4:\n%s", got, sim.Counts())
	}
}

func TestDescribeRepositoriesErrors(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.ECR(account, region).CreateRepository("app", ecrsim.RepositorySettings{})
	client := sdk(sim, "AKIA")
	for _, c := range []struct {
		name string
		in   ecr.DescribeRepositoriesInput
		code string
	}{
		{"too many results", ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1001)}, "InvalidParameterException"},
		{"no results", ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(0)}, "InvalidParameterException"},
		{"foreign token", ecr.DescribeRepositoriesInput{NextToken: aws.String("x")}, "InvalidParameterException"},
		{"names with a page", ecr.DescribeRepositoriesInput{RepositoryNames: []string{"app"}, MaxResults: aws.Int32(1)}, "InvalidParameterException"},
		{"101 names", ecr.DescribeRepositoriesInput{RepositoryNames: make([]string, 101)}, "InvalidParameterException"},
		{"unknown name", ecr.DescribeRepositoriesInput{RepositoryNames: []string{"app", "nope"}}, "RepositoryNotFoundException"},
		{"unknown registry", ecr.DescribeRepositoriesInput{RegistryId: aws.String("999999999999")}, "AccessDeniedException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client.DescribeRepositories(t.Context(), &c.in)
			wantCode(t, err, c.code)
		})
	}
}

func TestImageDetail(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	repo := sim.ECR(account, region).CreateRepository("app", ecrsim.RepositorySettings{})
	amd, arm := push(repo, "amd64"), push(repo, "arm64, which is larger")
	index := indexOf(repo, "v1", amd, arm)
	sbom := pushManifest(repo, imageOf(repo, "sbom", index), ocispec.MediaTypeImageManifest)
	pulled := begin.Add(48 * time.Hour)
	repo.SetPulledAt(index, pulled)
	repo.Content.Tag("latest", index)

	out, err := sdk(sim, "AKIA").DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	details := map[string]types.ImageDetail{}
	for _, d := range out.ImageDetails {
		details[*d.ImageDigest] = d
	}
	if len(details) != 4 {
		t.Fatalf("%d images, want 4", len(details))
	}
	got := details[index.String()]
	if *got.ImageSizeInBytes != *details[arm.String()].ImageSizeInBytes || *got.ImageSizeInBytes == 0 {
		t.Errorf("size of the index is %d, want that of its largest child, %d", *got.ImageSizeInBytes, *details[arm.String()].ImageSizeInBytes)
	}
	if diff := cmp.Diff([]string{"latest", "v1"}, got.ImageTags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if !got.ImagePushedAt.Equal(begin) || !got.LastRecordedPullTime.Equal(pulled) || got.ImageStatus != types.ImageStatusActive ||
		*got.ImageManifestMediaType != ocispec.MediaTypeImageIndex {
		t.Errorf("index is %+v", got)
	}
	s := details[sbom.String()]
	if *s.SubjectManifestDigest != index.String() || *s.ArtifactMediaType != "application/vnd.example.sbom" {
		t.Errorf("referrer is %+v", s)
	}
	if details[amd.String()].LastRecordedPullTime != nil {
		t.Error("an image that was never pulled has a pull time")
	}
}

func TestHiddenImages(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	client := sdk(sim, "AKIA")
	active, archived := push(repo, "a", "a"), push(repo, "b", "b")
	pushManifest(repo, imageOf(repo, "r", active), ocispec.MediaTypeImageManifest)
	repo.SetStatus(archived, ecrsim.StatusArchived)

	count := func(filter *types.DescribeImagesFilter) int {
		t.Helper()
		out, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.ImageDetails)
	}
	anyStatus := &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny}
	if got := [...]int{count(nil), count(anyStatus), count(&types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterArchived}),
		count(&types.DescribeImagesFilter{TagStatus: types.TagStatusUntagged})}; got != [...]int{2, 3, 1, 1} {
		t.Errorf("by default, any, archived, untagged: %v", got)
	}
	reg.SetQuirks(ecrsim.Quirks{HideReferrers: true})
	if got := count(anyStatus); got != 2 {
		t.Errorf("%d images with hidden referrers, want 2", got)
	}
	_, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"),
		ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("b")}}})
	wantCode(t, err, "ImageNotFoundException")

	out, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"),
		ImageIds: []types.ImageIdentifier{{ImageDigest: aws.String(archived.String())}, {ImageTag: aws.String("a")}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Images) != 1 || len(out.Failures) != 1 || out.Failures[0].FailureCode != types.ImageFailureCodeImageNotFound {
		t.Errorf("batch has %d images and failures %+v", len(out.Images), out.Failures)
	}
	do(t, sim.HTTPClient(), "GET", "https://"+host+"/v2/app/manifests/b", "", "Authorization: "+token(t, sim)).
		want(t, 404, "not found")
}

func TestSparsePages(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	reg.SetQuirks(ecrsim.Quirks{SparsePages: true})
	for i := range 30 {
		d := push(repo, fmt.Sprint(i))
		if i%3 > 0 {
			repo.SetStatus(d, ecrsim.StatusArchived)
		}
	}
	pages := ecr.NewDescribeImagesPaginator(sdk(sim, "AKIA"), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), MaxResults: aws.Int32(2)})
	n, found := 0, 0
	for ; pages.HasMorePages(); n++ {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found += len(page.ImageDetails)
	}
	if n != 15 || found != 10 {
		t.Errorf("%d pages with %d images, want 15 with 10", n, found)
	}
}

func TestListImagesHasAnEntryForEachTag(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	repo := sim.ECR(account, region).CreateRepository("app", ecrsim.RepositorySettings{})
	push(repo, "one", "a", "b", "c")
	push(repo, "two")
	out, err := sdk(sim, "AKIA").ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.ImageIds) != 4 {
		t.Errorf("%d entries, want 4", len(out.ImageIds))
	}
	_, err = sdk(sim, "AKIA").ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("app"), MaxResults: aws.Int32(1001)})
	wantCode(t, err, "InvalidParameterException")
}

func TestBatchGetImage(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	d := push(repo, "one", "a")
	index := indexOf(repo, "i", d)
	client := sdk(sim, "AKIA")
	get := func(accepted []string, ids ...types.ImageIdentifier) (*ecr.BatchGetImageOutput, error) {
		return client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"), ImageIds: ids, AcceptedMediaTypes: accepted})
	}
	byDigest := func(d digest.Digest) types.ImageIdentifier {
		return types.ImageIdentifier{ImageDigest: aws.String(d.String())}
	}
	out, err := get([]string{"application/vnd.docker.distribution.manifest.v2+json"},
		byDigest(d), byDigest(index), types.ImageIdentifier{ImageTag: aws.String("gone")}, types.ImageIdentifier{},
		types.ImageIdentifier{ImageTag: aws.String("a"), ImageDigest: aws.String(index.String())}, byDigest("sha256-x"))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Images) != 2 || digest.FromString(*out.Images[0].ImageManifest) != d || *out.Images[1].ImageManifestMediaType != ocispec.MediaTypeImageIndex {
		t.Errorf("images are %+v", out.Images)
	}
	var codes []types.ImageFailureCode
	for _, f := range out.Failures {
		codes = append(codes, f.FailureCode)
	}
	want := []types.ImageFailureCode{types.ImageFailureCodeImageNotFound, types.ImageFailureCodeMissingDigestAndTag,
		types.ImageFailureCodeImageTagDoesNotMatchDigest, types.ImageFailureCodeInvalidImageDigest}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if repo.PulledAt(d).IsZero() {
		t.Error("reading a manifest is a pull, and was not recorded")
	}
	converted, err := get([]string{"application/vnd.docker.distribution.manifest.v2+json"}, types.ImageIdentifier{ImageTag: aws.String("a")})
	if err != nil || *converted.Images[0].ImageId.ImageDigest == d.String() {
		t.Errorf("by tag without the stored type: %v, %+v", err, converted)
	}
	_, err = get(nil, make([]types.ImageIdentifier, 101)...)
	wantCode(t, err, "InvalidParameterException")
	reg.SetQuirks(ecrsim.Quirks{Indexes: ecrsim.IndexTypesRefused})
	_, err = get([]string{ocispec.MediaTypeImageIndex}, byDigest(d))
	wantCode(t, err, "InvalidParameterException")
	reg.SetQuirks(ecrsim.Quirks{Indexes: ecrsim.IndexesFailed})
	if out, err := get(nil, byDigest(index), byDigest(d)); err != nil || len(out.Images) != 1 || len(out.Failures) != 1 {
		t.Errorf("indexes failed: %v, %+v", err, out)
	}
}

func TestListImageReferrers(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	repo := sim.ECR(account, region).CreateRepository("app", ecrsim.RepositorySettings{})
	subject := push(repo, "one", "a")
	for i := range 25 {
		pushManifest(repo, imageOf(repo, fmt.Sprint("sbom", i), subject), ocispec.MediaTypeImageManifest)
	}
	in := &ecr.ListImageReferrersInput{RepositoryName: aws.String("app"), SubjectId: &types.SubjectIdentifier{ImageDigest: aws.String(subject.String())}}
	client := sdk(sim, "AKIA")
	first, err := client.ListImageReferrers(t.Context(), in)
	if err != nil || len(first.Referrers) != 20 || first.NextToken == nil {
		t.Fatalf("first page: %v, %d referrers", err, len(first.Referrers))
	}
	if r := first.Referrers[0]; *r.ArtifactType != "application/vnd.example.sbom" || *r.Size == 0 || r.ArtifactStatus != types.ArtifactStatusActive {
		t.Errorf("referrer is %+v", r)
	}
	in.NextToken = first.NextToken
	if second, err := client.ListImageReferrers(t.Context(), in); err != nil || len(second.Referrers) != 5 || second.NextToken != nil {
		t.Errorf("second page: %v, %d referrers", err, len(second.Referrers))
	}
	in.NextToken, in.MaxResults = nil, aws.Int32(51)
	_, err = client.ListImageReferrers(t.Context(), in)
	wantCode(t, err, "InvalidParameterException")
}

func TestPoliciesAndTags(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	client := sdk(sim, "AKIA")
	reg := sim.ECR(account, region)
	if _, err := client.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("app"),
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}}); err != nil {
		t.Fatal(err)
	}
	name := aws.String("app")
	_, err := client.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: name})
	wantCode(t, err, "LifecyclePolicyNotFoundException")
	_, err = client.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: name})
	wantCode(t, err, "RepositoryPolicyNotFoundException")
	text := `{"rules":[` + strings.Repeat(" ", 100) + `]}`
	if _, err := client.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: name, LifecyclePolicyText: &text}); err != nil {
		t.Fatal(err)
	}
	if out, err := client.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: name}); err != nil || *out.LifecyclePolicyText != text {
		t.Errorf("lifecycle policy: %v, %+v", err, out)
	}
	if _, err := client.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: aws.String(`{}`)}); err != nil {
		t.Fatal(err)
	}
	arn := "arn:aws:ecr:us-east-1:" + account + ":repository/app"
	if _, err := client.TagResource(t.Context(), &ecr.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("c")}}}); err != nil {
		t.Fatal(err)
	}
	tags, err := client.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil || len(tags.Tags) != 2 {
		t.Errorf("tags: %v, %+v", err, tags)
	}
	reg.AddPullThroughCacheRule(ecrsim.PullThroughCacheRule{Prefix: "hub", UpstreamURL: "registry-1.docker.io", Upstream: "docker-hub", CreatedAt: begin})
	rules, err := client.DescribePullThroughCacheRules(t.Context(), &ecr.DescribePullThroughCacheRulesInput{})
	if err != nil || len(rules.PullThroughCacheRules) != 1 || *rules.PullThroughCacheRules[0].EcrRepositoryPrefix != "hub" {
		t.Errorf("rules: %v, %+v", err, rules)
	}
	if out, err := client.GetRegistryScanningConfiguration(t.Context(), &ecr.GetRegistryScanningConfigurationInput{}); err != nil ||
		out.ScanningConfiguration.ScanType != types.ScanTypeBasic {
		t.Errorf("scanning: %v, %+v", err, out)
	}
	if out, err := client.GetAccountSetting(t.Context(), &ecr.GetAccountSettingInput{Name: aws.String("BLOB_MOUNTING")}); err != nil || *out.Value != "DISABLED" {
		t.Errorf("account setting: %v, %+v", err, out)
	}
}

func TestPullTimeExclusion(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	d := push(repo, "one", "a")
	reg.SetCaller("arn:aws:sts::" + account + ":assumed-role/migrator/session")
	client := sdk(sim, "AKIA")
	role := aws.String("arn:aws:iam::" + account + ":role/migrator")
	if _, err := client.RegisterPullTimeUpdateExclusion(t.Context(), &ecr.RegisterPullTimeUpdateExclusionInput{PrincipalArn: role}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"),
		ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("a")}}}); err != nil {
		t.Fatal(err)
	}
	if !repo.PulledAt(d).IsZero() {
		t.Error("the pull of an excluded principal was recorded")
	}
}
