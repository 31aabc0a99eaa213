// Package shard cuts a plan into parts for several machines. It is pure: every worker makes the cut by itself from the
// plan that it was given, and all get the same one, so nothing but the plan has to be shared.
//
// Vocabulary: a family is what has to stay together at one image path: an index with its children, a subject with its
// referrers and sha256-* tags. An item is what is dealt out: an image path, or a family of one that is larger than a
// machine's share. A blob is shared when several items need it; each shard that gets one of them reads it from ECR. The
// cost of a cut is what is read so more than once, and is kept low while no shard gets much more than its share.
//
//	plan.json ─→ families ─→ items ─→ dealt to where most of their bytes are ─→ moved while that saves reading ─→ Cut
package shard

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// Cut says which shard each image of a plan belongs to.
type Cut struct {
	count int
	whole map[ref.Repository]int32 // of source repositories that are in one shard
	parts map[place]int32          // of the images of the others
	loads []Load
	total Load // of one that does all
	plan  digest.Digest
}

// place is one image of a source repository.
type place struct {
	source ref.Repository
	digest digest.Digest
}

// Load is what a shard has to do at most, with nothing at the target.
type Load struct {
	References int   // images at their image paths
	Bytes      int64 // of blobs, to be read from ECR once for each target host
}

// Make cuts p into count shards, which must be at least 1. The same plan gives the same cut, in whatever order it lists
// things, and whatever the target held when it was made. Memory is some 100 bytes for each blob that an image path has.
func Make(p document.Plan, count int) *Cut {
	c := &Cut{count: count, whole: map[ref.Repository]int32{}, parts: map[place]int32{}, loads: make([]Load, count), plan: Digest(p)}
	d := dealt(newItems(p, count), count)
	c.record(p, d)
	return c
}

// Of is the shard, from 0, that an image belongs to; -1 where the plan does not have it.
func (c *Cut) Of(source ref.Repository, d digest.Digest) int {
	if s, ok := c.whole[source]; ok {
		return int(s)
	}
	if s, ok := c.parts[place{source, d}]; ok {
		return int(s)
	}
	return -1
}

// Count is how many shards there are.
func (c *Cut) Count() int { return c.count }

// Loads are what each shard has to do, by its number.
func (c *Cut) Loads() []Load { return c.loads }

// Growth is how many bytes are read from ECR for each one that a single machine would read; 1 is the least.
func (c *Cut) Growth() float64 {
	if c.total.Bytes == 0 {
		return 1
	}
	var sum int64
	for _, l := range c.loads {
		sum += l.Bytes
	}
	return float64(sum) / float64(c.total.Bytes)
}

// Plan is the digest of what was cut: see Digest.
func (c *Cut) Plan() digest.Digest { return c.plan }

// record takes over how the items were dealt.
func (c *Cut) record(p document.Plan, d *deal) {
	first := make([]int32, len(p.Images)) // the shard of an image path's first item, and whether there are others
	split := make([]bool, len(p.Images))
	for n := range first {
		first[n] = -1
	}
	for n := range d.list {
		i := &d.list[n]
		s := d.shard[n]
		split[i.image] = split[i.image] || first[i.image] >= 0 && first[i.image] != s
		first[i.image] = s
		c.loads[s].References += len(i.references)
		c.total.References += len(i.references)
	}
	for n := range d.list {
		i := &d.list[n]
		image := &p.Images[i.image]
		for _, r := range i.references {
			source := sourceOf(image, int(r))
			if split[i.image] {
				c.parts[place{source, image.References[r].Digest}] = d.shard[n]
			} else {
				c.whole[source] = d.shard[n]
			}
		}
	}
	for s := range c.loads {
		c.loads[s].Bytes = d.loads.of(int32(s)) - int64(c.loads[s].References)*referenceCost
	}
	c.total.Bytes = d.total - d.references
}

// sourceOf is the repository that holds a reference; the zero value where the plan is damaged.
func sourceOf(image *document.PlannedImage, reference int) ref.Repository {
	if n := image.References[reference].Source; n >= 0 && n < len(image.Sources) {
		return image.Sources[n]
	}
	return ref.Repository{}
}

// Digest is of what a plan wants at the target: the images, their tags and where each comes from. Plans with the same one
// are cut alike. What the target held at planning time does not count, nor the order in which the plan lists things.
func Digest(p document.Plan) digest.Digest {
	images := make([]int, len(p.Images))
	for n := range images {
		images[n] = n
	}
	slices.SortFunc(images, func(a, b int) int { return p.Images[a].Target.Compare(p.Images[b].Target) })
	h := sha256.New()
	write := func(s string) { _, _ = io.WriteString(h, s+"\n") }
	for _, n := range images {
		image := &p.Images[n]
		write("image " + image.Target.String())
		lines := make([]string, 0, len(image.References))
		for r := range image.References {
			tags := slices.Clone(image.References[r].Tags)
			slices.Sort(tags)
			lines = append(lines, fmt.Sprintf("%s %s %q", image.References[r].Digest, sourceOf(image, r), tags))
		}
		slices.Sort(lines)
		for _, line := range lines {
			write(line)
		}
	}
	return digest.NewDigest(digest.SHA256, h)
}
