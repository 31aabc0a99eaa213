package plan

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// compare fills in what the target lacks. The groups are those of the plan's images, in their order.
func (m *maker) compare(groups []*group) {
	d := &m.plan.Difference
	d.ForeignTags = []document.Tag{}
	exists := map[ref.TargetRepository]*document.TargetRepository{}
	for n := range m.inv.Target.Repositories {
		exists[m.inv.Target.Repositories[n].URI] = &m.inv.Target.Repositories[n]
	}
	for n := range m.plan.Repositories {
		r := &m.plan.Repositories[n]
		there := exists[r.URI]
		if r.Exists = there != nil; !r.Exists {
			d.CreateRepositories++
			continue
		}
		r.DeletingPolicies = there.DeletingPolicies()
	}
	landed := m.landed()
	for n := range m.plan.Images {
		m.compareImage(&m.plan.Images[n], groups[n], landed[n])
	}
	slices.SortFunc(d.ForeignTags, func(a, b document.Tag) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Tag, b.Tag))
	})
	m.compareBlobs(landed)
}

// landed returns what is at the target of each planned image, sorted by digest.
func (m *maker) landed() [][]*document.TargetImage {
	at := make(map[ref.TargetImage]int, len(m.plan.Images))
	for n, image := range m.plan.Images {
		at[image.Target] = n
	}
	out := make([][]*document.TargetImage, len(m.plan.Images))
	for i := range m.inv.Target.Images {
		t := &m.inv.Target.Images[i]
		if n, ok := at[t.URI]; ok {
			out[n] = append(out[n], t)
		}
	}
	for _, there := range out {
		slices.SortFunc(there, func(a, b *document.TargetImage) int { return cmp.Compare(a.Digest, b.Digest) })
	}
	return out
}

func holdsLanded(there []*document.TargetImage, d digest.Digest) bool {
	_, ok := slices.BinarySearchFunc(there, d, func(t *document.TargetImage, d digest.Digest) int { return cmp.Compare(t.Digest, d) })
	return ok
}

// compareImage counts the manifests and tags of one planned image.
func (m *maker) compareImage(image *document.PlannedImage, g *group, there []*document.TargetImage) {
	d := &m.plan.Difference
	tags := map[string]digest.Digest{}
	for _, t := range there {
		for _, tag := range t.Tags {
			tags[tag] = t.Digest
		}
	}
	for n, t := range there {
		if n > 0 && there[n-1].Digest == t.Digest {
			continue
		}
		if !g.holds(t.Digest) && !holdsReference(image.References, t.Digest) {
			d.ExtraImages++
		}
	}
	for _, r := range image.References {
		if holdsLanded(there, r.Digest) {
			d.PresentManifests++
		} else {
			d.CopyManifests++
		}
		for _, tag := range r.Tags {
			switch now, ok := tags[tag]; {
			case !ok:
				d.SetTags++
			case now == r.Digest:
				d.PresentTags++
			case g.holds(now) || holdsReference(image.References, now):
				d.MoveTags++
			default:
				d.ForeignTags = append(d.ForeignTags, document.Tag{Target: image.Target, Tag: tag, Digest: now})
			}
		}
	}
}

// compareBlobs counts the blobs to read, once a target host, and the further places that they are mounted to. What a
// landed manifest at any planned target holds need not be read.
func (m *maker) compareBlobs(landed [][]*document.TargetImage) {
	d := &m.plan.Difference
	position := make(map[digest.Digest]int, len(m.plan.Manifests))
	for n, p := range m.plan.Manifests {
		position[p.Digest] = n
		d.TotalBytes += p.Size
	}
	for _, b := range m.plan.Blobs {
		d.TotalBytes += b.Size
	}
	hosts := map[string][]bool{} // which blobs a host has, or will have once what is before has been copied
	for n, there := range landed {
		host := m.plan.Images[n].Target.Repository.Host()
		if hosts[host] == nil {
			hosts[host] = make([]bool, len(m.plan.Blobs))
		}
		for _, t := range there {
			if p, ok := position[t.Digest]; ok {
				for _, b := range m.plan.Manifests[p].Blobs {
					hosts[host][b] = true
				}
			}
		}
	}
	settled := make([]int, len(m.plan.Blobs)) // the number (from 1) of the last image that has or gets the blob
	for n := range m.plan.Images {
		has := hosts[m.plan.Images[n].Target.Repository.Host()]
		for _, t := range landed[n] {
			if p, ok := position[t.Digest]; ok {
				for _, b := range m.plan.Manifests[p].Blobs {
					settled[b] = n + 1
				}
			}
		}
		for _, r := range m.plan.Images[n].References {
			if holdsLanded(landed[n], r.Digest) {
				continue
			}
			for _, b := range m.plan.Manifests[position[r.Digest]].Blobs {
				switch {
				case settled[b] == n+1:
					continue
				case has[b]:
					d.MountBlobs++
				default:
					d.CopyBlobs++
					d.CopyBytes += m.plan.Blobs[b].Size
					has[b] = true
				}
				settled[b] = n + 1
			}
		}
	}
}
