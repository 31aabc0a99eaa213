// Package verify proves that everything arrived. It trusts neither the plan that was copied from, nor the journal, nor
// the results: it is given a plan made afresh from what the source holds now, and a fresh listing of the target.
//
// Vocabulary: a reference is a tag, or a digest that has no tag. It is verified when the target has it with the right
// digest. A listing proves presence; only a direct question proves absence, so what a listing does not show is a doubt,
// settled by one HEAD. A case is a reference that is missing, mismatched, excluded by a rule, or extra (only at the
// target). A deep look reads every manifest back from the target and asks for every blob that it names; a reference is
// whole when nothing of its closure is missing, and only then verified.
//
//	fresh inventory + rules ─ plan.Make ─→ Run ─→ verify.json
//	                                        └─ HEAD a doubt; deep: GET a manifest, HEAD a blob
package verify

import (
	"context"
	"log/slog"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Target is Artifact Registry's data plane, to read from.
type Target interface {
	// HeadManifest returns the digest of what a tag or digest names, or an error of class registry.NotFound.
	HeadManifest(ctx context.Context, t ref.TargetImage, reference string) (digest.Digest, error)
	// Manifest reads a manifest; an error of class registry.NotFound or registry.Corrupt says that the target lists
	// what it does not serve.
	Manifest(ctx context.Context, t ref.TargetImage, d digest.Digest) (registry.Manifest, error)
	// HeadBlob returns nil where the blob is there, else an error of class registry.NotFound.
	HeadBlob(ctx context.Context, t ref.TargetImage, b registry.Blob) error
}

// DefaultConcurrency is how many questions are asked at once; the governor of the host may allow fewer.
const DefaultConcurrency = 64

// Config is what Run needs to know.
type Config struct {
	Plan        document.Plan      // what the target must hold, made afresh
	Inventory   document.Inventory // the fresh look that Plan was made from
	Target      Target
	Deep        bool                   // read every manifest back and ask for every blob
	Previous    *document.Verification // of the same migration: repositories that are not looked at now keep theirs; may be nil
	Concurrency int                    // 0 for DefaultConcurrency
	Progress    func(Progress)         // called one call at a time; may be nil
	Now         func() time.Time
	Logger      *slog.Logger // may be nil
}

// Progress is how far the look has come.
type Progress struct {
	Done, Total int // images looked at, of all
	Blobs       int // blobs asked for
}

// OK reports whether everything that is not excluded by a rule was found, and everything could be looked at.
func OK(v document.Verification) bool {
	return v.Missing == 0 && v.Mismatched == 0 && len(v.Failures) == 0
}

// Run looks. It asks nothing where the listing shows all, one HEAD for each reference that it does not show as it
// should be, and when deep one GET for each manifest and one HEAD for each blob of an image path. The error says that
// the context ended; everything else is in the verification.
func Run(ctx context.Context, c Config) (document.Verification, error) {
	if c.Concurrency <= 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	l := newLook(c)
	for i := range c.Plan.Images {
		l.compare(&c.Plan.Images[i])
	}
	c.Logger.Debug("verify", "images", len(l.images), "doubts", len(l.doubts), "deep", c.Deep)
	l.settle(ctx)
	if c.Deep {
		l.deep(ctx)
	}
	if err := ctx.Err(); err != nil {
		return document.Verification{}, err
	}
	return l.verification(), nil
}
