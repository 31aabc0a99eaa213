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
	"strconv"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"transship/internal/registry"
	"transship/internal/registry/governor"
)

// substantial is how many bytes of a blob are progress, so that a connection that breaks after each few bytes is
// re-opened ever more slowly, and given up in the end.
const substantial = 64 << 10

// OpenBlob opens a blob for reading: one request, and one for its redirect. The reader goes on where a connection
// breaks or stalls, through a fresh redirect, until there was no progress for the governor's horizon. It holds a slot
// of the host that sends the bytes until it is closed. Its last byte comes only when size and digest are right; otherwise Read returns
// an error of class registry.Corrupt, and nothing is tried again: who wants to, opens the blob anew. Close may be
// called while Read runs, and ends it.
func (c *Client) OpenBlob(ctx context.Context, name string, b registry.Blob) (io.ReadCloser, error) {
	t := c.task("read blob", name, "blobs", b.Digest.String())
	if err := b.Digest.Validate(); err != nil {
		return nil, c.wrong(t, registry.Invalid, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &blobReader{client: c, task: t, blob: b, ctx: ctx, cancel: cancel, hash: b.Digest.Algorithm().Hash()}
	if err := r.open(); err != nil {
		cancel()
		return nil, err
	}
	r.patience = c.gov.Patience()
	return r, nil
}

// blobReader reads one blob over as many connections as it takes.
type blobReader struct {
	client *Client
	task   task
	blob   registry.Blob
	ctx    context.Context //nolint:containedctx // Read takes none
	cancel context.CancelFunc

	mu       sync.Mutex
	body     io.ReadCloser // nil between connections
	hash     hash.Hash     // of the first got bytes
	got      int64
	opened   int64 // what got was when body was opened
	short    bool  // the last body ended, whole, before the blob did
	patience *governor.Patience
	err      error // what every further Read returns
}

// Read returns bytes of the blob, and the last one only when all are right.
func (r *blobReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.read(p)
	r.err = err
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

// fill reads at least one byte, through breaks and stalls.
func (r *blobReader) fill(p []byte) (int, error) {
	for {
		if r.body == nil {
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		n, err := r.body.Read(p)
		if n > 0 { // an error with it comes again
			r.hash.Write(p[:n])
			r.got += int64(n)
			return n, nil
		}
		if err == nil {
			continue
		}
		if err := r.broke(err); err != nil {
			return 0, err
		}
	}
}

// broke closes the body that failed with cause and waits until the next may be opened.
func (r *blobReader) broke(cause error) error {
	r.drop()
	if r.ctx.Err() != nil {
		return r.client.canceled(r.ctx, r.task)
	}
	if errors.Is(cause, io.EOF) {
		cause = r.corrupt("it ends after %d bytes, not %d", r.got, r.blob.Size)
		if r.short && r.got == r.opened {
			return cause // twice at the same place: that is all there is
		}
		r.short = true
	} else {
		r.short = false
	}
	if r.got-r.opened >= substantial {
		r.patience.Progress()
	}
	r.client.log.DebugContext(r.ctx, "blob broke off", "object", r.task.object, "after", r.got, "of", r.blob.Size, "err", cause)
	err := r.patience.Wait(r.ctx, cause, governor.Again)
	if err != nil && r.ctx.Err() != nil {
		return r.client.canceled(r.ctx, r.task)
	}
	return err
}

// open opens the blob at the first byte that is missing.
func (r *blobReader) open() error {
	return r.client.do(r.ctx, r.task, 0, func(ctx context.Context) error {
		e := exchange{task: r.task, method: http.MethodGet, follow: true}
		if r.got > 0 {
			e.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", r.got)}}
		}
		res, err := r.client.exchange(ctx, e)
		if err != nil {
			return err
		}
		if err := r.accept(res); err != nil {
			_ = res.Body.Close()
			return err
		}
		r.body, r.opened = res.Body, r.got
		return nil
	})
}

// accept checks that an answer begins at the first byte that is missing, or makes it begin there.
func (r *blobReader) accept(res *response) error {
	switch {
	case res.StatusCode == http.StatusPartialContent && r.got > 0:
		first, size, err := parseContentRange(res.Header.Get("Content-Range"))
		switch {
		case err != nil:
			return r.client.wrong(r.task, registry.Corrupt, err)
		case first != r.got:
			return r.corrupt("asked for the bytes from %d, the answer has those from %d", r.got, first)
		case size >= 0 && size != r.blob.Size:
			return r.corrupt("it has %d bytes, not %d", size, r.blob.Size)
		}
		return nil
	case res.StatusCode != http.StatusOK:
		return r.client.unexpected(r.task, res)
	case res.ContentLength >= 0 && res.ContentLength != r.blob.Size:
		return r.corrupt("it has %d bytes, not %d", res.ContentLength, r.blob.Size)
	}
	// The server does not know ranges.
	_, err := io.CopyN(io.Discard, res.Body, r.got)
	if errors.Is(err, io.EOF) {
		return r.corrupt("it ends before byte %d", r.got)
	}
	return err
}

// check compares what was read with what the blob is.
func (r *blobReader) check() error {
	if r.body != nil {
		var more [1]byte
		n, err := r.body.Read(more[:])
		r.drop() // the slot is free, though the reader is not closed yet
		if n > 0 {
			return r.corrupt("it has more than %d bytes", r.blob.Size)
		}
		_ = err // all bytes came: how the connection ended does not matter
	}
	if got := digest.NewDigest(r.blob.Digest.Algorithm(), r.hash); got != r.blob.Digest {
		return r.corrupt("its bytes have the digest %s", got)
	}
	return nil
}

func (r *blobReader) corrupt(format string, args ...any) error {
	return r.client.wrong(r.task, registry.Corrupt, fmt.Errorf(format, args...))
}

func (r *blobReader) drop() {
	if r.body != nil {
		_ = r.body.Close()
		r.body = nil
	}
}

// Close ends the reading.
func (r *blobReader) Close() error {
	r.cancel() // which also ends a Read that waits
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
	if r.err == nil {
		r.err = errors.New("the blob's reader is closed")
	}
	return nil
}

// parseContentRange reads the header "bytes FIRST-LAST/SIZE". size is -1 where the header has a star for it.
func parseContentRange(header string) (first, size int64, err error) {
	wrong := fmt.Errorf("the answer has the Content-Range %q, which is not one", clean(header))
	rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(header)), "bytes ")
	span, total, ok2 := strings.Cut(rest, "/")
	from, to, ok3 := strings.Cut(strings.TrimSpace(span), "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, wrong
	}
	first, err1 := number(from)
	last, err2 := number(to)
	size = -1
	var err3 error
	if total = strings.TrimSpace(total); total != "*" {
		size, err3 = number(total)
	}
	if errors.Join(err1, err2, err3) != nil || last < first || size >= 0 && last >= size {
		return 0, 0, wrong
	}
	return first, size, nil
}

func number(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
