package oci

import (
	"context"
	_ "crypto/sha256" // for digests
	_ "crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"sync"

	"github.com/opencontainers/go-digest"

	"transship/internal/registry"
)

// opReadBlob is the operation of reading a blob.
const opReadBlob = "read blob"

// OpenBlob opens a blob for reading: one request, and one for its redirect. The reader goes on where a connection
// breaks or stalls, through a fresh redirect, until there was no progress for the governor's horizon. It holds a slot
// of the host that sends the bytes until it is closed. Its last byte comes only when size and digest are right;
// otherwise Read returns an error of class registry.Corrupt, and nothing is tried again: who wants to, opens the blob
// anew. Close may be called while Read runs, and ends it.
//
// A blob of Options.LargeBlob bytes or more is read ahead, in parallel ranges; see window.
func (c *Client) OpenBlob(ctx context.Context, name string, b registry.Blob) (io.ReadCloser, error) {
	return c.openBlob(ctx, name, b, nil)
}

// PrepareBlob returns what opens the blob as OpenBlob does. Meanwhile it asks the registry where the bytes are, which is
// one of OpenBlob's requests, so that whoever has other things to do first need not wait for it then; but only once it is
// known that the registry sends nobody bytes itself, or the request would be for nothing. A small blob is not worth that.
// What was begun ends with ctx.
func (c *Client) PrepareBlob(ctx context.Context, name string, b registry.Blob) Opener {
	if b.Size <= c.opts.SmallBlob {
		return func(ctx context.Context) (io.ReadCloser, error) { return c.OpenBlob(ctx, name, b) }
	}
	wanted, found := make(chan struct{}), make(chan *location, 1)
	var once sync.Once
	go func() {
		select {
		case <-c.bytes.known:
			found <- c.locate(ctx, name, b)
		case <-wanted: // before that: it is opened without
			found <- nil
		case <-ctx.Done():
			found <- nil
		}
	}()
	return func(ctx context.Context) (io.ReadCloser, error) {
		once.Do(func() { close(wanted) })
		var at *location
		select {
		case at = <-found:
			found <- nil // it may have expired until it is opened once more
		case <-ctx.Done():
		}
		return c.openBlob(ctx, name, b, at)
	}
}

// whereabouts is what is known of where a registry has the bytes of blobs.
type whereabouts struct {
	once      sync.Once
	known     chan struct{} // closed once that is known
	elsewhere bool          // on another host; valid once known
}

// learn takes note of where a blob's bytes were.
func (w *whereabouts) learn(elsewhere bool) {
	w.once.Do(func() {
		w.elsewhere = elsewhere
		close(w.known)
	})
}

// locate asks the registry where the blob's bytes are. It returns nil where they are not elsewhere, and after an error:
// whoever opens the blob finds out what that was about. It is called once the whereabouts are known.
func (c *Client) locate(ctx context.Context, name string, b registry.Blob) *location {
	t := c.task(opReadBlob, name, "blobs", b.Digest.String())
	if !c.bytes.elsewhere || b.Digest.Validate() != nil {
		return nil
	}
	var at *location
	_ = c.do(ctx, t, 0, func(ctx context.Context) error {
		res, err := c.exchange(ctx, exchange{task: t, method: http.MethodGet})
		if err != nil {
			return err
		}
		if !isRedirect(res.StatusCode) {
			return res.Body.Close() // this time it is not
		}
		res.finish()
		to, err := resolveLocation(res.url, res.Header.Get("Location"))
		if err == nil && !sameHost(to, c.opts.Host) { // one of the registry itself would get the credential
			at = &location{to: to}
		}
		return nil
	})
	return at
}

// openBlob is OpenBlob of a blob that is known to be at a place, unless that is nil.
func (c *Client) openBlob(ctx context.Context, name string, b registry.Blob, at *location) (io.ReadCloser, error) {
	t := c.task(opReadBlob, name, "blobs", b.Digest.String())
	if err := b.Digest.Validate(); err != nil {
		return nil, c.wrong(t, registry.Invalid, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &blobReader{client: c, task: t, blob: b, ctx: ctx, cancel: cancel, hash: b.Digest.Algorithm().Hash()}
	whole := &stretch{client: c, task: t, blob: b, ctx: ctx, end: b.Size, address: at}
	r.from = whole
	if c.opts.LargeBlob > 0 && b.Size >= c.opts.LargeBlob && !c.noRanges.Load() {
		r.from = newWindow(whole)
	}
	if err := r.from.open(); err != nil {
		cancel()
		r.from.close()
		return nil, err
	}
	return r, nil
}

// source is where the bytes of a blob come from, one after the other.
type source interface {
	// open sends the first request, if that has not been done, and waits for its answer.
	open() error
	// Read returns at least one byte, or an error. It is not asked for more than the blob has.
	Read(p []byte) (int, error)
	// finish gives up what the source holds, once all bytes were read, and says whether there were more.
	finish() error
	// close gives up what the source holds. The source's context has ended, or nobody waits for bytes any more.
	close()
}

// blobReader gives a blob's bytes, and the last one only when all are right.
type blobReader struct {
	client *Client
	task   task
	blob   registry.Blob
	ctx    context.Context //nolint:containedctx // Read takes none
	cancel context.CancelFunc

	mu   sync.Mutex
	from source
	hash hash.Hash // of the first got bytes
	got  int64
	err  error // what every further Read returns
}

// Read returns bytes of the blob, and the last one only when all are right.
func (r *blobReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.read(p)
	if r.err = err; err != nil { // what it holds is free, though the reader is not closed yet
		r.cancel()
		r.from.close()
	}
	return n, err
}

func (r *blobReader) read(p []byte) (int, error) {
	if left := r.blob.Size - r.got; left > 1 {
		return r.fill(p[:min(int64(len(p)), left-1)])
	}
	var last [1]byte
	n := 0
	if r.blob.Size > r.got {
		var err error
		if n, err = r.fill(last[:]); err != nil {
			return 0, err
		}
	}
	if err := r.check(); err != nil {
		return 0, err
	}
	return copy(p, last[:n]), io.EOF
}

// fill reads at least one byte.
func (r *blobReader) fill(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil {
		return 0, err
	}
	r.hash.Write(p[:n])
	r.got += int64(n)
	return n, nil
}

// check compares what was read with what the blob is.
func (r *blobReader) check() error {
	if err := r.from.finish(); err != nil {
		return err
	}
	if got := digest.NewDigest(r.blob.Digest.Algorithm(), r.hash); got != r.blob.Digest {
		return r.client.wrong(r.task, registry.Corrupt, fmt.Errorf("its bytes have the digest %s", got))
	}
	return nil
}

// Close ends the reading.
func (r *blobReader) Close() error {
	r.cancel() // which also ends a Read that waits
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from.close()
	if r.err == nil {
		r.err = errors.New("the blob's reader is closed")
	}
	return nil
}
