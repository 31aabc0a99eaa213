package verify

import (
	"cmp"
	"maps"
	"slices"

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

// repositories says for each source repository what was verified. Those that the plan does not cover keep what was said
// of them before.
func (l *look) repositories(refused map[ref.Repository]map[document.CaseKind]int) []document.VerifiedRepository {
	now := l.Now().UTC()
	var out []document.VerifiedRepository
	covered := map[ref.Repository]bool{}
	for _, i := range l.images {
		slices.SortFunc(i.tags, func(a, b document.VerifiedTag) int { return cmp.Compare(a.Tag, b.Tag) })
		for _, source := range i.planned.Sources {
			covered[source] = true
			counts := refused[source]
			out = append(out, document.VerifiedRepository{
				Source: source, Target: i.planned.Target, VerifiedAt: now, Deep: l.Deep,
				Tags: append([]document.VerifiedTag{}, i.tags...), Digests: slices.Sorted(maps.Keys(i.digests)),
				Missing:    i.counts[document.CaseMissing] + counts[document.CaseMissing],
				Mismatched: i.counts[document.CaseMismatched],
				Excluded:   counts[document.CaseExcluded], Extra: i.counts[document.CaseExtra],
			})
		}
	}
	if l.Previous != nil {
		for _, old := range l.Previous.Repositories {
			if !covered[old.Source] {
				out = append(out, old)
			}
		}
	}
	slices.SortFunc(out, func(a, b document.VerifiedRepository) int {
		return cmp.Or(a.Source.Compare(b.Source), a.Target.Compare(b.Target))
	})
	return out
}
