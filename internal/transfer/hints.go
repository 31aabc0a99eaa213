package transfer

import (
	"sync"

	"github.com/opencontainers/go-digest"

	"transship/internal/document/journal"
	"transship/internal/ref"
)

// Hints is what the journal says of earlier runs. The zero value knows nothing. Whatever is made of one shares what it
// knows; it is safe for concurrent use.
type Hints struct {
	mu    *sync.RWMutex // of the maps
	tags  map[hintedTag]bool
	last  map[hintedPlace]digest.Digest
	blobs map[hintedBlob]bool
}

type hintedPlace struct{ target, tag string }

type hintedTag struct {
	at     hintedPlace
	digest digest.Digest
}

type hintedBlob struct {
	target string
	digest digest.Digest
}

// ReadHints reads the journal at path; a missing one has nothing to say.
func ReadHints(path string) (Hints, error) {
	h := Hints{mu: new(sync.RWMutex), tags: map[hintedTag]bool{}, last: map[hintedPlace]digest.Digest{}, blobs: map[hintedBlob]bool{}}
	return h, journal.Read(path, h.Learn)
}

// Learn adds what has happened since the journal was read.
func (h Hints) Learn(e journal.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e.Kind {
	case journal.Tag:
		t := hintedPlace{e.Target, e.Tag}
		h.tags[hintedTag{t, e.Digest}] = true
		h.last[t] = e.Digest
	case journal.Untag:
		delete(h.last, hintedPlace{e.Target, e.Tag})
	case journal.Blob:
		h.blobs[hintedBlob{e.Target, e.Digest}] = true
	}
}

// Wrote reports whether an earlier run pointed the tag at d.
func (h Hints) Wrote(t ref.TargetImage, tag string, d digest.Digest) bool {
	if h.mu == nil {
		return false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.tags) > 0 && h.tags[hintedTag{hintedPlace{t.String(), tag}, d}]
}

// LastWrote returns what an earlier run pointed the tag at last, and nothing where none did or where the tag was taken
// away since.
func (h Hints) LastWrote(t ref.TargetImage, tag string) digest.Digest {
	if h.mu == nil {
		return ""
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.last[hintedPlace{t.String(), tag}]
}

// uploaded reports whether an earlier run brought the blob to t.
func (h Hints) uploaded(t ref.TargetImage, d digest.Digest) bool {
	if h.mu == nil {
		return false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.blobs) > 0 && h.blobs[hintedBlob{t.String(), d}]
}
