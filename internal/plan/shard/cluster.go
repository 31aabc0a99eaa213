package shard

import (
	"cmp"
	"slices"
)

// clusters puts items together that share much, as long as they weigh no more than most together: first those that need
// the blobs whose second reading would cost most. It returns the clusters, each with its items, the heaviest first.
func (i items) clusters(most int64) [][]int32 {
	c := clustering{
		items: i, heads: make([]int32, len(i.list)), weights: make([]int64, len(i.list)), blobs: make([][]int32, len(i.list)),
		marks: newMarks(len(i.sizes)),
	}
	for n := range i.list {
		c.heads[n], c.weights[n], c.blobs[n] = int32(n), i.list[n].weight, slices.Clip(i.list[n].shared)
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
	blobs   [][]int32 // of the cluster of each head
	marks   marks     // of the cluster that grows
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
		if open < 0 {
			open = h
			c.marks.begin(c.blobs[open])
		}
		if h == open {
			continue
		}
		weight := c.weights[open] + c.weights[h]
		for _, b := range c.blobs[h] {
			if c.marks.has(b) {
				weight -= c.sizes[b]
			}
		}
		if weight > most {
			if c.weights[h] < c.weights[open] {
				open = h
				c.marks.begin(c.blobs[open])
			}
			continue
		}
		for _, b := range c.blobs[h] {
			if c.marks.add(b) {
				c.blobs[open] = append(c.blobs[open], b)
			}
		}
		c.heads[h], c.weights[open], c.blobs[h] = open, weight, nil
	}
}

// marks is a set of blobs, which is emptied at no cost.
type marks struct {
	at  []int32 // by blob: the last set that it was in
	now int32
}

func newMarks(blobs int) marks { return marks{at: make([]int32, blobs)} }

// begin makes it the set of the blobs.
func (m *marks) begin(blobs []int32) {
	m.now++
	for _, b := range blobs {
		m.at[b] = m.now
	}
}

func (m *marks) has(b int32) bool { return m.at[b] == m.now }

// add reports whether b is new.
func (m *marks) add(b int32) bool {
	if m.at[b] == m.now {
		return false
	}
	m.at[b] = m.now
	return true
}

// merged are clusters as items.
func (i items) merged(clusters [][]int32) items {
	out := items{sizes: i.sizes, total: i.total, heaviest: i.heaviest, list: make([]item, len(clusters))}
	seen := newMarks(len(i.sizes))
	for n, members := range clusters {
		m := &out.list[n]
		seen.begin(nil)
		for _, k := range members {
			m.own += i.list[k].own
			for _, b := range i.list[k].shared {
				if seen.add(b) {
					m.shared = append(m.shared, b)
					m.weight += i.sizes[b]
				}
			}
		}
		m.weight += m.own
	}
	return out
}
