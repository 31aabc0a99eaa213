package clouds

import (
	"context"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// PullThroughPrefixes returns the registry's pull-through cache rules.
func (s *Source) PullThroughPrefixes(ctx context.Context) ([]document.PullThroughRule, error) {
	return s.control.PullThroughPrefixes(ctx)
}

// LayerSizes returns the sizes of layers whose manifests do not tell them.
func (s *Source) LayerSizes(ctx context.Context, repo ref.Repository, ds []digest.Digest) (map[digest.Digest]int64, error) {
	return s.control.LayerSizes(ctx, repo, ds)
}

// Describe returns those of the named images that there are.
func (s *Source) Describe(ctx context.Context, repo ref.Repository, tags []string, ds []digest.Digest) ([]document.SourceImage, error) {
	return s.control.Describe(ctx, repo, tags, ds)
}
