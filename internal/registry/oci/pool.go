package oci

import (
	"sync"

	"transship/internal/registry"
)

// How a large blob is read; see window for the words. The figures are of the embedded clouds by the virtual clock, at
// 40 ms and 20 MB/s a connection, all connections cold: 256 MiB took 13.8 s by one stream.
const (
	// chunkSize is the bytes of one request. A request costs a round trip before its bytes: with 4 MiB that is a sixth
	// of its time. In the same 32 MiB of buffers, 8 chunks of 4 MiB took 2.4 s and 4 chunks of 8 MiB 4.1 s; 8 chunks of
	// 2 MiB took 2.8 s with twice the requests.
	chunkSize = registry.BlobPiece
	// poolChunks is how many chunks of all blobs of a Client are under way or wait to be read: 48 MiB, whatever is
	// copied. One blob that has them all took 1.9 s (with 8 of them 2.4 s, with 4 of them 4.4 s).
	poolChunks = 12
	// segmentSize is the bytes of one request that needs no buffer, when there is none. Its round trip is a twentieth of
	// its time, and that is how often a blob looks whether there are buffers again.
	segmentSize = 16 << 20
	// largeBlob is the size from which that is worth its requests: 32 MiB took 0.7 s rather than 2.0 s. Of 16 MiB, most
	// of the time is that of the connections: 0.7 s rather than 1.2 s.
	largeBlob = registry.LargeBlob
)

// minShare is how many chunks a reader must have a right to, to take any: with a single one it would read one after
// the other, which a stream without buffers does better.
const minShare = 2

// pool is the memory for chunks that all large blobs of a Client share. Nobody waits for a buffer: who gets none reads
// without. It is safe for concurrent use.
type pool struct {
	size  int // of a buffer, in bytes
	total int // buffers that may exist

	mu      sync.Mutex
	readers int
	taken   int
	free    [][]byte
	peak    int // the most that were taken at once
}

// join counts one more reader among those that share the pool.
func (p *pool) join() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readers++
}

// leave is the end of a reader, which has given its buffers back. The last one's end frees the memory.
func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers--; p.readers == 0 {
		p.free = nil
	}
}

// take returns a buffer for a reader that has held already, or nil where that would be more than its share. What a
// reader has when its share becomes smaller, it keeps until it has used it.
func (p *pool) take(held int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	share := p.total / max(1, p.readers)
	if share < minShare || held >= share || p.taken == p.total {
		return nil
	}
	p.taken++
	p.peak = max(p.peak, p.taken)
	if last := len(p.free) - 1; last >= 0 {
		b := p.free[last]
		p.free = p.free[:last]
		return b
	}
	return make([]byte, p.size)
}

// give takes a buffer back.
func (p *pool) give(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.free = append(p.free, b[:cap(b)])
}
