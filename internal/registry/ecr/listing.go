package ecr

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// The most that ECR returns on one page. FACTS A1 [S].
const (
	pageSize         = 1000
	referrerPageSize = 50
)

// pages is registry.Pages for the SDK, in which no token is nil.
func pages[T any](next func(token *string) ([]T, *string, error)) iter.Seq2[T, error] {
	return registry.Pages(errRepeatedToken, func(token string) ([]T, string, error) {
		var sent *string
		if token != "" {
			sent = &token
		}
		items, following, err := next(sent)
		return items, aws.ToString(following), err
	})
}

var errRepeatedToken = errors.New("the listing does not end: ECR answered the same nextToken twice")

// Repositories lists the repositories of the registry with their settings, in ECR's order: 1 request a 1,000.
func (r *Registry) Repositories(ctx context.Context) iter.Seq2[document.SourceRepository, error] {
	c := call{op: "list repositories of", object: r.name.Host(), operation: "DescribeRepositories"}
	return func(yield func(document.SourceRepository, error) bool) {
		for item, err := range pages(func(token *string) ([]types.Repository, *string, error) {
			out, err := r.api.DescribeRepositories(ctx, &api.DescribeRepositoriesInput{
				RegistryId: r.account(), MaxResults: aws.Int32(pageSize), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.Repositories, out.NextToken, nil
		}) {
			if err == nil && aws.ToString(item.RepositoryName) == "" {
				err = errors.New("ECR listed a repository without a name")
			}
			if err != nil {
				yield(document.SourceRepository{}, r.fail(ctx, c, err))
				return
			}
			if !yield(sourceRepository(r.name, item), nil) {
				return
			}
		}
	}
}

func sourceRepository(r ref.Registry, in types.Repository) document.SourceRepository {
	name := aws.ToString(in.RepositoryName)
	out := document.SourceRepository{
		Name:          name,
		URI:           r.Repository(name),
		CreatedAt:     aws.ToTime(in.CreatedAt),
		TagMutability: string(in.ImageTagMutability),
	}
	for _, f := range in.ImageTagMutabilityExclusionFilters {
		out.TagExclusions = append(out.TagExclusions, aws.ToString(f.Filter))
	}
	slices.Sort(out.TagExclusions)
	if s := in.ImageScanningConfiguration; s != nil {
		out.ScanOnPush = s.ScanOnPush
	}
	if e := in.EncryptionConfiguration; e != nil {
		out.EncryptionType, out.KMSKey = string(e.EncryptionType), aws.ToString(e.KmsKey)
	}
	return out
}

// Images lists every image of repo, archived and untagged ones included, in ECR's order: 1 request a 1,000. It is of
// class NoRepository where repo does not exist.
func (r *Registry) Images(ctx context.Context, repo ref.Repository) iter.Seq2[document.SourceImage, error] {
	c := call{op: "list images of", object: repo.String(), operation: "DescribeImages"}
	return func(yield func(document.SourceImage, error) bool) {
		for item, err := range pages(func(token *string) ([]types.ImageDetail, *string, error) {
			out, err := r.api.DescribeImages(ctx, &api.DescribeImagesInput{
				RegistryId: r.account(), RepositoryName: aws.String(repo.Name), MaxResults: aws.Int32(pageSize), NextToken: token,
				// FACTS A1: without it, archived images are not listed.
				Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusAny, ImageStatus: types.ImageStatusFilterAny},
			})
			if err != nil {
				return nil, nil, err
			}
			return out.ImageDetails, out.NextToken, nil
		}) {
			var image document.SourceImage
			if err == nil {
				image, err = sourceImage(repo, item)
			}
			if err != nil {
				yield(document.SourceImage{}, r.fail(ctx, c, err))
				return
			}
			if !yield(image, nil) {
				return
			}
		}
	}
}

func sourceImage(repo ref.Repository, in types.ImageDetail) (document.SourceImage, error) {
	d, err := parseDigest(in.ImageDigest)
	if err != nil {
		return document.SourceImage{}, fmt.Errorf("an image (tags %q) %w", in.ImageTags, err)
	}
	out := document.SourceImage{
		Name:         repo.Name,
		URI:          repo,
		Digest:       d,
		Tags:         append([]string{}, in.ImageTags...),
		Size:         aws.ToInt64(in.ImageSizeInBytes),
		MediaType:    aws.ToString(in.ImageManifestMediaType),
		ArtifactType: aws.ToString(in.ArtifactMediaType),
		PushedAt:     aws.ToTime(in.ImagePushedAt),
		LastPulledAt: aws.ToTime(in.LastRecordedPullTime),
		Status:       status(string(in.ImageStatus)),
	}
	slices.Sort(out.Tags)
	if s := aws.ToString(in.SubjectManifestDigest); s != "" {
		if out.Subject, err = parseDigest(in.SubjectManifestDigest); err != nil {
			return document.SourceImage{}, fmt.Errorf("the subject of %s %w", d, err)
		}
	}
	return out, nil
}

// parseDigest returns s as a digest. Its error goes on from the words "the thing".
func parseDigest(s *string) (digest.Digest, error) {
	d := digest.Digest(aws.ToString(s))
	if d == "" {
		return "", errors.New("is listed without a digest")
	}
	if err := registry.CheckDigest(d); err != nil {
		return "", fmt.Errorf("is listed with the digest %q: %w", d, err)
	}
	return d, nil
}

// status is ACTIVE where ECR, or an older stand-in for it, says nothing.
func status(s string) string {
	if s == "" {
		return document.StatusActive
	}
	return s
}

// Referrers lists the images of repo whose subject is the given one, archived ones included: 1 request a 50. They have
// neither tags nor times: that is all ECR says here.
func (r *Registry) Referrers(ctx context.Context, repo ref.Repository, subject digest.Digest) ([]document.SourceImage, error) {
	// FACTS A1: the permission that it needs is another one than its name suggests.
	c := call{op: "list referrers of", object: repo.String() + "@" + subject.String(), operation: "BatchGetImage"}
	var out []document.SourceImage
	for item, err := range pages(func(token *string) ([]types.ImageReferrer, *string, error) {
		out, err := r.api.ListImageReferrers(ctx, &api.ListImageReferrersInput{
			RegistryId: r.account(), RepositoryName: aws.String(repo.Name), MaxResults: aws.Int32(referrerPageSize), NextToken: token,
			SubjectId: &types.SubjectIdentifier{ImageDigest: aws.String(subject.String())},
			Filter:    &types.ListImageReferrersFilter{ArtifactStatus: types.ArtifactStatusFilterAny},
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Referrers, out.NextToken, nil
	}) {
		if err != nil {
			return nil, r.fail(ctx, c, err)
		}
		d, err := parseDigest(item.Digest)
		if err != nil {
			return nil, r.fail(ctx, c, fmt.Errorf("a referrer %w", err))
		}
		out = append(out, document.SourceImage{
			Name: repo.Name, URI: repo, Digest: d, Tags: []string{}, Size: aws.ToInt64(item.Size), MediaType: aws.ToString(item.MediaType),
			ArtifactType: aws.ToString(item.ArtifactType), Subject: subject, Status: status(string(item.ArtifactStatus)),
		})
	}
	return out, nil
}
