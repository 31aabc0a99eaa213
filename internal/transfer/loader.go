package transfer

import (
	"context"
	"sync"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/registry"
)

// A batch holds what ECR gives in one request (FACTS A1), and no more bytes than are cheap to keep at once.
const (
	maxBatch      = 100
	maxBatchBytes = 4 << 20
)

// batch is up to 100 manifests of one repository that are read in one request, when the first of them is needed.
type batch struct {
	repo    ref.Repository
	digests []digest.Digest
	bytes   int64

	once  once
	mu    sync.Mutex
	found map[digest.Digest]registry.Manifest // those still needed
}

// batches groups the manifests that the units will need, in the order in which they will be needed.
func (e *engine) batches(units []*node) {
	open := map[ref.Repository]*batch{}
	var add func(n *node)
	add = func(n *node) {
		if n.present && len(n.tags) == 0 || n.batch != nil {
			return
		}
		b := open[n.source]
		if b == nil || len(b.digests) == maxBatch || b.bytes+n.manifest.Size > maxBatchBytes {
			b = &batch{repo: n.source}
			open[n.source] = b
		}
		n.batch = b
		b.digests = append(b.digests, n.manifest.Digest)
		b.bytes += n.manifest.Size
		if n.present {
			return
		}
		for _, d := range n.manifest.Children {
			if child := n.place.nodes[d]; child != nil {
				add(child)
			}
		}
	}
	for _, n := range units {
		add(n)
		for _, d := range n.describers {
			add(d)
		}
	}
}

// load returns n's manifest. A *gone means that the source no longer has it.
func (e *engine) load(ctx context.Context, n *node) (registry.Manifest, error) {
	m, err := e.read(ctx, n)
	if registry.IsClass(err, registry.NotFound) {
		return m, &gone{err}
	}
	if m.MediaType == "" { // schema 1 does not name itself
		m.MediaType = n.manifest.MediaType
	}
	return m, err
}

func (e *engine) read(ctx context.Context, n *node) (registry.Manifest, error) {
	b, d := n.batch, n.manifest.Digest
	if b == nil { // a describer of a describer: rare enough to be read alone
		return e.Source(n.source.Registry).Manifest(ctx, n.source, d)
	}
	err := e.apart(ctx, &b.once, func(ctx context.Context) {
		found, failed, err := e.Source(b.repo.Registry).Manifests(ctx, b.repo, b.digests)
		if err != nil || len(failed) > 0 {
			e.Logger.Debug("some manifests must be read one by one", "repository", b.repo.String(), "failed", len(failed), "error", err)
		}
		b.found = make(map[digest.Digest]registry.Manifest, len(found))
		for _, m := range found {
			b.found[m.Digest] = m
		}
		e.Progress.ManifestsRead.Add(int64(len(found)))
	})
	if err != nil {
		return registry.Manifest{}, err
	}
	b.mu.Lock()
	m, ok := b.found[d]
	b.mu.Unlock()
	switch {
	case ok:
		return m, nil
	case ctx.Err() != nil:
		return registry.Manifest{}, context.Cause(ctx)
	}
	// The bulk read failed, did not know it, or brought other bytes than the digest's: ask for this one alone. Whether
	// BatchGetImage serves indexes at all is not confirmed. FACTS A1 [U]
	m, err = e.Source(n.source.Registry).Manifest(ctx, n.source, d)
	if err == nil {
		e.Progress.ManifestsRead.Add(1)
	}
	return m, err
}

// drop forgets the bytes of n's manifest.
func (b *batch) drop(d digest.Digest) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.found, d)
}
