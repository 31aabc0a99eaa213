package oci

import "sync"

// How a large blob is read. See window for the words.
const (
	// chunkSize is the bytes of one request.
	chunkSize = 4 << 20
	// maxWindow is how many chunks of one blob are under way or wait to be read.
	maxWindow = 8
	// poolChunks is how many there are of all blobs of a Client: 48 MiB, whatever is copied.
	poolChunks = 12
	// segmentSize is the bytes of one request that needs no buffer, when there is none.
	segmentSize = 16 << 20
	// largeBlob is the size from which all that is worth its requests.
	largeBlob = 32 << 20
)

// minShare is how many chunks a reader must have a right to, to take any: with a single one it would read one after
// the other, which a stream without buffers does better.
const minShare = 2

// pool is the memory for chunks that all large blobs of a Client share. Nobody waits for a buffer: who gets none reads
// without. It is safe for concurrent use.
type pool struct {
	size   int // of a buffer, in bytes
	total  int // buffers that may exist
	window int // buffers that one reader may have

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
	share := min(p.total/max(1, p.readers), p.window)
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
