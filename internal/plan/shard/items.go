package shard

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/registry"
)

// referenceCost is what an image weighs beside its bytes: the requests that it takes whatever its size, in the bytes
// that come in the same time. Without it a shard of many small images would get them all.
const referenceCost = 64 << 10

// item is what is dealt out whole.
type item struct {
	image      int32   // position in the plan's Images
	references []int32 // positions in the image's References, sorted by digest
	own        int64   // what it weighs beside its shared blobs: the bytes that no other item needs, and referenceCost
	shared     []int32 // numbers of the blobs that others need too
	weight     int64   // of all of it
}

// items is a plan as it is dealt.
type items struct {
	list       []item    // the heaviest first
	sizes      []int64   // of the shared blobs, by number
	pins       [][]int32 // the items that need each, in their order
	total      int64     // what all weigh, each blob once
	references int64     // what of that is for references, not for bytes
	heaviest   int64     // what the heaviest item weighs
}

// sorter makes items of a plan.
type sorter struct {
	plan     document.Plan
	contents [][]int32 // of each image, the positions of its references in the plan's Manifests; -1 where that has none
	hosts    map[string]int32
	stamps   []int32 // by host and blob: the last number by which it was counted
	stamp    int32
}

func newItems(p document.Plan, count int) items {
	s := &sorter{plan: p, contents: make([][]int32, len(p.Images)), hosts: map[string]int32{}}
	manifests := make(map[digest.Digest]int32, len(p.Manifests))
	for n := range p.Manifests {
		manifests[p.Manifests[n].Digest] = int32(n)
	}
	for n := range p.Images {
		s.contents[n] = make([]int32, len(p.Images[n].References))
		for r := range p.Images[n].References {
			s.contents[n][r] = -1
			if m, ok := manifests[p.Images[n].References[r].Digest]; ok {
				s.contents[n][r] = m
			}
		}
		host := p.Images[n].Target.Repository.Host()
		if _, ok := s.hosts[host]; !ok {
			s.hosts[host] = int32(len(s.hosts))
		}
	}
	s.stamps = make([]int32, len(s.hosts)*len(p.Blobs))
	return s.items(count)
}

// items makes one item of each image path, or one of each family where the path is heavier than a share.
func (s *sorter) items(count int) items {
	all := make([][]int32, len(s.plan.Images))
	var total int64
	s.stamp++
	for n := range s.plan.Images {
		all[n] = make([]int32, len(s.plan.Images[n].References))
		for r := range all[n] {
			all[n][r] = int32(r)
		}
		total += s.weigh(n, all[n], nil)
	}
	share := total / int64(count)
	var out items
	blobs := [][]int32{} // of each item, by host and blob
	add := func(image int, references []int32) {
		s.stamp++
		var mine []int32
		weight := s.weigh(image, references, &mine)
		out.list = append(out.list, item{image: int32(image), references: references, weight: weight})
		blobs = append(blobs, mine)
	}
	for n := range s.plan.Images {
		s.stamp++
		if count == 1 || s.weigh(n, all[n], nil) <= share {
			add(n, all[n])
			continue
		}
		for _, family := range s.families(n) {
			add(n, family)
		}
	}
	order := s.order(out.list)
	sorted := items{list: make([]item, 0, len(order))}
	sortedBlobs := make([][]int32, 0, len(order))
	for _, n := range order {
		sorted.list = append(sorted.list, out.list[n])
		sortedBlobs = append(sortedBlobs, blobs[n])
	}
	s.share(&sorted, sortedBlobs)
	if len(sorted.list) > 0 {
		sorted.heaviest = sorted.list[0].weight
	}
	return sorted
}

// weigh adds up what references of an image weigh, without what was counted under the present stamp already. Where blobs
// is not nil, it takes them.
func (s *sorter) weigh(image int, references []int32, blobs *[]int32) int64 {
	planned := &s.plan.Images[image]
	offset := s.hosts[planned.Target.Repository.Host()] * int32(len(s.plan.Blobs))
	weight := int64(len(references)) * referenceCost
	for _, r := range references {
		m := s.contents[image][r]
		if m < 0 {
			continue
		}
		for _, b := range s.plan.Manifests[m].Blobs {
			if b < 0 || b >= len(s.plan.Blobs) {
				continue // the plan is damaged
			}
			at := offset + int32(b)
			if s.stamps[at] == s.stamp {
				continue
			}
			s.stamps[at] = s.stamp
			weight += s.plan.Blobs[b].Size
			if blobs != nil {
				*blobs = append(*blobs, at)
			}
		}
	}
	return weight
}

