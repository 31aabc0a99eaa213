package transfer

import (
	"context"
	"slices"
	"sync/atomic"
)

// What is promised of Config.First: the units of the first ones, with all that they need and that describes them, are
// started before any other, in their order, and their manifests are read first. It is no barrier. Where too few of them
// are left to keep the governors busy, as when one large layer is still on its way, others begin; but until the first ones
// are done, no more than maxBeside requests that write for the others are under way or wait for a slot at any time, so
// that none of the first ones stands behind a queue of theirs. What others had begun is not interrupted: a layer that both
// need is waited for.

// maxBeside is how many blobs and manifests of the rest may be on their way while the first ones are not done: enough
// for the wait for the last of the first ones not to be idle.
const maxBeside = 8

// rankNodes gives each node that Config.First names, and all that belongs to it, its rank.
func (e *engine) rankNodes() {
	if e.First == nil {
		return
	}
	for _, p := range e.places {
		for _, n := range p.order {
			if rank := e.First(p.planned.Target, n.manifest.Digest); rank > 0 {
				n.named = true
				n.rankAs(rank)
			}
		}
	}
}

// rankAs gives n and what belongs to it the rank, unless they have a better one.
func (n *node) rankAs(rank int) {
	if n.rank > 0 && n.rank <= rank {
		return
	}
	n.rank = rank
	for _, d := range n.manifest.Children {
		if child := n.place.nodes[d]; child != nil {
			child.rankAs(rank)
		}
	}
	for _, d := range n.describers {
		d.rankAs(rank)
	}
}

// inOrder sorts units by rank, those without one last, and makes the gate for those.
func (e *engine) inOrder(units []*node) {
	first := 0
	for _, n := range units {
		if n.rank > 0 {
			first++
		}
	}
	if first == 0 {
		return
	}
	slices.SortStableFunc(units, func(a, b *node) int {
		switch {
		case a.rank == b.rank:
			return 0
		case b.rank == 0 || a.rank > 0 && a.rank < b.rank:
			return -1
		}
		return 1
	})
	e.gate = &gate{open: make(chan struct{}), beside: make(chan struct{}, maxBeside)}
	e.gate.left.Store(int64(first))
}

// gate lets the rest do little until the first ones are done. A nil gate is open.
type gate struct {
	left   atomic.Int64 // units of the first ones that are not done
	open   chan struct{}
	beside chan struct{}
}

// done counts a unit that is done.
func (g *gate) done(n *node) {
	if g != nil && n.rank > 0 && g.left.Add(-1) == 0 {
		close(g.open)
	}
}

// pass waits until n may send something that writes; leave must be called when that is done. Nobody who has passed waits
// for somebody who has not, and nobody passes twice at a time.
func (g *gate) pass(ctx context.Context, n *node) (leave func(), err error) {
	if g == nil || n.rank > 0 {
		return func() {}, nil
	}
	select {
	case <-g.open: // even where there is room beside
		return func() {}, nil
	default:
	}
	select {
	case <-g.open:
		return func() {}, nil
	case g.beside <- struct{}{}:
		return func() { <-g.beside }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
