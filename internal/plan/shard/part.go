package shard

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"transship/internal/ref"
)

// Part is one of Count shards, of which Index, from 0, is the number. The zero value is no shard: the whole.
type Part struct {
	Index int
	Count int
}

// MaxCount is how many shards there may be: as many as Cloud Run and AWS Batch start. FACTS D.
const MaxCount = 10_000

// Whole reports whether p is no shard.
func (p Part) Whole() bool { return p.Count == 0 }

// String is how --shard says it: I/N.
func (p Part) String() string { return fmt.Sprintf("%d/%d", p.Index, p.Count) }

// Parse reads I/N. The error says what is wrong with the text, without repeating it.
func Parse(text string) (Part, error) {
	index, count, found := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, countErr := strconv.Atoi(count)
	if !found || err != nil || countErr != nil {
		return Part{}, errors.New("want I/N, such as 0/8 for the first of eight")
	}
	p := Part{Index: i, Count: n}
	return p, p.Check()
}

// Check says why there is no such shard, or nothing.
func (p Part) Check() error {
	switch {
	case p.Count < 1 || p.Count > MaxCount:
		return fmt.Errorf("there can be 1 to %d shards, not %d", MaxCount, p.Count)
	case p.Index < 0 || p.Index >= p.Count:
		return fmt.Errorf("there is no shard %d of %d: they are counted from 0 to %d", p.Index, p.Count, p.Count-1)
	}
	return nil
}

// HasName reports whether an image path is p's where its name alone decides. Cut follows what a plan holds, so workers
// must have the same plan. Those who each look for themselves, at moments of their own, and go on for ever agree by this
// instead: no push moves anything from one to another. It is even in numbers, not in bytes. The whole has every name.
func (p Part) HasName(t ref.TargetImage) bool {
	if p.Count <= 1 {
		return true
	}
	sum := sha256.Sum256([]byte(t.String()))
	return binary.BigEndian.Uint64(sum[:8])%uint64(p.Count) == uint64(p.Index)
}
