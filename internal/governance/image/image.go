// Package image is what the evaluators of both sides know of an image, and how images hang together.
//
// A child is a manifest that an index lists, its parent. A referrer describes another image, its subject: a signature,
// an SBOM. What a rule marks does not always fall: Fall says what does.
package image

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
)

// Image is one manifest of a repository with what decides over its life.
type Image struct {
	Digest       digest.Digest
	Tags         []string
	PushedAt     time.Time // into ECR
	LastPulledAt time.Time // zero where it was never pulled
	ActivatedAt  time.Time // last restored from the archive; zero where it never was or nobody knows
	ArchivedAt   time.Time // zero where nobody knows
	Archived     bool      // it lies in ECR's archive and cannot be pulled
	Children     []digest.Digest
	Subject      digest.Digest // empty where it describes nothing
}

// Born is when ECR begins to count its age. FACTS C1 [D]: the last restoration, where there was one.
func (i Image) Born() time.Time {
	if i.ActivatedAt.After(i.PushedAt) {
		return i.ActivatedAt
	}
	return i.PushedAt
}

// Of is the images of an inventory. Children come from what is known of the manifests; an inventory says neither when
// an image was archived nor when it was restored.
func Of(list []document.SourceImage, content document.Content) []Image {
	out := make([]Image, len(list))
	for n, i := range list {
		out[n] = Image{Digest: i.Digest, Tags: i.Tags, PushedAt: i.PushedAt, LastPulledAt: i.LastPulledAt,
			Archived: i.Status == document.StatusArchived, Subject: i.Subject}
		for _, c := range content[i.Digest].Children {
			out[n].Children = append(out[n].Children, c.Digest)
		}
	}
	return out
}

// Graph says which images of a list hang together. Whatever is not in the list does not count.
type Graph struct {
	Parents [][]int // of each image; nil where no image of the list has a child in it
	Subject []int   // of each image, or Nothing; nil where no image of the list has its subject in it
}

// Nothing is the subject of what describes nothing.
const Nothing = -1

// NewGraph finds out how images hang together.
func NewGraph(images []Image) Graph {
	var g Graph
	if !slices.ContainsFunc(images, func(i Image) bool { return len(i.Children) > 0 || i.Subject != "" }) {
		return g
	}
	at := make(map[digest.Digest]int, len(images))
	for n, i := range images {
		at[i.Digest] = n
	}
	for n, i := range images {
		for _, d := range i.Children {
			if c, ok := at[d]; ok && c != n {
				if g.Parents == nil {
					g.Parents = make([][]int, len(images))
				}
				g.Parents[c] = append(g.Parents[c], n)
			}
		}
		if s, ok := at[i.Subject]; ok && s != n {
			if g.Subject == nil {
				g.Subject = slices.Repeat([]int{Nothing}, len(images))
			}
			g.Subject[n] = s
		}
	}
	return g
}

// Child tells whether an index of the list holds the image.
func (g Graph) Child(n int) bool { return g.Parents != nil && len(g.Parents[n]) > 0 }

// Referrer tells whether the image describes another one of the list.
func (g Graph) Referrer(n int) bool { return g.Subject != nil && g.Subject[n] != Nothing }

// Fall turns the images that rules mark into those that are deleted, in place. A child stays as long as any of its
// parents does. A referrer goes with its subject, and only with it; where loose, it goes by its own mark too.
func (g Graph) Fall(marked []bool, loose bool) {
	if g.Parents == nil && g.Subject == nil {
		return
	}
	own := slices.Clone(marked)
	for n := range marked {
		marked[n] = marked[n] || g.Referrer(n)
	}
	for changed := true; changed; {
		changed = false
		for n, falls := range marked {
			if falls && g.stays(n, marked, own[n] && loose) {
				marked[n], changed = false, true
			}
		}
	}
}

// stays tells whether something that is not deleted holds the image. A mark of its own frees it from its subject.
func (g Graph) stays(n int, deleted []bool, free bool) bool {
	if g.Referrer(n) && !free && !deleted[g.Subject[n]] {
		return true
	}
	return g.Child(n) && slices.ContainsFunc(g.Parents[n], func(p int) bool { return !deleted[p] })
}
