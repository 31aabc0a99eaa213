package shard

import "slices"

// loads are what shards weigh, with the least of them at hand.
type loads struct {
	sum   int64
	leafs int     // a power of two, at least the number of shards
	tree  []int32 // the shard with the least load below each node; leaf n is at leafs+n; -1 for none
	load  []int64
}

func newLoads(count int) *loads {
	l := &loads{leafs: 1, load: make([]int64, count)}
	for l.leafs < count {
		l.leafs *= 2
	}
	l.tree = make([]int32, 2*l.leafs)
	for n := range l.leafs {
		l.tree[l.leafs+n] = -1
		if n < count {
			l.tree[l.leafs+n] = int32(n)
		}
	}
	for n := l.leafs - 1; n > 0; n-- {
		l.choose(n)
	}
	return l
}

// choose finds the least below node n, of equal ones the first.
func (l *loads) choose(n int) {
	left, right := l.tree[2*n], l.tree[2*n+1]
	l.tree[n] = left
	if left < 0 || right >= 0 && l.load[right] < l.load[left] {
		l.tree[n] = right
	}
}

// of is what a shard weighs.
func (l *loads) of(s int32) int64 { return l.load[s] }

// least is the lightest shard, of equal ones the first.
func (l *loads) least() int32 { return l.tree[1] }

// count is how many shards there are.
func (l *loads) count() int { return len(l.load) }

// heaviest is what the heaviest shard weighs.
func (l *loads) heaviest() int64 { return slices.Max(l.load) }

// add changes what a shard weighs.
func (l *loads) add(s int32, weight int64) {
	l.load[s] += weight
	l.sum += weight
	for n := (l.leafs + int(s)) / 2; n > 0; n /= 2 {
		l.choose(n)
	}
}
