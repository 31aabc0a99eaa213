// Package store is the storage under the embedded clouds: content by digest, and repositories that name some of it.
//
// Vocabulary: a Blob is bytes of a known size that can be read at any offset; a Manifest is a small blob with a media
// type and a push time; a Repository holds manifests, tags and the digests of the blobs that it may serve. Everything
// is kept in memory and safe for concurrent use. The store knows nothing of either cloud's rules: those live with the
// servers that use it.
package store

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// Blob is content of a known size. A *bytes.Reader is one; a large generated blob need not be in memory at all.
type Blob interface {
	io.ReaderAt
	Size() int64
}

// BytesBlob returns b as a Blob without copying it.
func BytesBlob(b []byte) Blob { return bytes.NewReader(b) }

// Manifest is one stored manifest, exactly as it was pushed.
type Manifest struct {
	Digest    digest.Digest
	MediaType string
	Bytes     []byte
	PushedAt  time.Time
}

// Repository is one repository's content. The zero value is not usable: call NewRepository.
type Repository struct {
	mu        sync.RWMutex
	manifests map[digest.Digest]Manifest
	tags      map[string]digest.Digest
	blobs     map[digest.Digest]Blob
}

// NewRepository returns an empty repository.
func NewRepository() *Repository {
	return &Repository{
		manifests: map[digest.Digest]Manifest{},
		tags:      map[string]digest.Digest{},
		blobs:     map[digest.Digest]Blob{},
	}
}

// PutBlob makes b available under d. It does not check that d is b's digest: a corrupt blob is a thing to test with.
func (r *Repository) PutBlob(d digest.Digest, b Blob) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blobs[d] = b
}

// Blob returns the blob d, and whether there is one.
func (r *Repository) Blob(d digest.Digest) (Blob, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	b, ok := r.blobs[d]
	return b, ok
}

// DeleteBlob forgets the blob d.
func (r *Repository) DeleteBlob(d digest.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.blobs, d)
}

// PutManifest stores m. A manifest that is there already keeps its first push time.
func (r *Repository) PutManifest(m Manifest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.manifests[m.Digest]; ok {
		m.PushedAt = old.PushedAt
	}
	r.manifests[m.Digest] = m
}

// SetPushedAt changes the push time of the manifest d, and reports whether it was there.
func (r *Repository) SetPushedAt(d digest.Digest, t time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.manifests[d]
	if ok {
		m.PushedAt = t
		r.manifests[d] = m
	}
	return ok
}

// Tag points tag at d, which need not be there.
func (r *Repository) Tag(tag string, d digest.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags[tag] = d
}

// Untag removes tag and reports whether it was there.
func (r *Repository) Untag(tag string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.tags[tag]
	delete(r.tags, tag)
	return ok
}

// DeleteManifest removes the manifest d and all tags that point at it, and reports whether it was there.
func (r *Repository) DeleteManifest(d digest.Digest) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.manifests[d]
	delete(r.manifests, d)
	maps.DeleteFunc(r.tags, func(_ string, at digest.Digest) bool { return at == d })
	return ok
}

// Manifest returns the manifest that has the digest d.
func (r *Repository) Manifest(d digest.Digest) (Manifest, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	m, ok := r.manifests[d]
	return m, ok
}

// Resolve returns the manifest that reference, a tag or a digest, names.
func (r *Repository) Resolve(reference string) (Manifest, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d, ok := r.tags[reference]
	if !ok {
		d = digest.Digest(reference)
	}
	m, ok := r.manifests[d]
	return m, ok
}

// TagDigest returns what tag points at.
func (r *Repository) TagDigest(tag string) (digest.Digest, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d, ok := r.tags[tag]
	return d, ok
}

// Tags returns all tags, sorted.
func (r *Repository) Tags() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.tags))
}

// TagsByDigest returns each tagged digest with its tags, sorted.
func (r *Repository) TagsByDigest() map[digest.Digest][]string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make(map[digest.Digest][]string, len(r.tags))
	for tag, d := range r.tags {
		out[d] = append(out[d], tag)
	}
	for _, tags := range out {
		sort.Strings(tags)
	}
	return out
}

// TagCount returns how many tags point at d.
func (r *Repository) TagCount(d digest.Digest) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := 0
	for _, at := range r.tags {
		if at == d {
			n++
		}
	}
	return n
}

// Manifests returns all manifests, sorted by digest.
func (r *Repository) Manifests() []Manifest {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.SortedFunc(maps.Values(r.manifests), func(a, b Manifest) int {
		return bytes.Compare([]byte(a.Digest), []byte(b.Digest))
	})
}

// Blobs returns the digests of all blobs, sorted.
func (r *Repository) Blobs() []digest.Digest {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.blobs))
}
