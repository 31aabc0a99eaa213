package arsim

import (
	"fmt"
	"path"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
)

// Load puts the content of c at LOCATION-docker.pkg.dev/PROJECT/REPOSITORY[/PREFIX]/NAME for each of its repositories, as
// if it had been pushed at the images' times, or now where those have not come: what a migration of it would leave. The
// repository must be there.
func (c *Cloud) Load(location, project, id, prefix string, content *corpus.Corpus) error {
	repo, ok := c.lookup(repoKey{location, project, id})
	if !ok {
		return fmt.Errorf("load: repository %s does not exist in %s", id, location)
	}
	blobs := make(map[digest.Digest]store.Blob, len(content.Blobs))
	for d, b := range content.Blobs {
		blobs[d] = store.BytesBlob(b)
	}
	now := c.now() // listings show nothing of the future
	for _, r := range content.Repositories {
		if len(r.Images) == 0 {
			continue // no path comes to be without an image
		}
		img := c.ensureImage(repo, path.Join(prefix, r.Name))
		for _, d := range r.Blobs {
			img.store.PutBlob(d, blobs[d])
		}
		for _, i := range r.Images {
			if i.PushedAt.After(now) {
				i.PushedAt = now
			}
			img.store.PutManifest(store.Manifest{Digest: i.Digest, MediaType: i.MediaType, Bytes: i.Manifest, PushedAt: i.PushedAt})
			for _, tag := range i.Tags {
				img.setTag(tag, i.Digest, i.PushedAt)
			}
		}
	}
	return nil
}
