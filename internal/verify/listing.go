package verify

import (
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// listings is what the target's listing shows.
type listings struct {
	repositories map[ref.TargetRepository]bool
	images       map[ref.TargetImage]listing
}

// listing is what it shows of one image path.
type listing struct {
	exists  bool // its repository does
	digests map[digest.Digest]bool
	tags    map[string]digest.Digest
	tagged  map[digest.Digest]bool
}

func newListings(inv document.TargetInventory) listings {
	ls := listings{repositories: map[ref.TargetRepository]bool{}, images: map[ref.TargetImage]listing{}}
	for _, r := range inv.Repositories {
		ls.repositories[r.URI] = true
	}
	for i := range inv.Images {
		image := &inv.Images[i]
		l, ok := ls.images[image.URI]
		if !ok {
			l = listing{digests: map[digest.Digest]bool{}, tags: map[string]digest.Digest{}, tagged: map[digest.Digest]bool{}}
			ls.images[image.URI] = l
		}
		l.digests[image.Digest] = true
		for _, tag := range image.Tags {
			l.tags[tag] = image.Digest
			l.tagged[image.Digest] = true
		}
	}
	return ls
}

func (ls listings) at(t ref.TargetImage) listing {
	l := ls.images[t]
	l.exists = ls.repositories[t.Repository] || l.digests != nil
	return l
}
