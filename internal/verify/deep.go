package verify

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/registry"
)

// deep reads every manifest that was found back from the target, and asks for every blob that it names, once for each
// image path. What it keeps of an image path are digests and numbers, until all of the path was read.
func (l *look) deep(ctx context.Context) {
	var g errgroup.Group
	g.SetLimit(l.Concurrency)
	for _, i := range l.images {
		w := &walk{look: l, image: i, read: map[digest.Digest]*readManifest{}, position: map[digest.Digest]int{}}
		w.left.Store(1) // this loop's own
		for _, r := range i.planned.References {
			if ctx.Err() != nil || !i.digests[r.Digest] {
				continue // missing already
			}
			w.left.Add(1)
			g.Go(func() error {
				w.manifest(ctx, r.Digest)
				w.done(ctx)
				return nil
			})
		}
		w.done(ctx)
	}
	_ = g.Wait() // what is not right is noted
}

// walk is the deep look into one image path.
type walk struct {
	*look
	image *image
	left  atomic.Int64 // manifests that are still to be read

	mu       sync.Mutex
	read     map[digest.Digest]*readManifest
	position map[digest.Digest]int // of each blob in blobs
	blobs    []askedBlob
}

// readManifest is what reading one manifest back said.
type readManifest struct {
	fault    *fault
	children []digest.Digest
	blobs    []int // positions in the walk's blobs
}

// askedBlob is a blob that was asked for.
type askedBlob struct {
	digest digest.Digest
	absent bool
	err    error // why it could not be asked for
}

// fault is why a manifest is not whole.
type fault struct {
	kind  document.CaseKind // empty where it could not be looked at, which is among the failures
	blob  digest.Digest     // that is missing, or empty
	cause string
}

// manifest reads one manifest and asks for what it names.
func (w *walk) manifest(ctx context.Context, d digest.Digest) {
	read := &readManifest{}
	content, f := w.get(ctx, d)
	read.fault = f
	for _, c := range content.Children {
		read.children = append(read.children, c.Digest)
		w.child(ctx, c.Digest)
	}
	for _, b := range content.Blobs {
		read.blobs = append(read.blobs, w.blob(ctx, b))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read[d] = read
}

func (w *walk) get(ctx context.Context, d digest.Digest) (registry.Content, *fault) {
	m, err := w.Target.Manifest(ctx, w.image.planned.Target, d)
	if err == nil {
		m.Digest = d // whatever it calls itself
		if wrong := m.Check(); wrong != nil {
			err = &registry.Error{Side: registry.Target, Op: "read manifest", Class: registry.Corrupt, Err: wrong}
		}
	}
	switch {
	case registry.IsClass(err, registry.NotFound), registry.IsClass(err, registry.NoRepository):
		if !w.image.listed.digests[d] {
			return registry.Content{}, absent()
		}
		return registry.Content{}, &fault{kind: document.CaseMissing, cause: "the target lists it, but does not serve it: " + remake}
	case registry.IsClass(err, registry.Corrupt):
		return registry.Content{}, &fault{kind: document.CaseMismatched, cause: "the target serves other bytes than the digest's: " + err.Error() + ": " + remake}
	case err != nil:
		w.fail(w.image, "", d, err)
		return registry.Content{}, &fault{}
	}
	content, err := registry.ParseManifest(m)
	if err != nil {
		w.fail(w.image, "", d, err)
		return registry.Content{}, &fault{}
	}
	return content, nil
}

// child reads a child that is neither among the manifests that were found nor known to be absent: one that only its
// tags were asked for, or that the plan does not know.
func (w *walk) child(ctx context.Context, d digest.Digest) {
	if w.image.digests[d] || w.image.absent[d] {
		return
	}
	w.mu.Lock()
	_, asked := w.read[d]
	if !asked {
		w.read[d] = &readManifest{} // until the answer
	}
	w.mu.Unlock()
	if !asked {
		w.manifest(ctx, d)
	}
}

// blob asks for a blob unless that was done, and returns its position.
func (w *walk) blob(ctx context.Context, b registry.Blob) int {
	w.mu.Lock()
	n, asked := w.position[b.Digest]
	if !asked {
		n = len(w.blobs)
		w.position[b.Digest] = n
		w.blobs = append(w.blobs, askedBlob{digest: b.Digest})
	}
	w.mu.Unlock()
	if asked {
		return n
	}
	if b.Size == registry.SizeUnknown {
		b.Size = w.plannedSize(b.Digest)
	}
	err := w.Target.HeadBlob(ctx, w.image.planned.Target, b)
	w.mu.Lock()
	if registry.IsClass(err, registry.NotFound) || registry.IsClass(err, registry.NoRepository) {
		w.blobs[n].absent = true
	} else {
		w.blobs[n].err = err
	}
	w.mu.Unlock()
	w.step(0, 1)
	return n
}

// plannedSize is the size of a blob whose manifest does not tell it, as ECR says.
func (w *walk) plannedSize(d digest.Digest) int64 {
	n, ok := slices.BinarySearchFunc(w.Plan.Blobs, d, func(b document.PlannedBlob, d digest.Digest) int { return cmp.Compare(b.Digest, d) })
	if !ok {
		return registry.SizeUnknown
	}
	return w.Plan.Blobs[n].Size
}

// done counts one manifest. After the last one it judges the image path.
func (w *walk) done(ctx context.Context) {
	if w.left.Add(-1) > 0 {
		return
	}
	if ctx.Err() == nil {
		w.judge()
	}
	w.step(1, 0)
}
