// Package need says what it takes to bring a corpus from ECR to Artifact Registry, whoever does it.
//
// Vocabulary: a unique blob is one digest, wherever it is needed; a place is a repository that needs a blob, so that a
// blob has as many places as repositories need it, the first of which gets the upload and the further ones a mount; a
// reference is a tag, or a digest that must be written without one; a page is one request of an inventory.
//
//	Corpus ─┬─ Of ──── Formula: the fewest requests
//	        └─ Plan ── limit.Plan: what the bare minimum client is told beforehand
//
// The formula is computed from the corpus and not from the plan, so that a test can hold the one to the other.
package need

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/corpus"
)

// pageSize is the longest page of both inventories.
const pageSize = 1000

// Formula is the fewest requests that a corpus can be copied with into an empty target.
type Formula struct {
	Unique     int   // U: unique blobs, each read with two requests (ECR, then S3) and written with two
	Further    int   // P: further places where a blob is needed: a mount each
	References int   // R: tags, and digests without a tag: a PUT each
	Pages      int   // of the two inventories
	Bytes      int64 // of the unique blobs: what must leave ECR
	Manifests  int   // at all places
	Tags       int
}

// Requests is all of them.
func (f Formula) Requests() int { return 4*f.Unique + f.Further + f.References + f.Pages }

// Writes are those that count as writes at the target.
func (f Formula) Writes() int { return 2*f.Unique + f.Further + f.References }

// String shows the sum.
func (f Formula) String() string {
	return fmt.Sprintf("2·%d + 2·%d + %d + %d + %d = %d", f.Unique, f.Unique, f.Further, f.References, f.Pages, f.Requests())
}

// Of computes the formula of a corpus. Archived images stay behind, as ECR does not serve them; they are listed all the
// same.
func Of(c *corpus.Corpus) (Formula, error) {
	f := Formula{Pages: pages(len(c.Repositories)) + 1} // the target is empty: one page says so
	seen := map[digest.Digest]bool{}
	for _, repo := range c.Repositories {
		f.Pages += pages(len(repo.Images))
		here := map[digest.Digest]int64{}
		for _, img := range repo.Images {
			if img.Archived {
				continue
			}
			f.Manifests++
			f.Tags += len(img.Tags)
			f.References += max(1, len(img.Tags))
			parsed, err := parse(img)
			if err != nil {
				return Formula{}, err
			}
			for d, size := range parsed.sizes() {
				here[d] = size
			}
		}
		for d, size := range here {
			if seen[d] {
				f.Further++
				continue
			}
			seen[d] = true
			f.Unique++
			f.Bytes += size
		}
	}
	return f, nil
}

// pages is how many requests list n things. An empty list is asked for, too.
func pages(n int) int { return max(1, (n+pageSize-1)/pageSize) }

// manifest is what a manifest needs.
type manifest struct {
	Config    descriptor   `json:"config"`
	Layers    []descriptor `json:"layers"`
	Manifests []descriptor `json:"manifests"`
}

type descriptor struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
	URLs   []string      `json:"urls"`
}

func parse(img corpus.Image) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(img.Manifest, &m); err != nil {
		return m, fmt.Errorf("read manifest %s: %w", img.Digest, err)
	}
	return m, nil
}

// sizes are the config and the layers with their sizes, without those that are kept elsewhere.
func (m manifest) sizes() map[digest.Digest]int64 {
	out := map[digest.Digest]int64{}
	for _, d := range append(m.Layers, m.Config) {
		if d.Digest != "" && len(d.URLs) == 0 {
			out[d.Digest] = d.Size
		}
	}
	return out
}

// blobs are the digests of sizes, sorted.
func (m manifest) blobs() []digest.Digest { return slices.Sorted(maps.Keys(m.sizes())) }

// Served is the corpus without its archived images: what a complete target holds.
func Served(c *corpus.Corpus) *corpus.Corpus {
	out := &corpus.Corpus{Blobs: c.Blobs}
	for _, repo := range c.Repositories {
		kept := corpus.Repository{Name: repo.Name, Blobs: repo.Blobs}
		for _, img := range repo.Images {
			if !img.Archived {
				kept.Images = append(kept.Images, img)
			}
		}
		if len(kept.Images) > 0 {
			out.Repositories = append(out.Repositories, kept)
		}
	}
	return out
}

// Blobs are what an image needs; none where its manifest cannot be read.
func Blobs(img corpus.Image) []digest.Digest {
	m, err := parse(img)
	if err != nil {
		return nil
	}
	return m.blobs()
}
