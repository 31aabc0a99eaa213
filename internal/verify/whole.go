package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
)

// remake is what to do about what is broken at the target: a copy takes it for present.
const remake = `delete the image at the target, then run "transship copy"`

// judge takes back what is not whole of what was verified, in the order of the plan, so that the same answers make the
// same cases whatever their order. All of the image path was read.
func (w *walk) judge() {
	i := w.image
	w.unasked()
	i.verified = slices.DeleteFunc(i.verified, func(v document.VerifiedTag) bool {
		f := w.fault(v.Digest, nil)
		if f != nil && f.kind != "" {
			i.add(document.Case{Kind: f.kind, Tag: v.Tag, SourceDigest: v.Digest, Blob: f.blob, Cause: f.cause})
		}
		return f != nil
	})
	for d := range i.digests {
		if w.fault(d, nil) != nil {
			delete(i.digests, d)
		}
	}
}

// fault is why d is not whole, or nil. It looks into children, but not into those above: what contains itself has
// digests that nobody can make.
func (w *walk) fault(d digest.Digest, above []digest.Digest) *fault {
	i, read := w.image, w.read[d]
	if read == nil {
		if i.absent[d] {
			return absent()
		}
		return nil // within itself
	}
	if read.fault != nil {
		return read.fault
	}
	if f := w.hollow(read); f != nil {
		read.fault = f
		return f
	}
	for _, child := range read.children {
		if slices.Contains(above, child) {
			continue
		}
		f := w.fault(child, append(above, d))
		if f == nil {
			continue
		}
		read.fault = &fault{kind: f.kind, blob: f.blob}
		if f.kind != "" {
			read.fault.kind = document.CaseMissing
			read.fault.cause = fmt.Sprintf("it needs %s: %s", child, f.cause)
		}
		return read.fault
	}
	return nil
}

// absent is the fault of what is not there.
func absent() *fault {
	return &fault{kind: document.CaseMissing, cause: "it is not at the target: " + copyAgain}
}

// hollow is the fault of a manifest that is there without all its blobs.
func (w *walk) hollow(read *readManifest) *fault {
	var gone []string
	unasked := false
	for _, n := range read.blobs {
		b := &w.blobs[n]
		unasked = unasked || b.err != nil
		if b.absent {
			gone = append(gone, b.digest.String())
		}
	}
	switch {
	case len(gone) == 0 && unasked:
		return &fault{}
	case len(gone) == 0:
		return nil
	}
	what := "this blob of it is not: " + gone[0]
	if len(gone) > 1 {
		what = fmt.Sprintf("%d of its blobs are not: %s", len(gone), strings.Join(gone[:min(3, len(gone))], ", "))
		if len(gone) > 3 {
			what += fmt.Sprintf(" and %d more", len(gone)-3)
		}
	}
	return &fault{
		kind: document.CaseMissing, blob: digest.Digest(gone[0]),
		cause: "the image is there, but " + what + ": " + remake,
	}
}

// unasked are failures: one for each blob that could not be asked for, at the first manifest that names it.
func (w *walk) unasked() {
	told := map[int]bool{}
	for _, d := range slices.Sorted(maps.Keys(w.read)) {
		for _, n := range w.read[d].blobs {
			if err := w.blobs[n].err; err != nil && !told[n] {
				told[n] = true
				w.fail(w.image, "", d, err)
			}
		}
	}
}
