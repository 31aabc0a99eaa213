package estimate

import (
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// way is from where to where bytes go: each blob leaves a source once for each host of the target.
type way struct {
	source ref.Registry
	host   string
}

// place is what Google's quotas count by.
type place struct{ project, location string }

func (p place) String() string { return p.project + " in " + p.location }

// moved is what has to go to the target.
type moved struct {
	document.EstimatedMove
	bytes     map[way]int64
	reads     map[ref.Registry]int64                    // requests for blobs
	pieces    map[ref.Registry]int64                    // requests of S3
	manifests map[ref.Repository]map[digest.Digest]bool // to read, once each
	requests  map[place]int64                           // that write at the target
}

// without says which references are left out, by image and position; nil leaves out none.
type without [][]bool

func (w without) has(image, reference int) bool { return w != nil && w[image][reference] }

// move is what a copy does that leaves out what w says. It counts as the plan's difference does: what a landed manifest
// holds is there, and a blob is read once for each host of the target and mounted from then on.
func (g *graph) move(w without) moved {
	m := moved{
		bytes: map[way]int64{}, reads: map[ref.Registry]int64{}, pieces: map[ref.Registry]int64{},
		manifests: map[ref.Repository]map[digest.Digest]bool{}, requests: map[place]int64{},
	}
	hosts := map[string][]bool{}
	for n := range g.groups {
		host := g.groups[n].Target.Repository.Host()
		if hosts[host] == nil {
			hosts[host] = make([]bool, len(g.plan.Blobs))
		}
		g.landed(&g.groups[n], func(b int) { hosts[host][b] = true })
	}
	settled, read, wanted := make([]int, len(g.plan.Blobs)), make([]bool, len(g.plan.Blobs)), make([]bool, len(g.plan.Blobs))
	for n := range g.groups {
		p := &g.groups[n]
		at := place{p.Target.Repository.Project, p.Target.Repository.Location}
		has := hosts[p.Target.Repository.Host()]
		g.landed(p, func(b int) { settled[b] = n + 1 })
		for i, r := range p.References {
			planned := g.manifest(r.Digest)
			if planned == nil || w.has(n, i) {
				continue
			}
			for _, b := range planned.Blobs {
				wanted[b] = true
			}
			m.reference(p, r, at)
			if p.there[r.Digest] {
				continue
			}
			for _, b := range planned.Blobs {
				switch {
				case settled[b] == n+1:
					continue
				case has[b]:
					m.Mounts++
					m.requests[at]++
				default:
					m.blob(way{p.Sources[r.Source].Registry, p.Target.Repository.Host()}, at, g.plan.Blobs[b].Size)
					has[b], read[b] = true, true
				}
				settled[b] = n + 1
			}
		}
	}
	for b, blob := range g.plan.Blobs {
		if wanted[b] {
			m.UniqueBytes += blob.Size
			if !read[b] {
				m.PresentBytes += blob.Size
			}
		}
	}
	return m
}

// landed calls each with the blobs of what is there.
func (g *graph) landed(p *group, each func(blob int)) {
	for d := range p.there {
		if m := g.manifest(d); m != nil {
			for _, b := range m.Blobs {
				each(b)
			}
		}
	}
}

// reference counts what writes r.
func (m *moved) reference(p *group, r document.PlannedReference, at place) {
	puts := p.puts(r)
	if puts == 0 {
		return
	}
	m.References += max(1, p.missing(r))
	m.requests[at] += int64(puts)
	from := p.Sources[r.Source]
	if m.manifests[from] == nil {
		m.manifests[from] = map[digest.Digest]bool{}
	}
	m.manifests[from][r.Digest] = true
	m.Manifests++
}

// blob counts what brings a blob: a request to ECR, one or more to S3, and two to upload it.
func (m *moved) blob(w way, at place, size int64) {
	m.Blobs++
	m.Bytes += size
	m.bytes[w] += size
	m.reads[w.source]++
	m.pieces[w.source]++
	if size >= registry.LargeBlob { // read in pieces
		m.pieces[w.source] += (size+registry.BlobPiece-1)/registry.BlobPiece - 1
	}
	m.requests[at] += 2
}

// naive are the bytes that a copy of each tag by itself would read.
func (e *estimator) naive() map[way]int64 {
	out := map[way]int64{}
	seen := make([]int, len(e.plan.Blobs)) // the number of the last reference that holds the blob
	number := 0
	for n := range e.groups {
		p := &e.groups[n]
		for _, r := range p.References {
			tags := int64(p.missing(r))
			if tags == 0 {
				continue
			}
			number++
			w := way{p.Sources[r.Source].Registry, p.Target.Repository.Host()}
			e.below(r.Digest, func(m *document.PlannedManifest) {
				for _, b := range m.Blobs {
					if seen[b] != number {
						seen[b] = number
						out[w] += tags * e.plan.Blobs[b].Size
					}
				}
			})
		}
	}
	return out
}
