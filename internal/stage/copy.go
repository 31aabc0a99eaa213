package stage

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/plan/shard"
	"transship/internal/ref"
	"transship/internal/transfer"
)

// CopyOptions narrow or widen a copy.
type CopyOptions struct {
	Overwrite   bool           // move tags that somebody else moved at the target
	RetryFailed bool           // take up only what the last results call failed
	First       First          // what is copied before the rest
	Plan        *document.Plan // what plan.json holds; nil reads it
	// Listing is the target as it was listed a moment ago; nil has it listed afresh.
	Listing *document.TargetInventory
	// ImageTimeout is how long one image may take with all that it needs; 0 sets no bound.
	ImageTimeout time.Duration
	// Shard is the part of the plan that this machine copies; the zero value is all of it. The others copy the rest.
	Shard shard.Part
}

// Copy brings to the target what plan.json wants and the target lacks, and writes results.json.
func (p *Pipeline) Copy(ctx context.Context, o CopyOptions, h Hooks) (document.Results, error) {
	made, err := p.planned(o)
	if err != nil {
		return document.Results{}, err
	}
	only, err := p.only(o)
	if err != nil {
		return document.Results{}, err
	}
	var warming sync.WaitGroup
	defer warming.Wait()
	if made.Difference.CopyBlobs > 0 { // as far as one can tell: it is only a head start
		for _, s := range p.Sources {
			warming.Go(func() { s.Warm(ctx) })
		}
	}
	listing, err := p.listing(ctx, made, o, h)
	if err != nil {
		return document.Results{}, err
	}
	if made, err = p.possible(made, listing); err != nil {
		return document.Results{}, err
	}
	peers, part, err := p.shardOf(made, o.Shard)
	if err != nil {
		return document.Results{}, err
	}
	hints, j, end, err := p.history()
	if err != nil {
		return document.Results{}, err
	}
	results := transfer.Run(ctx, transfer.Config{
		Plan: made, Listing: listing, Only: only, Peers: peers, First: o.First.rank, Overwrite: o.Overwrite, ImageTimeout: o.ImageTimeout, Source: p.source, Target: p.Target,
		Hints: hints, Journal: j, Progress: h.Copy, Now: p.Now, Logger: p.Logger,
	})
	results.Shard = part
	if closeErr := end(); closeErr != nil {
		p.Logger.Warn("the journal is incomplete: a run that is broken off may read some blobs twice", "error", closeErr)
	}
	return results, document.Write(p.Workspace.Results(), results)
}

// only is the choice of what to copy: the scope, and with RetryFailed what failed the last time.
func (p *Pipeline) only(o CopyOptions) (func(ref.Repository, digest.Digest) bool, error) {
	scope := p.Rules.Scope
	if !o.RetryFailed {
		return func(r ref.Repository, _ digest.Digest) bool { return scope.Match(r) }, nil
	}
	var last document.Results
	if err := p.read(p.Workspace.Results(), document.KindResults, "copy", &last); err != nil {
		return nil, err
	}
	failed := map[string]bool{}
	for _, f := range last.Failures {
		source, _, _ := strings.Cut(f.Source, "@")
		if f.Tag != "" {
			source = strings.TrimSuffix(source, ":"+f.Tag)
		}
		failed[source+"@"+f.Digest.String()] = true
	}
	return func(r ref.Repository, d digest.Digest) bool {
		return scope.Match(r) && failed[r.String()+"@"+d.String()]
	}, nil
}
