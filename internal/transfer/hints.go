package transfer

import (
	"github.com/opencontainers/go-digest"

	"transship/internal/document/journal"
	"transship/internal/ref"
)

// Hints is what the journal says of earlier runs. The zero value knows nothing.
type Hints struct {
	tags  map[hintedTag]bool
	blobs map[hintedBlob]bool
}

type hintedTag struct {
	target, tag string
	digest      digest.Digest
}

type hintedBlob struct {
	target string
	digest digest.Digest
}

// ReadHints reads the journal at path; a missing one has nothing to say.
func ReadHints(path string) (Hints, error) {
	h := Hints{tags: map[hintedTag]bool{}, blobs: map[hintedBlob]bool{}}
	err := journal.Read(path, func(e journal.Event) {
		switch e.Kind {
		case journal.Tag:
			h.tags[hintedTag{e.Target, e.Tag, e.Digest}] = true
		case journal.Blob:
			h.blobs[hintedBlob{e.Target, e.Digest}] = true
		}
	})
	return h, err
}

// wrote reports whether an earlier run pointed the tag at d.
func (h Hints) wrote(t ref.TargetImage, tag string, d digest.Digest) bool {
	return len(h.tags) > 0 && h.tags[hintedTag{t.String(), tag, d}]
}

// uploaded reports whether an earlier run brought the blob to t.
func (h Hints) uploaded(t ref.TargetImage, d digest.Digest) bool {
	return len(h.blobs) > 0 && h.blobs[hintedBlob{t.String(), d}]
}
