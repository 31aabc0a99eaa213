package shard

import (
	"cmp"
	"slices"
)

// clusters puts items together that share much, as long as they weigh no more than most together: first those that need
// the blobs whose second reading would cost most. It returns the clusters, each with its items, the heaviest first.
func (i items) clusters(most int64) [][]int32 {
	c := clustering{items: i, heads: make([]int32, len(i.list)), weights: make([]int64, len(i.list)), blobs: make([][]int32, len(i.list))}
	for n := range i.list {
		c.heads[n], c.weights[n], c.blobs[n] = int32(n), i.list[n].weight, i.list[n].shared
	}
	order := make([]int32, len(i.sizes))
	for n := range order {
		order[n] = int32(n)
	}
	worth := func(b int32) int64 { return i.sizes[b] * int64(len(i.pins[b])-1) }
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(worth(b), worth(a)), cmp.Compare(a, b)) })
	for _, b := range order {
		c.gather(i.pins[b], most)
	}
	groups := map[int32][]int32{}
	var found []int32
	for n := range i.list {
		h := c.head(int32(n))
		if groups[h] == nil {
			found = append(found, h)
		}
		groups[h] = append(groups[h], int32(n))
	}
	slices.SortFunc(found, func(a, b int32) int { return cmp.Or(cmp.Compare(c.weights[b], c.weights[a]), cmp.Compare(a, b)) })
	out := make([][]int32, 0, len(found))
	for _, h := range found {
		out = append(out, groups[h])
	}
	return out
}

type clustering struct {
	items
	heads   []int32
	weights []int64
	blobs   [][]int32 // of the cluster of each head, sorted
}

func (c *clustering) head(n int32) int32 {
	for c.heads[n] != n {
		c.heads[n] = c.heads[c.heads[n]]
		n = c.heads[n]
	}
	return n
}

// gather joins the clusters of items that need one blob, one after the other, beginning anew whenever one is full.
func (c *clustering) gather(pins []int32, most int64) {
	open := int32(-1)
	for _, n := range pins {
		h := c.head(n)
		switch {
		case open < 0:
			open = h
		case h == open:
		default:
			both := union(c.blobs[open], c.blobs[h])
			weight := c.weights[open] + c.weights[h]
			for _, b := range both.common {
				weight -= c.sizes[b]
			}
			if weight > most {
				if c.weights[h] < c.weights[open] {
					open = h
				}
				continue
			}
			c.heads[h], c.weights[open], c.blobs[open], c.blobs[h] = open, weight, both.all, nil
		}
	}
}

type joined struct{ all, common []int32 }

func union(a, b []int32) joined {
	out := joined{all: make([]int32, 0, len(a)+len(b))}
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out.all, a = append(out.all, a[0]), a[1:]
		case a[0] > b[0]:
			out.all, b = append(out.all, b[0]), b[1:]
		default:
			out.all, out.common = append(out.all, a[0]), append(out.common, a[0])
			a, b = a[1:], b[1:]
		}
	}
	out.all = append(append(out.all, a...), b...)
	return out
}

// merged are clusters as items; their references are the items that they hold.
func (i items) merged(groups [][]int32) items {
	out := items{sizes: i.sizes, total: i.total, list: make([]item, len(groups))}
	for n, members := range groups {
		m := item{references: members}
		for _, k := range members {
			m.own += i.list[k].own
			m.shared = union(m.shared, i.list[k].shared).all
		}
		m.weight = m.own
		for _, b := range m.shared {
			m.weight += i.sizes[b]
		}
		out.list[n] = m
	}
	return out
}
