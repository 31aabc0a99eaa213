package transfer

import (
	"cmp"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"transship/internal/ref"
	"transship/internal/registry"
)

// Progress is where a run is. Whoever shows it reads it as often as it likes; the zero value is ready for use.
type Progress struct {
	ImagesTotal, ImagesDone      atomic.Int64 // that must be copied or tagged, whatever became of them
	BlobsTotal, BlobsDone        atomic.Int64 // unique blobs that must come from the source
	BytesTotal, bytesDone        atomic.Int64 // of those blobs
	BytesRead, BlobsRead         atomic.Int64 // from the source, what was read twice included
	BlobsMounted, BlobsPresent   atomic.Int64
	ManifestsRead, ManifestsDone atomic.Int64
	TagsDone, Failures           atomic.Int64

	mu      sync.Mutex
	streams map[*Stream]struct{}
}

// Stream is a blob on its way.
type Stream struct {
	Target ref.TargetImage
	Blob   registry.Blob
	done   atomic.Int64
	whole  *Progress
}

// Done is how many bytes of the blob have been read by the present try.
func (s *Stream) Done() int64 { return s.done.Load() }

// BytesDone is how many bytes of BytesTotal have arrived or are on their way.
func (p *Progress) BytesDone() int64 {
	n := p.bytesDone.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.streams {
		n += s.Done()
	}
	return n
}

// Streams returns the blobs that are on their way, the largest first.
func (p *Progress) Streams() []*Stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]*Stream, 0, len(p.streams))
	for s := range p.streams {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Stream) int {
		return cmp.Or(cmp.Compare(b.Blob.Size, a.Blob.Size), cmp.Compare(a.Blob.Digest, b.Blob.Digest), a.Target.Compare(b.Target))
	})
	return out
}

func (p *Progress) begin(t ref.TargetImage, b registry.Blob) *Stream {
	s := &Stream{Target: t, Blob: b, whole: p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams == nil {
		p.streams = map[*Stream]struct{}{}
	}
	p.streams[s] = struct{}{}
	return s
}

func (p *Progress) end(s *Stream, ok bool) {
	p.mu.Lock()
	delete(p.streams, s)
	p.mu.Unlock()
	if ok {
		p.saved(s.Blob)
	}
}

// saved counts a blob that need not be read any more.
func (p *Progress) saved(b registry.Blob) {
	p.BlobsDone.Add(1)
	p.bytesDone.Add(b.Size)
}

// read counts what is read of r, from the beginning of the blob.
func (s *Stream) read(r io.ReadCloser) io.ReadCloser {
	s.done.Store(0)
	s.whole.BlobsRead.Add(1)
	return &counted{ReadCloser: r, stream: s}
}

type counted struct {
	io.ReadCloser
	stream *Stream
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.stream.done.Add(int64(n))
	c.stream.whole.BytesRead.Add(int64(n))
	return n, err
}
