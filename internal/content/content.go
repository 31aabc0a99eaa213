package content

import (
	"context"
	"log/slog"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Source reads manifests of one registry in bulk.
type Source interface {
	Registry() ref.Registry
	// Manifests returns those of ds (at most MaxBatch) that repo served, and for each other one why not. The error says
	// that the call failed as a whole.
	Manifests(ctx context.Context, repo ref.Repository, ds []digest.Digest) (found []registry.Manifest, failed map[digest.Digest]error, err error)
}

// Sizer is a Source that knows the sizes of layers, which manifests of Docker schema 1 do not tell.
type Sizer interface {
	// LayerSizes returns the size of each of ds in bytes. An error of class registry.NotFound names one that is not there.
	LayerSizes(ctx context.Context, repo ref.Repository, ds []digest.Digest) (map[digest.Digest]int64, error)
}

// Fallback reads one manifest over the data plane, by digest.
type Fallback interface {
	Manifest(ctx context.Context, repo ref.Repository, d digest.Digest) (registry.Manifest, error)
}

// Bounds.
const (
	MaxBatch           = 100 // digests a call. FACTS A1 [S]
	MaxDepth           = 32  // of indexes within indexes
	DefaultConcurrency = 24  // calls at a time to one registry
)

// Config is what Read needs to know.
type Config struct {
	Sources     []Source
	Fallback    Fallback           // may be nil
	Inventory   document.Inventory // its active images are read
	Scope       ref.Scope          // those of repositories in scope
	PullThrough bool               // those of pull-through caches, too: reading one may make ECR ask its upstream
	Known       document.Content   // what was read before; it is not changed
	Concurrency int                // calls at a time to one registry, 0 for DefaultConcurrency
	Progress    func(Progress)     // called one call at a time; may be nil
	Logger      *slog.Logger       // may be nil
}

// Progress is how far the reading has come. Total grows while children are found.
type Progress struct {
	Done  int // manifests read or given up
	Total int // manifests to read, as far as is known
}

// Read returns what is known and what every active image in scope and its children say. A manifest that is not
// understood is an entry with a Problem; one that could not be read is a failure and no entry, and the others go on. The
// error says that ctx ended; the content then holds what was read until then.
func Read(ctx context.Context, c Config) (document.Content, []document.Failure, error) {
	r := newReader(c)
	err := r.run(ctx)
	return r.content, r.failures, err
}
