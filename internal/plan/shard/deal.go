package shard

import (
	"cmp"
	"slices"
)

// deal is items on their way to shards.
type deal struct {
	items
	shard []int32    // of each item; -1 before it has one
	loads *loads     // what each shard weighs
	at    [][]holder // of each shared blob, the shards that hold it, sorted

	overlap []int64 // by shard: bytes of the item at hand that it holds already
	touched []int32 // the shards of which that is more than nothing
}

// holder is a shard with how many of its items need a blob.
type holder struct{ shard, items int32 }

func (h holder) compare(s int32) int { return cmp.Compare(h.shard, s) }

func newDeal(i items, count int) *deal {
	d := &deal{
		items: i, shard: make([]int32, len(i.list)), loads: newLoads(count),
		at: make([][]holder, len(i.sizes)), overlap: make([]int64, count),
	}
	for n := range d.shard {
		d.shard[n] = -1
	}
	return d
}

// look finds out which shards hold how much of an item. It counts what the item itself brought to its shard, too.
func (d *deal) look(i *item) {
	for _, s := range d.touched {
		d.overlap[s] = 0
	}
	d.touched = d.touched[:0]
	for _, b := range i.shared {
		for _, h := range d.at[b] {
			if d.overlap[h.shard] == 0 {
				d.touched = append(d.touched, h.shard)
			}
			d.overlap[h.shard] += d.sizes[b]
		}
	}
}

// put gives item n to a shard.
func (d *deal) put(n int, s int32) {
	i := &d.list[n]
	added := i.own
	for _, b := range i.shared {
		at, held := slices.BinarySearchFunc(d.at[b], s, holder.compare)
		if held {
			d.at[b][at].items++
			continue
		}
		d.at[b] = slices.Insert(d.at[b], at, holder{s, 1})
		added += d.sizes[b]
	}
	d.shard[n] = s
	d.loads.add(s, added)
}

// take takes item n away from its shard.
func (d *deal) take(n int) {
	i, s := &d.list[n], d.shard[n]
	removed := i.own
	for _, b := range i.shared {
		at, _ := slices.BinarySearchFunc(d.at[b], s, holder.compare)
		if d.at[b][at].items--; d.at[b][at].items > 0 {
			continue
		}
		d.at[b] = slices.Delete(d.at[b], at, at+1)
		removed += d.sizes[b]
	}
	d.shard[n] = -1
	d.loads.add(s, -removed)
}

// best is where item n, which no shard has, is to go: among the shards that it fits into, to the one that holds most of
// it, and of several to the emptiest. Where it fits nowhere, it goes where the load is least with it.
func (d *deal) best(n int, most int64) int32 {
	i := &d.list[n]
	d.look(i)
	chosen := d.loads.least()
	fits := func(s int32) bool { return d.loads.of(s)+i.weight-d.overlap[s] <= most }
	for _, s := range d.touched {
		switch better := d.better(s, chosen); {
		case fits(s) && (!fits(chosen) || better):
			chosen = s
		case !fits(s) && !fits(chosen) && d.loads.of(s)-d.overlap[s] < d.loads.of(chosen)-d.overlap[chosen]:
			chosen = s
		}
	}
	return chosen
}

// better reports whether s is rather the place for the item that was looked for than o.
func (d *deal) better(s, o int32) bool {
	switch a, b := d.overlap[s], d.overlap[o]; {
	case a != b:
		return a > b
	case d.loads.of(s) != d.loads.of(o):
		return d.loads.of(s) < d.loads.of(o)
	}
	return s < o
}

// deal gives every item to a shard.
func (d *deal) deal(most int64) {
	for n := range d.list {
		d.put(n, d.best(n, most))
	}
}

const (
	// rounds is how often all items are looked at again.
	rounds = 8
	// fewMoves is the part of the items of which so few move in a round that further ones gain little.
	fewMoves = 200
	// growth is by how many hundredths what is read may grow: no shard gets more than the least slack where less does.
	growth = 9
)

// few is up to how many shards growth is always kept; with more of them evenness is worth more.
const few = 16

// slacks are what a shard may weigh, in hundredths of the average, the fairest first. They count in whole numbers, so that
// machines of all kinds come to the same cut.
func slacks(count int) []int64 {
	switch {
	case count <= few:
		return []int64{110, 120, 135, 150, 175, 200, 250, 300, 400, 600}
	case count <= 128:
		return []int64{110, 150, 200}
	}
	return []int64{110} // what else there is to try takes long with so many
}

// refine moves items while that saves reading, or makes lighter what is too heavy.
func (d *deal) refine(slack int64) {
	for range rounds {
		moved := 0
		for n := range d.list {
			from := d.shard[n]
			d.take(n)
			to := d.best(n, d.most(slack))
			d.put(n, to)
			if to != from {
				moved++
			}
		}
		if moved <= len(d.list)/fewMoves {
			return
		}
	}
}

// most is what a shard may weigh at present: so much more than the average, or as much as the heaviest item, which some
// shard has to take anyway.
func (d *deal) most(slack int64) int64 {
	return max(d.loads.sum/int64(d.loads.count())*slack/100, d.heaviest)
}

// cost is what is to be small: what all read together, and how long the heaviest takes.
func (d *deal) cost() int64 { return d.loads.sum + int64(d.loads.count())*d.loads.heaviest() }

// dealt deals items to count shards: as evenly as it can be where what is read grows little by that, else less so. It
// begins with large clusters, which keep together what shares much, and with small ones, which are dealt more evenly.
func dealt(i items, count int) *deal {
	share := i.total / int64(count)
	large, small := i.clusters(share), i.clusters(share/8)
	var best *deal
	enough := func(clusters [][]int32, slack int64) bool {
		d := dealtIn(i, count, clusters, slack)
		grows := d.loads.sum-i.total > (i.total-i.references)/100*growth
		if best == nil || !grows || d.cost() < best.cost() {
			best = d
		}
		return !grows
	}
	for _, slack := range slacks(count) {
		if enough(large, slack) || enough(small, slack) {
			return best
		}
	}
	if count <= few {
		enough(i.clusters(i.total), 200*few) // whatever shares anything stays together, however much that is
	}
	return best
}

// dealtIn deals clusters of items, then moves the items one by one.
func dealtIn(i items, count int, clusters [][]int32, slack int64) *deal {
	coarse := newDeal(i.merged(clusters), count)
	coarse.deal(max(i.heaviest, i.total/int64(count)*slack/100*slack/100))
	coarse.refine(slack)
	d := newDeal(i, count)
	for n, s := range coarse.shard {
		for _, member := range clusters[n] {
			d.put(int(member), s)
		}
	}
	d.refine(slack)
	return d
}
