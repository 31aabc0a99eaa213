package world

import (
	"transship/bench/need"
)

// Arrived is what the target itself holds of what it must hold.
type Arrived struct {
	Tags, AllTags           int // tags that point at the right digest
	Manifests, AllManifests int // manifests that are there with all their blobs
}

// All reports whether nothing is missing.
func (a Arrived) All() bool {
	return a == Arrived{a.AllTags, a.AllTags, a.AllManifests, a.AllManifests}
}

// AllOfTags reports whether each tag is there and right, which is what most tools promise.
func (a Arrived) AllOfTags() bool { return a.Tags == a.AllTags }

// Arrived looks into the target's own storage, not at what a tool or a listing says.
func (w *World) Arrived() Arrived {
	var a Arrived
	for _, repo := range need.Served(w.Corpus).Repositories {
		image := w.ar.Image(Target + "/" + repo.Name)
		for _, img := range repo.Images {
			a.AllManifests++
			a.AllTags += len(img.Tags)
			if image == nil {
				continue
			}
			m, ok := image.Manifest(img.Digest)
			if !ok || string(m.Bytes) != string(img.Manifest) {
				continue
			}
			whole := true
			for _, d := range need.Blobs(img) {
				_, ok := image.Blob(d)
				whole = whole && ok
			}
			if whole {
				a.Manifests++
			}
			for _, tag := range img.Tags {
				if d, ok := image.TagDigest(tag); ok && d == img.Digest {
					a.Tags++
				}
			}
		}
	}
	return a
}
