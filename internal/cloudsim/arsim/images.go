package arsim

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

// dockerImage is an entry of dockerImages.list: one manifest of one image, whatever it is.
type dockerImage struct {
	Name           string          `json:"name"`
	URI            string          `json:"uri"`
	Tags           []string        `json:"tags,omitempty"`
	Size           int64           `json:"imageSizeBytes,string"`
	UploadTime     string          `json:"uploadTime"`
	MediaType      string          `json:"mediaType"`
	UpdateTime     string          `json:"updateTime"`
	ArtifactType   string          `json:"artifactType,omitempty"`
	ImageManifests []imageManifest `json:"imageManifests,omitempty"`
}

// imageManifest is a child of an index.
type imageManifest struct {
	Architecture string   `json:"architecture,omitempty"`
	Digest       string   `json:"digest"`
	MediaType    string   `json:"mediaType"`
	OS           string   `json:"os,omitempty"`
	OSFeatures   []string `json:"osFeatures,omitempty"`
	OSVersion    string   `json:"osVersion,omitempty"`
	Variant      string   `json:"variant,omitempty"`
}

// dockerImage renders one manifest.
func (c *Cloud) dockerImage(repo *repository, name string, img *image, m store.Manifest, tags []string) dockerImage {
	if limit := c.opts.MaxImageTags; limit > 0 && len(tags) > limit {
		tags = tags[:limit]
	}
	s := c.summary(m)
	out := dockerImage{
		Name: repo.key.String() + "/dockerImages/" + url.PathEscape(name) + "@" + m.Digest.String(),
		URI:  repo.key.location + "-docker.pkg.dev/" + repo.key.path() + "/" + name + "@" + m.Digest.String(),
		Tags: tags, Size: s.size, MediaType: m.MediaType,
		UploadTime: timestamp(m.PushedAt), UpdateTime: timestamp(img.updated(m)),
		ArtifactType: s.shownType(m.MediaType),
	}
	for _, child := range s.children {
		entry := imageManifest{Digest: child.Digest.String(), MediaType: child.MediaType}
		if p := child.Platform; p != nil {
			entry.Architecture, entry.OS, entry.Variant = p.Architecture, p.OS, p.Variant
			entry.OSFeatures, entry.OSVersion = p.OSFeatures, p.OSVersion
		}
		out.ImageManifests = append(out.ImageManifests, entry)
	}
	return out
}

// shownType is the artifact type in listings: a referrer that says none shows its media type.
func (s *summary) shownType(mediaType string) string {
	if s.artifactType == "" && s.subject != "" {
		return mediaType
	}
	return s.artifactType
}

// listImages lists every manifest of every image of a repository, by image path and digest. FACTS F [U]: children of
// indexes and referrers are taken to be listed as well.
func (h *APIHandler) listImages(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	p, err := h.pager(r)
	if err != nil {
		return err
	}
	if repo.settings().Format != "DOCKER" {
		return invalidArgument("repository %s is not of format DOCKER", repo.key)
	}
	afterImage, _, _ := strings.Cut(p.after, "\x00")
	items, next, last := []dockerImage{}, "", ""
	for _, name := range h.cloud.imageNames(repo) {
		if name < afterImage {
			continue
		}
		img := h.cloud.image(repo, name)
		if img == nil {
			continue
		}
		l := img.listing(h.cloud.horizon())
		tags := l.byDigest()
		for _, m := range l.versions {
			key := name + "\x00" + m.Digest.String()
			if key <= p.after {
				continue
			}
			if len(items) == p.left {
				next = token(last)
				break
			}
			items, last = append(items, h.cloud.dockerImage(repo, name, img, m, tags[m.Digest])), key
		}
		if next != "" {
			break
		}
	}
	list(w, "dockerImages", items, next)
	return nil
}

func (h *APIHandler) getImage(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	name, reference, _ := strings.Cut(rt.member, "@")
	img := h.cloud.image(repo, name)
	if img == nil {
		return notFound("image", rt.member)
	}
	m, ok := img.store.Manifest(digest.Digest(reference))
	if !ok {
		return notFound("image", rt.member)
	}
	writeJSON(w, http.StatusOK, h.cloud.dockerImage(repo, name, img, m, img.store.TagsByDigest()[m.Digest]))
	return nil
}
