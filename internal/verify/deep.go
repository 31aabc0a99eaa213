package verify

import (
	"context"
	"sync"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/registry"
)

// pathsTogether is how many image paths are walked at once.
const pathsTogether = 8

// deep reads every manifest that was found back from the target, and asks for every blob that it names, once for each
// image path.
func (l *look) deep(ctx context.Context) {
	var paths errgroup.Group
	paths.SetLimit(pathsTogether)
	for _, i := range l.images {
		paths.Go(func() error {
			l.walk(ctx, i)
			l.step(1, 0)
			return nil
		})
	}
	_ = paths.Wait() // what is not right is noted
}

// walk looks into one image path.
func (l *look) walk(ctx context.Context, i *image) {
	var g errgroup.Group
	g.SetLimit(max(1, l.Concurrency/pathsTogether))
	asked := blobSet{seen: map[digest.Digest]bool{}}
	for _, r := range i.planned.References {
		if !i.digests[r.Digest] {
			continue // missing already
		}
		g.Go(func() error {
			l.readBack(ctx, i, r, &asked)
			return nil
		})
	}
	_ = g.Wait() // what is not right is noted
}

// blobSet is the blobs of an image path that were asked for.
type blobSet struct {
	mu   sync.Mutex
	seen map[digest.Digest]bool
}

// first reports whether d was not asked for before.
func (s *blobSet) first(d digest.Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen[d]
	s.seen[d] = true
	return !seen
}

func (l *look) readBack(ctx context.Context, i *image, r document.PlannedReference, asked *blobSet) {
	m, err := l.Target.Manifest(ctx, i.planned.Target, r.Digest)
	switch {
	case registry.IsClass(err, registry.NotFound):
		l.add(i, document.Case{Kind: document.CaseMissing, SourceDigest: r.Digest, Cause: "the target lists it, but does not serve it"})
		return
	case registry.IsClass(err, registry.Corrupt):
		l.add(i, document.Case{Kind: document.CaseMismatched, SourceDigest: r.Digest, Cause: "the target serves other bytes than the digest's: " + err.Error()})
		return
	case err != nil:
		l.fail(i, suffix("", r.Digest), r.Digest, err)
		return
	}
	content, err := registry.ParseManifest(m)
	if err != nil {
		l.fail(i, suffix("", r.Digest), r.Digest, err)
		return
	}
	for _, child := range content.Children {
		if !i.digests[child.Digest] {
			l.add(i, document.Case{
				Kind: document.CaseMissing, SourceDigest: child.Digest,
				Cause: "the index " + r.Digest.String() + ` needs it, and the target does not have it: run "transship plan" and "transship copy"`,
			})
		}
	}
	for _, b := range content.Blobs {
		if !asked.first(b.Digest) {
			continue
		}
		err := l.Target.HeadBlob(ctx, i.planned.Target, b)
		l.step(0, 1)
		switch {
		case registry.IsClass(err, registry.NotFound):
			l.add(i, document.Case{
				Kind: document.CaseMissing, SourceDigest: r.Digest, Blob: b.Digest,
				Cause: "the image is there, but this blob of it is not: delete the image at the target and copy it again",
			})
		case err != nil:
			l.fail(i, suffix("", r.Digest), r.Digest, err)
		}
	}
}
