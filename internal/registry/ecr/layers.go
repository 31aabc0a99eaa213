package ecr

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/registry"
)

// LayersPerCall is how many layers one request asks about at most. FACTS A1 [S].
const LayersPerCall = 100

// LayerSizes returns the sizes of layers in bytes, which manifests of Docker schema 1 do not tell: 1 request a 100. An
// error of class NotFound names a layer that repo does not serve.
func (r *Registry) LayerSizes(ctx context.Context, repo ref.Repository, ds []digest.Digest) (map[digest.Digest]int64, error) {
	c := call{op: "look up layers of", object: repo.String(), operation: "BatchCheckLayerAvailability"}
	sizes := make(map[digest.Digest]int64, len(ds))
	for chunk := range slices.Chunk(unique(ds), LayersPerCall) {
		in := &api.BatchCheckLayerAvailabilityInput{RegistryId: r.account(), RepositoryName: aws.String(repo.Name)}
		for _, d := range chunk {
			in.LayerDigests = append(in.LayerDigests, d.String())
		}
		out, err := r.api.BatchCheckLayerAvailability(ctx, in)
		if err != nil {
			return nil, r.fail(ctx, c, err)
		}
		for _, l := range out.Layers {
			if l.LayerAvailability == types.LayerAvailabilityAvailable && l.LayerSize != nil && *l.LayerSize >= 0 {
				sizes[digest.Digest(aws.ToString(l.LayerDigest))] = *l.LayerSize
			}
		}
		for _, d := range chunk {
			if _, ok := sizes[d]; !ok {
				return nil, &registry.Error{Side: registry.Source, Op: "look up layer", Object: repo.String() + "@" + d.String(), Class: registry.NotFound,
					Err: fmt.Errorf("ECR does not have it available"), Hint: "the image cannot be pulled: push it again, or leave it behind"}
			}
		}
	}
	return sizes, nil
}
