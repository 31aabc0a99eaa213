// Package transfer copies what a plan wants and the target lacks, byte for byte.
//
// Vocabulary: a place is one image path of the target; a node is one manifest at one place. A node lands when its
// manifest is at its place, which needs its children landed and its blobs there; it settles when everything that
// describes it (referrers, sha256-* tags) has settled too and its tags point at it. A unit of work is the settling of
// one node. Each blob is read from ECR once for each target host; every further place gets it by a mount.
//
//	plan.json + fresh target inventory ─→ graph ─→ units ─→ target, journal.jsonl, results.json
package transfer

import (
	"context"
	"log/slog"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/document/journal"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// Source reads one ECR registry.
type Source interface {
	// Manifests reads up to 100 manifests of one repository in one request. Those that could not be had are in failed.
	Manifests(ctx context.Context, repo ref.Repository, ds []digest.Digest) (found []registry.Manifest, failed map[digest.Digest]error, err error)
	// Manifest reads one manifest from the data plane.
	Manifest(ctx context.Context, repo ref.Repository, d digest.Digest) (registry.Manifest, error)
	// PrepareBlob begins to look for a blob and returns how to open it. Its readers go on where a connection breaks, and
	// never end well with other bytes than the digest's. What was begun ends with ctx.
	PrepareBlob(ctx context.Context, repo ref.Repository, b registry.Blob) oci.Opener
}

// Target writes to Artifact Registry.
type Target interface {
	// HeadManifest returns the digest of what a tag or digest names, or an error of class registry.NotFound.
	HeadManifest(ctx context.Context, t ref.TargetImage, reference string) (digest.Digest, error)
	// PutManifest writes m under a tag or its digest.
	PutManifest(ctx context.Context, t ref.TargetImage, reference string, m registry.Manifest) error
	// HeadBlob returns nil where the blob is there, else an error of class registry.NotFound.
	HeadBlob(ctx context.Context, t ref.TargetImage, b registry.Blob) error
	// MountBlob asks for b to be taken over from another place. Where it is not, the upload can go on at u.
	MountBlob(ctx context.Context, t ref.TargetImage, b registry.Blob, from ref.TargetImage) (u oci.Upload, mounted bool, err error)
	// PushBlob uploads b, at u where that is not the zero value. It calls open again for each try.
	PushBlob(ctx context.Context, t ref.TargetImage, b registry.Blob, u oci.Upload, open oci.Opener) error
}

// DefaultUnits is how many units of work are under way at once. What they may send at once is the governors' matter;
// this only has to be enough to keep those busy.
const DefaultUnits = 256

// maxBlobs is how many blobs may be under way at once: as many as a governor ever lets go at once. More would only wait,
// each with its stack.
const maxBlobs = 256

// Config is what a copy needs.
type Config struct {
	Plan         document.Plan
	Listing      document.TargetInventory                          // the target as it is now
	Only         func(source ref.Repository, d digest.Digest) bool // nil takes everything; what a taken image needs comes along
	Peers        *Peers                                            // who else copies parts of the plan; nil for nobody
	First        func(ref.TargetImage, digest.Digest) int          // the rank, from 1, of what is copied before the rest; else 0. May be nil
	Holds        func(ref.TargetImage, digest.Digest) bool         // what the source repository holds beside the plan; may be nil
	Overwrite    bool                                              // move tags that somebody else moved at the target
	ImageTimeout time.Duration                                     // how long one image may take with all that it needs, from its begin; 0 sets no bound
	Source       func(ref.Registry) Source
	Target       Target
	Hints        Hints            // what the journal of earlier runs says; the zero value knows nothing
	Journal      *journal.Journal // may be nil
	Progress     *Progress        // may be nil
	Units        int              // at most under way at once; 0 means DefaultUnits
	Now          func() time.Time
	Logger       *slog.Logger
}

// Run copies until everything is done or ctx ends. Whatever goes wrong is a result: one image's failure is never
// another's.
func Run(ctx context.Context, c Config) document.Results {
	if c.Units <= 0 {
		c.Units = DefaultUnits
	}
	if c.Progress == nil {
		c.Progress = new(Progress)
	}
	e := &engine{Config: c, run: ctx, started: c.Now().UTC(), blobs: make(chan struct{}, maxBlobs), there: arrived()}
	e.problems.progress = e.Progress
	e.build()
	units := e.units()
	e.batches(units)
	e.expect(units)
	c.Logger.Debug("copy", "units", len(units), "blobs", e.Progress.BlobsTotal.Load(), "bytes", e.Progress.BytesTotal.Load())

	var g errgroup.Group
	g.SetLimit(c.Units)
	for _, n := range units {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			ctx, cancel := e.clock(ctx)
			defer cancel()
			_ = n.settling.do(ctx, e.settles(n)) // it keeps its errors to itself
			e.gate.done(n)
			e.Progress.ImagesDone.Add(1)
			return nil
		})
	}
	_ = g.Wait() // units keep their errors to themselves
	e.others.Wait()
	return e.results(ctx)
}
