package content

import (
	"transship/internal/document"
	"transship/internal/registry"
)

// Parse is what m says as an entry. Where it is not understood, the entry has a Problem.
func Parse(m registry.Manifest) document.ContentEntry {
	e := document.ContentEntry{Digest: m.Digest, MediaType: m.MediaType, Size: int64(len(m.Bytes))}
	c, err := registry.ParseManifest(m)
	if err != nil {
		e.Problem = err.Error()
		return e
	}
	e.MediaType, e.ArtifactType, e.Subject = c.MediaType, c.ArtifactType, c.Subject
	for _, child := range c.Children {
		e.Children = append(e.Children, document.ContentItem{Digest: child.Digest, Size: child.Size, Platform: child.Platform})
	}
	e.Blobs, e.Foreign = items(c.Blobs), items(c.Foreign)
	return e
}

func items(blobs []registry.Blob) []document.ContentItem {
	if len(blobs) == 0 {
		return nil
	}
	out := make([]document.ContentItem, 0, len(blobs))
	for _, b := range blobs {
		out = append(out, document.ContentItem{Digest: b.Digest, Size: b.Size})
	}
	return out
}