// share parts the blobs of each item into its own and those that others need too. What the same items need counts as one
// blob. The numbers follow from the order of the items, not from that of the plan.
func (s *sorter) share(out *items, blobs [][]int32) {
	pins := make([]int32, len(s.stamps))
	for _, mine := range blobs {
		for _, b := range mine {
			pins[b]++
		}
	}
	numbers := s.stamps // no longer needed
	clear(numbers)
	var all []sharedBlob
	for n := range out.list {
		i := &out.list[n]
		i.own = int64(len(i.references)) * referenceCost
		out.references += i.own
		for _, b := range blobs[n] {
			size := s.plan.Blobs[int(b)%len(s.plan.Blobs)].Size
			if pins[b] == 1 {
				i.own += size
				continue
			}
			if numbers[b] == 0 {
				all = append(all, sharedBlob{size: size, items: make([]int32, 0, pins[b])})
				numbers[b] = int32(len(all))
			}
			at := &all[numbers[b]-1]
			at.items = append(at.items, int32(n))
		}
		out.total += i.own
	}
	slices.SortFunc(all, func(a, b sharedBlob) int { return slices.Compare(a.items, b.items) })
	for n := range all {
		out.total += all[n].size
		if last := len(out.pins) - 1; last >= 0 && slices.Equal(out.pins[last], all[n].items) {
			out.sizes[last] += all[n].size
			continue
		}
		for _, i := range all[n].items {
			out.list[i].shared = append(out.list[i].shared, int32(len(out.pins)))
		}
		out.pins = append(out.pins, all[n].items)
		out.sizes = append(out.sizes, all[n].size)
	}
}

// sharedBlob is a blob that several items need.
type sharedBlob struct {
	size  int64
	items []int32
}

// order is the positions of the heaviest first, and those of one weight in an order that is the same in whatever order
// the plan lists things.
func (s *sorter) order(list []item) []int32 {
	first := func(i *item) digest.Digest {
		if len(i.references) == 0 {
			return ""
		}
		return s.plan.Images[i.image].References[i.references[0]].Digest
	}
	order := make([]int32, len(list))
	for n := range order {
		order[n] = int32(n)
	}
	slices.SortFunc(order, func(x, y int32) int {
		a, b := &list[x], &list[y]
		return cmp.Or(
			cmp.Compare(b.weight, a.weight),
			s.plan.Images[a.image].Target.Compare(s.plan.Images[b.image].Target),
			cmp.Compare(first(a), first(b)),
		)
	})
	return order
}

// families parts the references of an image by what has to stay together, each sorted by digest.
func (s *sorter) families(image int) [][]int32 {
	references := s.plan.Images[image].References
	at := make(map[digest.Digest]int32, len(references))
	order := make([]int32, len(references))
	for r := range references {
		order[r] = int32(r)
		at[references[r].Digest] = int32(r)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(references[a].Digest, references[b].Digest) })
	heads := slices.Clone(order)
	for r := range heads {
		heads[r] = int32(r)
	}
	head := func(r int32) int32 {
		for heads[r] != r {
			heads[r] = heads[heads[r]]
			r = heads[r]
		}
		return r
	}
	join := func(r int32, d digest.Digest) {
		if other, ok := at[d]; ok && d != "" {
			heads[head(r)] = head(other)
		}
	}
	for r := range references {
		r := int32(r)
		if m := s.contents[image][r]; m >= 0 {
			join(r, s.plan.Manifests[m].Subject)
			for _, child := range s.plan.Manifests[m].Children {
				join(r, child)
			}
		}
		for _, tag := range references[r].Tags {
			if subject, ok := registry.SubjectOfTag(tag); ok {
				join(r, subject)
			}
		}
	}
	family := map[int32]int{}
	var out [][]int32
	for _, r := range order {
		n, ok := family[head(r)]
		if !ok {
			n = len(out)
			family[head(r)] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], r)
	}
	return out
}
