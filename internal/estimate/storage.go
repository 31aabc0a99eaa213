package estimate

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// stored is what lies in one repository of the target.
type stored struct{ before, after int64 }

// stores are the bytes at the planned image paths, by repository: what is there, and what is after a copy without what w
// says. Within a repository each manifest and each blob counts once.
func (g *graph) stores(inv *document.Inventory, w without) map[ref.TargetRepository]stored {
	out := map[ref.TargetRepository]stored{}
	members := map[ref.TargetRepository][]int{}
	for n := range g.groups {
		r := g.groups[n].Target.Repository
		members[r] = append(members[r], n)
	}
	unknown := map[ref.TargetRepository]map[digest.Digest]int64{}
	for _, t := range inv.Target.Images {
		r := t.URI.Repository
		if _, known := g.position[t.Digest]; !known && len(members[r]) > 0 {
			if unknown[r] == nil {
				unknown[r] = map[digest.Digest]int64{}
			}
			unknown[r][t.Digest] = t.Size
		}
	}
	for r, list := range members {
		blobs, manifests := map[int]bool{}, map[digest.Digest]bool{}
		var s stored
		add := func(d digest.Digest) {
			m := g.manifest(d)
			if m == nil || manifests[d] {
				return
			}
			manifests[d] = true
			s.after += m.Size
			for _, b := range m.Blobs {
				if !blobs[b] {
					blobs[b] = true
					s.after += g.plan.Blobs[b].Size
				}
			}
		}
		for _, size := range unknown[r] {
			s.after += size
		}
		for _, n := range list {
			for d := range g.groups[n].there {
				add(d)
			}
		}
		s.before = s.after
		for _, n := range list {
			for i, reference := range g.groups[n].References {
				if !w.has(n, i) {
					add(reference.Digest)
				}
			}
		}
		out[r] = s
	}
	return out
}

func (e *estimator) storage() {
	for r, s := range e.stores(&e.Inventory, nil) {
		price := e.Prices.storage(r)
		e.out.Storage = append(e.out.Storage, document.EstimatedStorage{
			Target: r, Before: s.before, After: s.after, PerGB: price, Monthly: cost(s.after, price),
		})
	}
	slices.SortFunc(e.out.Storage, func(a, b document.EstimatedStorage) int { return a.Target.Compare(b.Target) })
}
