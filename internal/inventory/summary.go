package inventory

import (
	"cmp"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// summaryLength is how many of the largest and the oldest a Summary names.
const summaryLength = 10

// Summary is an inventory as people want it.
type Summary struct {
	Registries          int                 `json:"registries"`
	Repositories        int                 `json:"repositories"`
	Images              int                 `json:"images"` // digests, once per repository, archived ones too
	Tags                int                 `json:"tags"`
	Untagged            int                 `json:"untagged"` // images without a tag, among them the children of indexes
	Size                int64               `json:"size"`     // bytes as ECR counts, without indexes (ECR gives them the size of a child); layers that images share count once per image
	NeverPulled         int                 `json:"neverPulled"`
	Archived            []SummaryImage      `json:"archived"` // every image that ECR keeps in cold storage
	Restore             *Restore            `json:"restore,omitempty"`
	PullThrough         []SummaryCache      `json:"pullThrough"` // every repository that ECR fills from another registry; sorted
	LargestRepositories []SummaryRepository `json:"largestRepositories"`
	LargestImages       []SummaryImage      `json:"largestImages"`
	OldestImages        []SummaryImage      `json:"oldestImages"`
	TargetRepositories  int                 `json:"targetRepositories"` // that exist
	TargetImages        int                 `json:"targetImages"`
	Failures            int                 `json:"failures"`
}

// SummaryImage is one image of a Summary.
type SummaryImage struct {
	Repository ref.Repository `json:"uri"`
	Digest     digest.Digest  `json:"digest"`
	Tags       []string       `json:"tags"`
	Size       int64          `json:"size"`
	PushedAt   time.Time      `json:"pushedAt,omitzero"`
}

// SummaryRepository is one repository of a Summary.
type SummaryRepository struct {
	Repository ref.Repository `json:"uri"`
	Images     int            `json:"images"`
	Tags       int            `json:"tags"`
	Size       int64          `json:"size"` // as in Summary
}

// SummaryCache is a pull-through cache of a Summary.
type SummaryCache struct {
	Repository ref.Repository `json:"uri"`
	Upstream   string         `json:"upstream"`
}

// Summarize counts what inv holds.
func Summarize(inv document.Inventory) Summary {
	s := Summary{
		Registries:          len(inv.Migration.Sources),
		Repositories:        len(inv.Source.Repositories),
		Images:              len(inv.Source.Images),
		Archived:            []SummaryImage{},
		Restore:             ArchivedImages(inv),
		PullThrough:         []SummaryCache{},
		LargestRepositories: []SummaryRepository{},
		TargetRepositories:  len(inv.Target.Repositories),
		TargetImages:        len(inv.Target.Images),
		Failures:            len(inv.Failures),
	}
	for _, r := range inv.Source.Repositories {
		if r.PullThrough != "" {
			s.PullThrough = append(s.PullThrough, SummaryCache{r.URI, r.PullThrough})
		}
	}
	repositories := map[ref.Repository]*SummaryRepository{}
	var images []*document.SourceImage // without indexes
	for n := range inv.Source.Images {
		i := &inv.Source.Images[n]
		r := repositories[i.URI]
		if r == nil {
			r = &SummaryRepository{Repository: i.URI}
			repositories[i.URI] = r
		}
		r.Images++
		r.Tags += len(i.Tags)
		s.Tags += len(i.Tags)
		if len(i.Tags) == 0 {
			s.Untagged++
		}
		if i.LastPulledAt.IsZero() {
			s.NeverPulled++
		}
		if i.Status == document.StatusArchived {
			s.Archived = append(s.Archived, summaryImage(i))
		}
		if !registry.IsIndex(i.MediaType) {
			r.Size += i.Size
			s.Size += i.Size
			images = append(images, i)
		}
	}
	for _, r := range repositories {
		s.LargestRepositories = append(s.LargestRepositories, *r)
	}
	s.LargestRepositories = first(s.LargestRepositories, func(a, b SummaryRepository) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), a.Repository.Compare(b.Repository))
	})
	byName := func(a, b *document.SourceImage) int { return compareImages(*a, *b) }
	s.LargestImages = summaryImages(first(images, func(a, b *document.SourceImage) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), byName(a, b))
	}))
	dated := slices.DeleteFunc(images, func(i *document.SourceImage) bool { return i.PushedAt.IsZero() })
	s.OldestImages = summaryImages(first(dated, func(a, b *document.SourceImage) int {
		return cmp.Or(a.PushedAt.Compare(b.PushedAt), byName(a, b))
	}))
	return s
}

// first returns the first few of list in the given order.
func first[T any](list []T, order func(a, b T) int) []T {
	slices.SortFunc(list, order)
	return list[:min(len(list), summaryLength):min(len(list), summaryLength)]
}

func summaryImages(images []*document.SourceImage) []SummaryImage {
	out := make([]SummaryImage, len(images))
	for n, i := range images {
		out[n] = summaryImage(i)
	}
	return out
}

func summaryImage(i *document.SourceImage) SummaryImage {
	return SummaryImage{Repository: i.URI, Digest: i.Digest, Tags: i.Tags, Size: i.Size, PushedAt: i.PushedAt}
}
