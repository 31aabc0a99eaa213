package cutover

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/stage"
)

// Doubts are the references that were proved and that the listing of the target does not show as they were. A listing
// proves presence; only a direct question proves absence.
func Doubts(e Evidence) []stage.Reference {
	j := &judge{Evidence: e}
	j.index()
	var out []stage.Reference
	for _, s := range j.repositories {
		t := j.at(s)
		for _, i := range s.images {
			if !s.digests[i.Digest] {
				continue
			}
			doubt := stage.Reference{Source: s.repository, Target: s.target, Digest: i.Digest}
			if !t.digests[i.Digest] {
				out = append(out, doubt)
			}
			for _, doubt.Tag = range i.Tags {
				if s.tags[doubt.Tag] == i.Digest && t.tags[doubt.Tag] != i.Digest {
					out = append(out, doubt)
				}
			}
		}
	}
	return out
}

// Settle adds to the listing of the target what it holds of the doubts: at is the digest that each is at, or nothing.
func (e *Evidence) Settle(doubts []stage.Reference, at []digest.Digest) {
	images := slices.Clone(e.Inventory.Target.Images)
	for n, d := range doubts {
		if at[n] == "" {
			continue
		}
		i := document.TargetImage{URI: d.Target, Digest: at[n]}
		if d.Tag != "" {
			i.Tags = []string{d.Tag}
		}
		images = append(images, i)
	}
	e.Inventory.Target.Images = images
}
