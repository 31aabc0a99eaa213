// Package image is what the evaluators of both sides know of an image, and how images hang together.
//
// A child is a manifest that an index lists, its parent. A referrer describes another image, its subject: a signature,
// an SBOM. What a rule marks does not always go at once: Settle says when it does.
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

// Settle turns the moments at which rules mark images into those at which they are deleted, in place. A child stays as
// long as any of its parents does. A referrer goes with its subject, and only with it; where loose, it goes by its own
// mark too. Digests allow no loops.
func (g Graph) Settle(moments []Moment, loose bool) {
	if g.Parents == nil && g.Subject == nil {
		return
	}
	own := slices.Clone(moments)
	for n := range moments {
		moments[n] = Past
	}
	for changed := true; changed; {
		changed = false
		for n, before := range moments {
			m := own[n]
			switch {
			case g.Referrer(n) && loose:
				m = min(m, moments[g.Subject[n]])
			case g.Referrer(n):
				m = moments[g.Subject[n]]
			}
			if g.Child(n) {
				for _, p := range g.Parents[n] {
					m = max(m, moments[p])
				}
			}
			if m != before {
				moments[n], changed = m, true
			}
		}
	}
}
