package stage

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/transfer"
)

// Manifest reads one manifest from the data plane of the registry that holds repo.
func (p *Pipeline) Manifest(ctx context.Context, repo ref.Repository, d digest.Digest) (registry.Manifest, error) {
	for _, s := range p.Sources {
		if s.Registry() == repo.Registry {
			return s.Manifest(ctx, repo, d)
		}
	}
	return registry.Manifest{}, fmt.Errorf("%s is not a source of this migration", repo.Registry)
}

func (p *Pipeline) source(r ref.Registry) transfer.Source {
	for _, s := range p.Sources {
		if s.Registry() == r {
			return s
		}
	}
	return nil
}

// Notice says in a few words what slows a copy down at the moment, if anything does.
func (p *Pipeline) Notice() string {
	for _, s := range p.Sources {
		if st := s.Stats(); st.Pausing {
			return "ECR throttles"
		}
		if st := s.StorageStats(); st.Pausing {
			return "S3 throttles"
		}
	}
	for _, st := range p.Target.Stats() {
		if st.Pausing {
			return "Artifact Registry throttles"
		}
	}
	return ""
}
