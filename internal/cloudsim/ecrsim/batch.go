package ecrsim

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

type imageJSON struct {
	RegistryID             string  `json:"registryId"`
	RepositoryName         string  `json:"repositoryName"`
	ImageID                imageID `json:"imageId"`
	ImageManifest          string  `json:"imageManifest"`
	ImageManifestMediaType string  `json:"imageManifestMediaType"`
}

type batchGetImageInput struct {
	RepositoryName     string    `json:"repositoryName"`
	ImageIDs           []imageID `json:"imageIds"`
	AcceptedMediaTypes []string  `json:"acceptedMediaTypes"`
}

func batchGetImage(c *call, in *batchGetImageInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkIDs(in.ImageIDs); err != nil {
		return nil, err
	}
	if len(in.AcceptedMediaTypes) > 100 {
		return nil, invalidf("acceptedMediaTypes", "Member must have length less than or equal to 100")
	}
	q := c.reg.Quirks()
	if q.Indexes == IndexTypesRefused && slices.ContainsFunc(in.AcceptedMediaTypes, isIndex) {
		return nil, invalidf("acceptedMediaTypes", "Member must satisfy enum value set: [%s, %s, %s]", // FACTS A1 [U]
			"application/vnd.docker.distribution.manifest.v1+json", mediaTypeDockerManifest,
			"application/vnd.oci.image.manifest.v1+json")
	}
	images, failures := []imageJSON{}, []imageFailure{}
	for _, id := range in.ImageIDs {
		image, failure := repo.get(id, in.AcceptedMediaTypes, q)
		if failure != nil {
			failures = append(failures, *failure)
			continue
		}
		images = append(images, *image)
	}
	return map[string]any{"images": images, "failures": failures}, nil
}

// get is one image of a BatchGetImage. By tag, the manifest may be converted to an accepted type; by digest never.
func (p *Repository) get(id imageID, accepted []string, q Quirks) (*imageJSON, *imageFailure) {
	m, failure := p.find(id)
	switch {
	case failure != nil:
		return nil, failure
	case p.Status(m.Digest) != StatusActive:
		return nil, &imageFailure{id, cmp.Or(q.ArchivedFailureCode, "ImageNotFound"), notFoundText}
	case q.Indexes == IndexesFailed && isIndex(m.MediaType):
		return nil, &imageFailure{id, "ImageNotFound", notFoundText}
	}
	if len(accepted) > 0 && isSchema1(m.MediaType) && !slices.Contains(accepted, m.MediaType) {
		return nil, &imageFailure{id, "ImageNotFound", notFoundText}
	}
	p.pull(m.Digest)
	if id.Digest == "" && len(accepted) > 0 && !slices.Contains(accepted, m.MediaType) {
		converted, ok := convert(m, accepted)
		if !ok {
			return nil, &imageFailure{id, "ImageNotFound", notFoundText}
		}
		m = converted
	}
	return &imageJSON{
		RegistryID: p.registry.account, RepositoryName: p.name,
		ImageID:       imageID{m.Digest.String(), id.Tag},
		ImageManifest: string(m.Bytes), ImageManifestMediaType: m.MediaType,
	}, nil
}

type batchDeleteImageInput struct {
	RepositoryName string    `json:"repositoryName"`
	ImageIDs       []imageID `json:"imageIds"`
}

// batchDeleteImage takes a tag away where one is named, and the image with the last of its tags.
func batchDeleteImage(c *call, in *batchDeleteImageInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkIDs(in.ImageIDs); err != nil {
		return nil, err
	}
	deleted, failures := []imageID{}, []imageFailure{}
	for _, id := range in.ImageIDs {
		m, failure := repo.find(id)
		if failure == nil && repo.isChild(m.Digest) && (id.Tag == "" || repo.Content.TagCount(m.Digest) == 1) {
			failure = &imageFailure{id, "ImageReferencedByManifestList",
				"Requested image referenced by manifest list: [" + m.Digest.String() + "]"}
		}
		if failure != nil {
			failures = append(failures, *failure)
			continue
		}
		deleted = append(deleted, repo.delete(m.Digest, id.Tag)...)
	}
	return map[string]any{"imageIds": deleted, "failures": failures}, nil
}

// isChild says whether an index of the repository lists d.
func (p *Repository) isChild(d digest.Digest) bool {
	return slices.ContainsFunc(p.Content.Manifests(), func(m store.Manifest) bool {
		for _, child := range p.parse(m).Manifests {
			if child.Digest == d {
				return true
			}
		}
		return false
	})
}

func (p *Repository) delete(d digest.Digest, tag string) (deleted []imageID) {
	tags := p.Content.TagsByDigest()[d]
	if tag != "" {
		p.Content.Untag(tag)
		if len(tags) > 1 {
			p.emit("DELETE", d, tag, "")
			return []imageID{{d.String(), tag}}
		}
	}
	p.Content.DeleteManifest(d)
	p.forget(d)
	if len(tags) == 0 {
		p.emit("DELETE", d, "", "")
		return []imageID{{d.String(), ""}}
	}
	for _, t := range tags {
		p.emit("DELETE", d, t, "")
		deleted = append(deleted, imageID{d.String(), t})
	}
	return deleted
}

