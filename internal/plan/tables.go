package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
)

// tables lists every manifest and blob of the planned images once, sorted.
func (m *maker) tables() {
	digests := map[digest.Digest]bool{}
	for _, image := range m.plan.Images {
		for _, r := range image.References {
			digests[r.Digest] = true
		}
	}
	m.plan.Manifests = make([]document.PlannedManifest, len(digests))
	for n, d := range slices.Sorted(maps.Keys(digests)) {
		m.plan.Manifests[n].Digest = d
	}

	most := 0
	for _, p := range m.plan.Manifests {
		most += len(m.content[p.Digest].Blobs)
	}
	positions := make(map[digest.Digest]int, most/2) // some are shared
	m.plan.Blobs = make([]document.PlannedBlob, 0, most/2)
	for _, p := range m.plan.Manifests {
		for _, b := range m.content[p.Digest].Blobs {
			if _, ok := positions[b.Digest]; !ok {
				positions[b.Digest] = 0
				m.plan.Blobs = append(m.plan.Blobs, document.PlannedBlob{Digest: b.Digest, Size: b.Size})
			}
		}
	}
	slices.SortFunc(m.plan.Blobs, func(a, b document.PlannedBlob) int { return cmp.Compare(a.Digest, b.Digest) })
	for n, b := range m.plan.Blobs {
		positions[b.Digest] = n
	}
	for n := range m.plan.Manifests {
		p := &m.plan.Manifests[n]
		entry := m.content[p.Digest]
		p.MediaType, p.ArtifactType, p.Size, p.Subject = entry.MediaType, entry.ArtifactType, entry.Size, entry.Subject
		if len(entry.Blobs) > 0 {
			p.Blobs = make([]int, 0, len(entry.Blobs))
		}
		for _, c := range entry.Children {
			p.Children = append(p.Children, c.Digest)
		}
		for _, b := range entry.Blobs {
			p.Blobs = append(p.Blobs, positions[b.Digest])
		}
	}
}
