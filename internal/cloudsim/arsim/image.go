package arsim

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

// image is one image path (a package) of a repository. Its content is in store; around it is what only listings show.
type image struct {
	store   *store.Repository
	created time.Time

	mu     sync.Mutex
	writes map[string]tagWrite         // the last write of each tag that there ever was
	moved  map[digest.Digest]time.Time // when a tag last came to or left a version
}

// tagWrite is a tag's last write: when, and where the tag was before, "" for nowhere.
type tagWrite struct {
	at       time.Time
	previous digest.Digest
}

func newImage(now time.Time) *image {
	return &image{
		store: store.NewRepository(), created: now,
		writes: map[string]tagWrite{}, moved: map[digest.Digest]time.Time{},
	}
}

// setTag points tag at d.
func (i *image) setTag(tag string, d digest.Digest, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	previous, _ := i.store.TagDigest(tag)
	if previous == d {
		return
	}
	i.store.Tag(tag, d)
	i.writes[tag] = tagWrite{now, previous}
	i.moved[d] = now
	if previous != "" {
		i.moved[previous] = now
	}
}

// deleteTag removes tag and reports whether it was there.
func (i *image) deleteTag(tag string, now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	previous, ok := i.store.TagDigest(tag)
	if !ok {
		return false
	}
	i.store.Untag(tag)
	i.writes[tag] = tagWrite{now, previous}
	i.moved[previous] = now
	return true
}

// updated returns when a version last changed: its push, or a tag's coming or going.
func (i *image) updated(m store.Manifest) time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	if at := i.moved[m.Digest]; at.After(m.PushedAt) {
		return at
	}
	return m.PushedAt
}

// listing is an image as listings show it: without what was written after horizon.
type listing struct {
	versions []store.Manifest // by digest
	tags     map[string]digest.Digest
}

// listing returns the image as it was at horizon, as far as that is known: a version that was deleted since is gone,
// and of several moves of a tag only the last is taken back.
func (i *image) listing(horizon time.Time) listing {
	i.mu.Lock()
	defer i.mu.Unlock()
	l := listing{tags: map[string]digest.Digest{}}
	for _, m := range i.store.Manifests() {
		if !m.PushedAt.After(horizon) {
			l.versions = append(l.versions, m)
		}
	}
	for d, tags := range i.store.TagsByDigest() {
		for _, tag := range tags {
			l.tags[tag] = d
		}
	}
	for tag, w := range i.writes {
		if !w.at.After(horizon) {
			continue
		}
		if w.previous == "" {
			delete(l.tags, tag)
		} else {
			l.tags[tag] = w.previous
		}
	}
	return l
}

// tagNames returns all tags, sorted.
func (l listing) tagNames() []string { return slices.Sorted(maps.Keys(l.tags)) }

// byDigest returns each digest's tags, sorted.
func (l listing) byDigest() map[digest.Digest][]string {
	out := map[digest.Digest][]string{}
	for _, tag := range l.tagNames() {
		out[l.tags[tag]] = append(out[l.tags[tag]], tag)
	}
	return out
}

// horizon is up to when listings show writes.
func (c *Cloud) horizon() time.Time { return c.now().Add(-c.opts.ListingLag) }
