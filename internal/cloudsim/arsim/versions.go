package arsim

import (
	"net/http"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

// versionResource is a manifest as the API shows it. What follows UpdateTime is only in the view FULL.
type versionResource struct {
	Name        string         `json:"name"`
	CreateTime  string         `json:"createTime"`
	UpdateTime  string         `json:"updateTime"`
	Metadata    map[string]any `json:"metadata,omitempty"`
	RelatedTags []tagResource  `json:"relatedTags,omitempty"`
}

func (c *Cloud) version(repo *repository, rt apiRoute, img *image, m store.Manifest, tags []string, full bool) versionResource {
	out := versionResource{
		Name:       rt.packageName() + "/versions/" + m.Digest.String(),
		CreateTime: timestamp(m.PushedAt), UpdateTime: timestamp(img.updated(m)),
	}
	if !full {
		return out
	}
	entry := c.dockerImage(repo, rt.pkg, img, m, tags)
	// The size is a string here: the metadata is the JSON form of a docker image.
	out.Metadata = map[string]any{"name": entry.Name, "imageSizeBytes": itoa(entry.Size), "mediaType": m.MediaType}
	if entry.ArtifactType != "" {
		out.Metadata["artifactType"] = entry.ArtifactType
	}
	if len(entry.ImageManifests) > 0 {
		out.Metadata["imageManifests"] = entry.ImageManifests
	}
	for _, tag := range tags[:min(len(tags), c.opts.MaxRelatedTags)] {
		out.RelatedTags = append(out.RelatedTags, renderTag(rt, tag, m.Digest))
	}
	return out
}

// fullView reports whether the caller asks for all fields.
func fullView(r *http.Request) (bool, error) {
	switch view := r.URL.Query().Get("view"); view {
	case "", "BASIC", "VERSION_VIEW_UNSPECIFIED":
		return false, nil
	case "FULL":
		return true, nil
	default:
		return false, invalidArgument("view %q is unknown", view)
	}
}

func (h *APIHandler) listVersions(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	p, err := h.pager(r)
	if err != nil {
		return err
	}
	full, err := fullView(r)
	if err != nil {
		return err
	}
	l := img.listing(h.cloud.horizon())
	byDigest, tags := map[string]store.Manifest{}, l.byDigest()
	keys := make([]string, 0, len(l.versions))
	for _, m := range l.versions {
		keys, byDigest[m.Digest.String()] = append(keys, m.Digest.String()), m
	}
	slices.Sort(keys)
	keys, next := p.page(keys)
	items := make([]versionResource, 0, len(keys))
	for _, key := range keys {
		m := byDigest[key]
		items = append(items, h.cloud.version(repo, rt, img, m, tags[m.Digest], full))
	}
	list(w, "versions", items, next)
	return nil
}

func (h *APIHandler) getVersion(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	full, err := fullView(r)
	if err != nil {
		return err
	}
	m, ok := img.store.Manifest(digest.Digest(rt.member))
	if !ok {
		return notFound("version", rt.packageName()+"/versions/"+rt.member)
	}
	writeJSON(w, http.StatusOK, h.cloud.version(repo, rt, img, m, img.store.TagsByDigest()[m.Digest], full))
	return nil
}

// deleteVersion removes a manifest; one that is tagged only with force=true, and then with its tags.
func (h *APIHandler) deleteVersion(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	d := digest.Digest(rt.member)
	if _, ok := img.store.Manifest(d); !ok {
		return notFound("version", rt.packageName()+"/versions/"+rt.member)
	}
	if tags := img.store.TagsByDigest()[d]; len(tags) > 0 {
		switch {
		case repo.immutable():
			return failedPrecondition("version %s is tagged %s. The repository has enabled tag immutability", d, tags[0])
		case r.URL.Query().Get("force") != "true":
			return failedPrecondition("cannot delete version %s because it is tagged", d)
		}
		for _, tag := range tags {
			img.deleteTag(tag, h.cloud.now())
		}
	}
	if err := h.cloud.checkUnneeded(img, d); err != nil {
		return failedPrecondition("%v", err)
	}
	img.store.DeleteManifest(d)
	writeJSON(w, http.StatusOK, h.cloud.renderOperation(h.cloud.begin(rt.parent(), typeEmpty, empty)))
	return nil
}
