package verify

import (
	"cmp"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// look is one run.
type look struct {
	Config
	listed listings
	held   map[ref.Repository][]*document.SourceImage
	before map[ref.Repository]*document.VerifiedRepository
	images []*image
	doubts []doubt

	mu       sync.Mutex
	failures []document.Failure
	blobs    int
	done     int
}

func newLook(c Config) *look {
	l := &look{
		Config: c, listed: newListings(c.Inventory.Target),
		held:   map[ref.Repository][]*document.SourceImage{},
		before: map[ref.Repository]*document.VerifiedRepository{},
	}
	for i := range c.Inventory.Source.Images {
		s := &c.Inventory.Source.Images[i]
		l.held[s.URI] = append(l.held[s.URI], s)
	}
	if c.Previous != nil {
		for i := range c.Previous.Repositories {
			l.before[c.Previous.Repositories[i].Source] = &c.Previous.Repositories[i]
		}
	}
	return l
}

// image is one image path with what was found out about it.
type image struct {
	planned *document.PlannedImage
	listed  listing
	held    func() []map[digest.Digest]*document.SourceImage // what each of the sources holds, whatever its status

	mu       sync.Mutex
	verified []document.VerifiedTag // without a tag: a digest that has none
	digests  map[digest.Digest]bool // planned ones, found at the target
	absent   map[digest.Digest]bool // found not to be there, by a question of its own
	cases    []document.Case
}

// doubt is a reference that the listing does not show as it should be.
type doubt struct {
	image  *image
	digest digest.Digest
	tag    string // empty for a digest that has no tag
}

// compare finds the references of an image in the listing.
func (l *look) compare(planned *document.PlannedImage) {
	i := &image{
		planned: planned, listed: l.listed.at(planned.Target), held: l.holdings(planned.Sources),
		digests: map[digest.Digest]bool{}, absent: map[digest.Digest]bool{},
	}
	l.images = append(l.images, i)
	for _, r := range planned.References {
		if i.listed.digests[r.Digest] {
			i.digests[r.Digest] = true
		}
		for _, tag := range r.Tags {
			if i.listed.tags[tag] == r.Digest {
				i.found(r.Digest, tag)
			} else {
				l.doubts = append(l.doubts, doubt{i, r.Digest, tag})
			}
		}
		if len(r.Tags) > 0 {
			continue
		}
		if i.listed.digests[r.Digest] {
			i.found(r.Digest, "")
		} else {
			l.doubts = append(l.doubts, doubt{i, r.Digest, ""})
		}
	}
	i.extras()
}

// holdings are what sources hold, by digest, put together when somebody asks: most images never do.
func (l *look) holdings(sources []ref.Repository) func() []map[digest.Digest]*document.SourceImage {
	return sync.OnceValue(func() []map[digest.Digest]*document.SourceImage {
		out := make([]map[digest.Digest]*document.SourceImage, len(sources))
		for n, s := range sources {
			out[n] = make(map[digest.Digest]*document.SourceImage, len(l.held[s]))
			for _, held := range l.held[s] {
				out[n][held.Digest] = held
			}
		}
		return out
	})
}

// found notes a reference that is at the target with the right digest.
func (i *image) found(d digest.Digest, tag string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.digests[d] = true
	i.verified = append(i.verified, document.VerifiedTag{Tag: tag, Digest: d})
}

// extras notes what is only at the target. An image whose tags are looked at as such is not counted again by its
// digest.
func (i *image) extras() {
	tags := map[string]bool{}
	for _, r := range i.planned.References {
		for _, tag := range r.Tags {
			tags[tag] = true
		}
	}
	extra := func(d digest.Digest, tag string) {
		i.add(document.Case{
			Kind: document.CaseExtra, Source: i.planned.Sources[0], Tag: tag, TargetDigest: d,
			Cause: "no source holds it: it was pushed to the target, or deleted at the source since the copy",
		})
	}
	for d := range i.listed.digests {
		if !i.listed.tagged[d] && i.reference(d) == nil && i.holder(d, "") < 0 {
			extra(d, "")
		}
	}
	for tag, d := range i.listed.tags {
		if !tags[tag] && i.holder(d, tag) < 0 {
			extra(d, tag)
		}
	}
}

// reference is what the plan says of d, or nil.
func (i *image) reference(d digest.Digest) *document.PlannedReference {
	n, ok := slices.BinarySearchFunc(i.planned.References, d, func(r document.PlannedReference, d digest.Digest) int {
		return cmp.Compare(r.Digest, d)
	})
	if !ok {
		return nil
	}
	return &i.planned.References[n]
}

// holder is the first of the sources that holds d, under tag where one is given, or -1. It may hold it in an archive:
// that is refused, but not extra.
func (i *image) holder(d digest.Digest, tag string) int {
	return slices.IndexFunc(i.held(), func(held map[digest.Digest]*document.SourceImage) bool {
		s := held[d]
		return s != nil && (tag == "" || slices.Contains(s.Tags, tag))
	})
}

// source is the repository that a reference is best known by.
func (i *image) source(d digest.Digest, tag string) ref.Repository {
	if len(i.planned.Sources) == 1 {
		return i.planned.Sources[0]
	}
	if n := i.holder(d, tag); n >= 0 {
		return i.planned.Sources[n]
	}
	if r := i.reference(d); r != nil && r.Source < len(i.planned.Sources) {
		return i.planned.Sources[r.Source]
	}
	return i.planned.Sources[0]
}

// add notes a case.
func (i *image) add(c document.Case) {
	c.Target = i.planned.Target.String()
	if c.Source.Name == "" {
		c.Source = i.source(c.SourceDigest, c.Tag)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cases = append(i.cases, c)
}

// fail notes what could not be looked at.
func (l *look) fail(i *image, tag string, d digest.Digest, err error) {
	reference := "@" + d.String()
	if tag != "" {
		reference = ":" + tag
	}
	f := document.Failure{Source: i.source(d, tag).String() + reference, Target: i.planned.Target.String() + reference, Digest: d, Tag: tag}
	f.Class, f.Error, f.Hint = registry.Explain(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, f)
}

// step tells the progress.
func (l *look) step(images, blobs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done += images
	l.blobs += blobs
	if l.Progress != nil {
		l.Progress(Progress{Done: l.done, Total: len(l.images), Blobs: l.blobs})
	}
}
