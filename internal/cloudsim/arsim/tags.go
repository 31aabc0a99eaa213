package arsim

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// tagResource is a tag as the API shows it.
type tagResource struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func renderTag(rt apiRoute, tag string, d digest.Digest) tagResource {
	return tagResource{Name: rt.packageName() + "/tags/" + tag, Version: rt.packageName() + "/versions/" + d.String()}
}

var versionFilter = regexp.MustCompile(`^\s*version\s*=\s*"([^"]*)"\s*$`)

func (h *APIHandler) listTags(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	_, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	p, err := h.pager(r)
	if err != nil {
		return err
	}
	l := img.listing(h.cloud.horizon())
	names := l.tagNames()
	if filter := r.URL.Query().Get("filter"); filter != "" {
		m := versionFilter.FindStringSubmatch(filter)
		if m == nil {
			return invalidArgument("filter %q is not version=\"VERSION\"", filter)
		}
		names = l.byDigest()[versionDigest(m[1])]
	}
	names, next := p.page(names)
	items := make([]tagResource, 0, len(names))
	for _, tag := range names {
		items = append(items, renderTag(rt, tag, l.tags[tag]))
	}
	list(w, "tags", items, next)
	return nil
}

// versionDigest returns the digest at the end of a version's name.
func versionDigest(name string) digest.Digest {
	return digest.Digest(name[strings.LastIndex(name, "/")+1:])
}

func (h *APIHandler) getTag(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	_, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	d, ok := img.store.TagDigest(rt.member)
	if !ok {
		return notFound("tag", rt.packageName()+"/tags/"+rt.member)
	}
	writeJSON(w, http.StatusOK, renderTag(rt, rt.member, d))
	return nil
}

func (h *APIHandler) createTag(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	rt.member = r.URL.Query().Get("tagId")
	return h.writeTag(w, r, rt, true)
}

func (h *APIHandler) patchTag(w http.ResponseWriter, r *http.Request, rt apiRoute) error {
	return h.writeTag(w, r, rt, false)
}

// writeTag makes a tag, or moves one.
func (h *APIHandler) writeTag(w http.ResponseWriter, r *http.Request, rt apiRoute, create bool) error {
	repo, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	var request tagResource
	if err := readJSON(r, &request); err != nil {
		return err
	}
	if !tagGrammar.MatchString(rt.member) {
		return invalidArgument("invalid tag %q", rt.member)
	}
	d := versionDigest(request.Version)
	if _, ok := img.store.Manifest(d); !ok {
		return notFound("version", request.Version)
	}
	at, exists := img.store.TagDigest(rt.member)
	switch {
	case create && exists:
		return alreadyExists("tag")
	case !create && !exists:
		return notFound("tag", rt.packageName()+"/tags/"+rt.member)
	case exists && at != d && repo.immutable():
		return failedPrecondition("cannot update tag %s. The repository has enabled tag immutability", rt.member)
	}
	img.setTag(rt.member, d, h.cloud.now())
	writeJSON(w, http.StatusOK, renderTag(rt, rt.member, d))
	return nil
}

func (h *APIHandler) deleteTag(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	repo, img, err := h.packageOf(rt)
	if err != nil {
		return err
	}
	if _, ok := img.store.TagDigest(rt.member); !ok {
		return notFound("tag", rt.packageName()+"/tags/"+rt.member)
	}
	if repo.immutable() {
		return failedPrecondition("cannot delete tag %s. The repository has enabled tag immutability", rt.member)
	}
	img.deleteTag(rt.member, h.cloud.now())
	writeJSON(w, http.StatusOK, struct{}{})
	return nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
