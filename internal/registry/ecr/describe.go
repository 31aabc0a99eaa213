package ecr

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// maxIDs is how many images one DescribeImages may name. FACTS A1 [S].
const maxIDs = 100

// Describe returns those of the named images that there are, each once and with all its tags, archived ones too:
// 1 request a hundred. ECR refuses a request as a whole that names an image which is not there, so each such image costs
// up to seven requests more. It is of class NoRepository where repo does not exist.
func (r *Registry) Describe(ctx context.Context, repo ref.Repository, tags []string, ds []digest.Digest) ([]document.SourceImage, error) {
	ids := make([]types.ImageIdentifier, 0, len(tags)+len(ds))
	for _, tag := range tags {
		ids = append(ids, types.ImageIdentifier{ImageTag: aws.String(tag)})
	}
	for _, d := range ds {
		ids = append(ids, types.ImageIdentifier{ImageDigest: aws.String(d.String())})
	}
	seen := map[digest.Digest]bool{}
	var out []document.SourceImage
	for some := range slices.Chunk(ids, maxIDs) {
		found, err := r.describe(ctx, repo, some)
		if err != nil {
			return nil, err
		}
		for _, image := range found {
			if !seen[image.Digest] {
				seen[image.Digest] = true
				out = append(out, image)
			}
		}
	}
	return out, nil
}

// describe asks for all of ids, and where one of them is not there, for either half.
func (r *Registry) describe(ctx context.Context, repo ref.Repository, ids []types.ImageIdentifier) ([]document.SourceImage, error) {
	c := call{op: "describe images of", object: repo.String(), operation: "DescribeImages"}
	out, err := r.api.DescribeImages(ctx, &api.DescribeImagesInput{
		RegistryId: r.account(), RepositoryName: aws.String(repo.Name), ImageIds: ids,
		Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusAny, ImageStatus: types.ImageStatusFilterAny},
	})
	if err != nil {
		err = r.fail(ctx, c, err)
		switch {
		case !registry.IsClass(err, registry.NotFound):
			return nil, err
		case len(ids) == 1:
			return nil, nil
		}
		half := len(ids) / 2
		first, err := r.describe(ctx, repo, ids[:half])
		if err != nil {
			return nil, err
		}
		second, err := r.describe(ctx, repo, ids[half:])
		return append(first, second...), err
	}
	found := make([]document.SourceImage, 0, len(out.ImageDetails))
	for _, item := range out.ImageDetails {
		image, err := sourceImage(repo, item)
		if err != nil {
			return nil, r.fail(ctx, c, err)
		}
		found = append(found, image)
	}
	return found, nil
}
