package content

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// maxBatchBytes bounds what one call is expected to return, so that a few calls at a time cannot fill the memory.
const maxBatchBytes = 16 << 20

// guessedSize is what a manifest is expected to have where nothing says its size: a generous index.
const guessedSize = 16 << 10

// batch is what one call asks for: digests of one repository.
type batch struct {
	repo   ref.Repository
	wanted []*wanted
}

func (b batch) digests() []digest.Digest {
	ds := make([]digest.Digest, len(b.wanted))
	for i, w := range b.wanted {
		ds[i] = w.digest
	}
	return ds
}

// batches cuts a round into calls, each to the first holder of what it asks for, in a fixed order.
func batches(round []*wanted) []batch {
	slices.SortFunc(round, func(a, b *wanted) int {
		return cmp.Or(a.holders[0].Compare(b.holders[0]), cmp.Compare(a.digest, b.digest))
	})
	var out []batch
	var bytes int64
	for _, w := range round {
		size := min(cmp.Or(w.size, guessedSize), maxBatchBytes)
		last := len(out) - 1
		if last < 0 || out[last].repo != w.holders[0] || len(out[last].wanted) == MaxBatch || bytes+size > maxBatchBytes {
			out = append(out, batch{repo: w.holders[0]})
			last, bytes = last+1, 0
		}
		out[last].wanted = append(out[last].wanted, w)
		bytes += size
	}
	return out
}
