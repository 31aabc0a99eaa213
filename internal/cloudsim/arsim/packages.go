package arsim

import (
	"net/http"
	"net/url"
	"time"
)

// packageResource is an image as the API shows it.
type packageResource struct {
	Name       string `json:"name"`
	CreateTime string `json:"createTime"`
	UpdateTime string `json:"updateTime"`
}

func renderPackage(repo *repository, name string, img *image) packageResource {
	updated := img.created
	for _, m := range img.store.Manifests() {
		if at := img.updated(m); at.After(updated) {
			updated = at
		}
	}
	return packageResource{
		Name:       repo.key.String() + "/packages/" + url.PathEscape(name),
		CreateTime: timestamp(img.created), UpdateTime: timestamp(updated),
	}
}

// packageOf returns the image that a path names. One that has no manifests is none.
func (h *APIHandler) packageOf(rt apiRoute) (*repository, *image, error) {
	repo, err := h.repository(rt)
	if err != nil {
		return nil, nil, err
	}
	img := h.cloud.image(repo, rt.pkg)
	if img == nil || img.store.Len() == 0 {
		return nil, nil, notFound("package", rt.packageName())
	}
	return repo, img, nil
}

func (h *APIHandler) listPackages(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	repo, err := h.repository(rt)
	if err != nil {
		return err
	}
	p, err := h.pager(r)
	if err != nil {
		return err
	}
	var names []string
	horizon := h.cloud.horizon()
	for _, name := range h.cloud.imageNames(repo) {
		if img := h.cloud.image(repo, name); img != nil && shownAt(img, horizon) {
			names = append(names, name)
		}
	}
	names, next := p.page(names)
	items := make([]packageResource, 0, len(names))
	for _, name := range names {
		if img := h.cloud.image(repo, name); img != nil {
			items = append(items, renderPackage(repo, name, img))
		}
	}
	list(w, "packages", items, next)
	return nil
}

// shownAt reports whether any manifest of the image was there at horizon.
func shownAt(img *image, horizon time.Time) bool {
	for _, m := range img.store.Manifests() {
		if !m.PushedAt.After(horizon) {
			return true
		}
	}
	return false
}

func (h *APIHandler) getPackage(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	repo, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, renderPackage(repo, rt.pkg, img))
	return nil
}

func (h *APIHandler) deletePackage(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	repo, _, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	if repo.immutable() {
		return failedPrecondition("package %s has tags. The repository has enabled tag immutability", rt.pkg)
	}
	h.cloud.mu.Lock()
	delete(repo.images, rt.pkg)
	h.cloud.mu.Unlock()
	writeJSON(w, http.StatusOK, h.cloud.renderOperation(h.cloud.begin(rt.parent(), typeEmpty, empty)))
	return nil
}
