package transfer

import (
	"context"
	"io"
	"sync"

	"transship/internal/document/journal"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// nowhere is no place.
const nowhere = -1

// blob is what is known of one blob at one target host.
type blob struct {
	mu     sync.Mutex
	landed int32         // a place where a manifest that holds it is, or nowhere
	held   int32         // a place where it was uploaded or mounted, or nowhere
	hinted int32         // a place where the journal says it is, or nowhere
	busy   chan struct{} // closed when the upload under way ends; nil when there is none
}

func newBlobs(n int) []blob {
	bs := make([]blob, n)
	for i := range bs {
		bs[i].landed, bs[i].held, bs[i].hinted = nowhere, nowhere, nowhere
	}
	return bs
}

// flight is what is known of one blob at one place: it is there once done is closed with err nil.
type flight struct {
	done chan struct{}
	err  error
	late bool // the clock of the one that brought it ended: nothing is wrong with the blob
}

// arrived is the flight of a blob that is there.
func arrived() *flight {
	f := &flight{done: make(chan struct{})}
	close(f.done)
	return f
}

// knowBlobs notes which blobs the listing proves to be at p, where anything of p is still to be done.
func (e *engine) knowBlobs(p *place) {
	idle := true
	for _, n := range p.order {
		idle = idle && n.present
	}
	for _, n := range p.order {
		for _, i := range n.manifest.Blobs {
			if n.present {
				p.host[i].landed = p.index
				if !idle && p.blobs[int32(i)] == nil {
					p.blobs[int32(i)] = e.there
				}
			} else if e.Hints.uploaded(p.planned.Target, e.Plan.Blobs[i].Digest) {
				p.host[i].hinted = p.index
			}
		}
	}
}

// ensure sees to it that blob i is at n's place. Whoever comes second waits for the first.
func (e *engine) ensure(ctx context.Context, n *node, i int32) error {
	p := n.place
	p.mu.Lock()
	f := p.blobs[i]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		p.blobs[i] = f
		p.mu.Unlock()
		f.err = e.bring(ctx, n, i)
		f.late = isLate(ctx, f.err)
		p.mu.Lock()
		if p.blobs[i] = e.there; f.err != nil {
			delete(p.blobs, i) // the next one that needs it may try again
		}
		p.mu.Unlock()
		close(f.done)
		return f.err
	}
	p.mu.Unlock()
	select {
	case <-f.done:
		if f.late && ctx.Err() == nil {
			return e.ensure(ctx, n, i)
		}
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// bring gets blob i to n's place at the least cost: it is there already, another place has it, or ECR must be read.
func (e *engine) bring(ctx context.Context, n *node, i int32) error {
	p, b := n.place, &n.place.host[i]
	want := e.blob(i)
	if p.foreign || e.Hints.uploaded(p.planned.Target, want.Digest) {
		if err := e.Target.HeadBlob(ctx, p.planned.Target, want); err == nil {
			e.Progress.BlobsPresent.Add(1)
			e.Progress.saved(want)
			b.hold(p.index)
			return nil
		} else if !registry.IsClass(err, registry.NotFound) {
			return err
		}
	}
	from, release, err := b.turn(ctx, p.index)
	if err != nil {
		return err
	}
	if release != nil {
		defer release()
	}
	var at oci.Upload
	if from != nowhere {
		u, mounted, err := e.Target.MountBlob(ctx, p.planned.Target, want, e.places[from].planned.Target)
		if err != nil {
			return err
		}
		if mounted {
			e.Progress.BlobsMounted.Add(1)
			if release != nil { // by a hint, instead of the first upload
				e.Progress.saved(want)
			}
			b.hold(p.index)
			e.note(journal.Event{Kind: journal.Blob, Target: p.planned.Target.String(), Digest: want.Digest})
			return nil
		}
		at = u
	}
	if err := e.push(ctx, n, want, at); err != nil {
		return err
	}
	b.hold(p.index)
	e.note(journal.Event{Kind: journal.Blob, Target: p.planned.Target.String(), Digest: want.Digest})
	return nil
}

// turn says where the blob can be mounted from, waiting for an upload that is under way. Where nobody has it, the
// caller's turn has come to upload it, and it must call release at the end; a hint names a place to try first.
func (b *blob) turn(ctx context.Context, self int32) (from int32, release func(), err error) {
	for {
		b.mu.Lock()
		switch {
		case b.landed != nowhere:
			from = b.landed
		case b.held != nowhere:
			from = b.held
		case b.busy == nil:
			busy := make(chan struct{})
			b.busy = busy
			if from = b.hinted; from == self {
				from = nowhere
			}
			b.mu.Unlock()
			return from, func() {
				b.mu.Lock()
				b.busy = nil
				b.mu.Unlock()
				close(busy)
			}, nil
		default:
			busy := b.busy
			b.mu.Unlock()
			select {
			case <-busy:
				continue
			case <-ctx.Done():
				return nowhere, nil, context.Cause(ctx)
			}
		}
		b.mu.Unlock()
		return from, nil, nil
	}
}

// hold notes that the blob is at a place.
func (b *blob) hold(place int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nowhere {
		b.held = place
	}
}

// land notes that a manifest which holds the blob is at a place.
func (b *blob) land(place int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.landed == nowhere {
		b.landed = place
	}
}

func (e *engine) blob(i int32) registry.Blob {
	planned := e.Plan.Blobs[i]
	return registry.Blob{Digest: planned.Digest, Size: planned.Size}
}

// push streams a blob from ECR to n's place.
func (e *engine) push(ctx context.Context, n *node, b registry.Blob, at oci.Upload) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := e.Progress.begin(n.place.planned.Target, b)
	prepared := e.Source(n.source.Registry).PrepareBlob(ctx, n.source, b)
	open := func(ctx context.Context) (io.ReadCloser, error) {
		r, err := prepared(ctx)
		if err != nil {
			return nil, err
		}
		return stream.read(r), nil
	}
	err := e.Target.PushBlob(ctx, n.place.planned.Target, b, at, open)
	e.Progress.end(stream, err == nil)
	return err
}

func (e *engine) note(event journal.Event) { e.Journal.Append(event) }