type putImageInput struct {
	RepositoryName         string `json:"repositoryName"`
	ImageManifest          string `json:"imageManifest"`
	ImageManifestMediaType string `json:"imageManifestMediaType"`
	ImageTag               string `json:"imageTag"`
	ImageDigest            string `json:"imageDigest"`
}

func putImage(c *call, in *putImageInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.ImageManifest == "" || len(in.ImageManifest) > maxManifest {
		return nil, invalidf("imageManifest", "Member must have length between 1 and %d", maxManifest)
	}
	d := digest.FromString(in.ImageManifest)
	if in.ImageDigest != "" && in.ImageDigest != d.String() {
		return nil, failf("ImageDigestDoesNotMatchException", "The provided image digest does not match the image manifest")
	}
	if at, ok := repo.Content.TagDigest(in.ImageTag); in.ImageTag != "" && ok && at == d {
		return nil, failf("ImageAlreadyExistsException", "Image with digest '%s' and tag '%s' already exists in the repository "+
			"with name '%s' in registry with id '%s'", d, in.ImageTag, repo.name, c.reg.account)
	}
	m, perr := repo.put([]byte(in.ImageManifest), in.ImageManifestMediaType, in.ImageTag)
	if perr != nil {
		return nil, &apiError{http.StatusBadRequest, perr.exception, perr.message}
	}
	return map[string]any{"image": imageJSON{
		RegistryID: c.reg.account, RepositoryName: repo.name, ImageID: imageID{d.String(), in.ImageTag},
		ImageManifest: in.ImageManifest, ImageManifestMediaType: m.MediaType,
	}}, nil
}

type storageClassInput struct {
	RepositoryName     string  `json:"repositoryName"`
	ImageID            imageID `json:"imageId"`
	TargetStorageClass string  `json:"targetStorageClass"`
}

// updateImageStorageClass archives at once; a restored image is ACTIVATING until somebody calls SetStatus, as the real
// one takes minutes. FACTS A4.
func updateImageStorageClass(c *call, in *storageClassInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	m, failure := repo.find(in.ImageID)
	if failure != nil {
		return nil, repo.noImage(in.ImageID)
	}
	var want string
	switch was := repo.Status(m.Digest); {
	case in.TargetStorageClass == "ARCHIVE" && was == StatusActive:
		want = StatusArchived
	case in.TargetStorageClass == "STANDARD" && was == StatusArchived:
		want = StatusActivating
	case in.TargetStorageClass != "ARCHIVE" && in.TargetStorageClass != "STANDARD":
		return nil, invalidf("targetStorageClass", "Member must satisfy enum value set: [STANDARD, ARCHIVE]")
	default:
		return nil, failf("ImageStorageClassUpdateNotSupportedException",
			"The image with status %s cannot be moved to the storage class %s", was, in.TargetStorageClass)
	}
	repo.SetStatus(m.Digest, want)
	repo.emit("UPDATE_STORAGE_CLASS", m.Digest, in.ImageID.Tag, in.TargetStorageClass)
	return struct {
		RegistryID     string  `json:"registryId"`
		RepositoryName string  `json:"repositoryName"`
		ImageID        imageID `json:"imageId"`
		ImageStatus    string  `json:"imageStatus"`
	}{c.reg.account, repo.name, imageID{m.Digest.String(), in.ImageID.Tag}, want}, nil
}

type layerInput struct {
	RepositoryName string   `json:"repositoryName"`
	LayerDigest    string   `json:"layerDigest"`
	LayerDigests   []string `json:"layerDigests"`
}

func getDownloadURLForLayer(c *call, in *layerInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	d := digest.Digest(in.LayerDigest)
	if _, ok := repo.Content.Blob(d); !ok {
		return nil, failf("LayersNotFoundException", "The layer with digest '%s' does not exist in the repository with name '%s' "+
			"in the registry with id '%s'", d, repo.name, c.reg.account)
	}
	return map[string]string{"downloadUrl": c.region.sign(repo, d), "layerDigest": d.String()}, nil
}

func batchCheckLayerAvailability(c *call, in *layerInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.LayerDigests) == 0 || len(in.LayerDigests) > 100 {
		return nil, invalidf("layerDigests", "Member must have length between 1 and 100")
	}
	type layer struct {
		Digest       string `json:"layerDigest"`
		Availability string `json:"layerAvailability"`
		Size         int64  `json:"layerSize,omitempty"`
	}
	layers := []layer{}
	for _, d := range in.LayerDigests {
		l := layer{Digest: d, Availability: "UNAVAILABLE"}
		if b, ok := repo.Content.Blob(digest.Digest(d)); ok {
			l.Availability, l.Size = "AVAILABLE", b.Size()
		}
		layers = append(layers, l)
	}
	return map[string]any{"layers": layers, "failures": []imageFailure{}}, nil
}
