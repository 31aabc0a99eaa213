package oci

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
)

// window reads a large blob over several connections at once and gives its bytes in their order: over a long distance
// one connection carries some 20 MB/s, whatever the line could do.
//
// Vocabulary: a chunk is a range of the blob that a request of its own brings into a buffer of the Client's pool, which
// the blob's reader empties while it fills; the front is the first byte that was not given yet; the frontier is the
// first one that nobody has asked for. Where there is no buffer for the chunk at the front, the direct stretch brings
// the bytes without one, so that every blob always gets on: a segment with one request, in which nobody waits for the
// pool.
//
//	blob  ├──────── given ────────┼── direct ──┼── chunk ──┼── chunk ──┼── chunk ──┼──── not asked for ────┤
//	                            front         (each over a connection of its own)  frontier
//
// The first stretch is direct: its answer says whether the server knows ranges, and where the blob is. The chunks ask
// there; see stretch.request.
type window struct {
	blob    *stretch // the whole of it, of which the others are parts
	pool    *pool
	segment int64

	front    int64
	frontier int64
	direct   *stretch // at the front; nil where that is in the first chunk
	ahead    []*chunk // from the front or the end of direct up to the frontier
	closed   bool
}

func newWindow(blob *stretch) *window {
	c := blob.client
	if blob.address == nil {
		blob.address = new(location)
	}
	w := &window{blob: blob, pool: &c.pool, segment: c.segment}
	w.pool.join()
	w.direct = w.part(int64(w.pool.size))
	return w
}

// part makes a stretch of the next n bytes that nobody has asked for.
func (w *window) part(n int64) *stretch {
	s := *w.blob
	s.at = w.frontier
	w.frontier = min(w.frontier+n, s.blob.Size)
	s.end = w.frontier
	return &s
}

func (w *window) open() error {
	if err := w.direct.open(); err != nil {
		return err
	}
	w.grow()
	return nil
}

// grow asks for as many chunks as there are buffers for.
func (w *window) grow() {
	if w.direct != nil && w.direct.end == w.blob.end { // it came whole, or is the last part
		w.frontier = w.direct.end
		w.drop()
	}
	for w.frontier < w.blob.end {
		buffer := w.pool.take(len(w.ahead))
		if buffer == nil {
			return
		}
		w.ahead = append(w.ahead, startChunk(w.part(int64(len(buffer))), buffer))
	}
}

// Read gives the next bytes.
func (w *window) Read(p []byte) (int, error) {
	for {
		w.grow()
		n, err := w.readFront(p)
		w.front += int64(n)
		switch {
		case n > 0:
			return n, nil
		case errors.Is(err, errNoRanges): // after it had said that it knew them: one stream does without
			w.drop()
			w.frontier = w.front
			w.direct = w.part(w.blob.end)
		case err != nil:
			return 0, err
		}
	}
}

// readFront gives bytes of what is at the front. None and no error: that has changed.
func (w *window) readFront(p []byte) (int, error) {
	switch {
	case w.direct != nil && w.direct.at < w.direct.end:
		return w.direct.Read(p)
	case w.direct != nil:
		err := w.direct.finish()
		w.direct = nil
		return 0, err
	case len(w.ahead) == 0:
		w.direct = w.part(w.segment)
		return 0, nil
	}
	n, err := w.ahead[0].read(p)
	if n == 0 && err == nil {
		<-w.ahead[0].done
		w.pool.give(w.ahead[0].buffer)
		w.ahead = w.ahead[1:]
	}
	return n, err
}

// finish waits for the end of what brought the last bytes.
func (w *window) finish() error {
	var err error
	if w.direct != nil {
		err = w.direct.finish()
	}
	for _, c := range w.ahead {
		<-c.done
		err = cmp.Or(err, c.err)
	}
	w.close()
	return err
}

func (w *window) close() {
	if w.closed {
		return
	}
	w.closed = true
	if w.direct != nil {
		w.direct.close()
	}
	w.drop()
	w.pool.leave()
}

// drop ends all chunks at once.
func (w *window) drop() {
	for _, c := range w.ahead {
		c.cancel()
	}
	for _, c := range w.ahead {
		<-c.done
		w.pool.give(c.buffer)
	}
	w.ahead = nil
}

// chunk is a part of a blob that is brought into a buffer.
type chunk struct {
	ctx    context.Context //nolint:containedctx // of its worker
	cancel context.CancelFunc
	from   *stretch // the worker's
	buffer []byte

	filled atomic.Int64  // how much of buffer the worker has filled
	more   chan struct{} // of capacity 1: filled has grown
	done   chan struct{} // closed when the worker has ended
	err    error         // why it ended; read it after done

	given int64 // the reader's
}

// startChunk brings the stretch s, whose length is at most that of buffer, into buffer. The worker that does it waits
// for nobody but the other side, so that the slot that it holds is always given back.
func startChunk(s *stretch, buffer []byte) *chunk {
	c := &chunk{from: s, buffer: buffer[:s.end-s.at], more: make(chan struct{}, 1), done: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	s.ctx, s.strict = c.ctx, true
	go func() {
		defer close(c.done)
		defer c.cancel()
		c.err = c.fill()
	}()
	return c
}

func (c *chunk) fill() error {
	defer c.from.close()
	for n := 0; n < len(c.buffer); {
		m, err := c.from.Read(c.buffer[n:])
		if err != nil {
			return err
		}
		n += m
		c.filled.Store(int64(n))
		select {
		case c.more <- struct{}{}:
		default:
		}
	}
	return c.from.finish()
}

// read gives the next bytes of the chunk, waiting for them where it must. None and no error: that was all.
func (c *chunk) read(p []byte) (int, error) {
	for {
		if filled := c.filled.Load(); filled > c.given {
			n := copy(p, c.buffer[c.given:filled])
			c.given += int64(n)
			return n, nil
		}
		if c.given == int64(len(c.buffer)) {
			return 0, nil
		}
		select {
		case <-c.more:
		case <-c.done: // it may have filled more before
			if c.filled.Load() == c.given {
				return 0, c.err
			}
		}
	}
}

var _, _ source = (*stretch)(nil), (*window)(nil)
