package arsim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxListed is how many tags the data plane lists at most; beyond, its list is silently incomplete (FACTS B3).
const maxListed = 10_000

// listedManifest is an entry of the manifest map that Google adds to a tags list.
type listedManifest struct {
	Size      string   `json:"imageSizeBytes"`
	LayerID   string   `json:"layerId"`
	MediaType string   `json:"mediaType"`
	Tags      []string `json:"tag"`
	Created   string   `json:"timeCreatedMs"`
	Uploaded  string   `json:"timeUploadedMs"`
}

// listTags lists an image's tags, its manifests, and the images below its path.
func (h *DataHandler) listTags(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	manifests, tags := map[string]listedManifest{}, []string{}
	img := h.image(call)
	if img != nil {
		l := img.listing(h.cloud.horizon())
		tags = l.tagNames()
		byDigest := l.byDigest()
		for _, m := range l.versions {
			if len(manifests) == maxListed {
				break
			}
			manifests[m.Digest.String()] = listedManifest{
				Size: strconv.FormatInt(h.cloud.summary(m).size, 10), MediaType: m.MediaType, Tags: slices.Clip(append([]string{}, byDigest[m.Digest]...)),
				Created: strconv.FormatInt(m.PushedAt.UnixMilli(), 10), Uploaded: strconv.FormatInt(m.PushedAt.UnixMilli(), 10),
			}
		}
	}
	children := childrenOf(h.cloud.imageNames(call.repo), call.image)
	if img == nil && len(children) == 0 && call.image != "" {
		return refuse(http.StatusNotFound, "NAME_UNKNOWN", "Image %q not found", call.image)
	}
	page, next := pageOfTags(tags[:min(len(tags), maxListed)], r.URL.Query())
	if next != "" {
		w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?%s>; rel="next"`, call.name, next))
	}
	writeJSON(w, http.StatusOK, map[string]any{"name": call.name, "tags": page, "child": children, "manifest": manifests})
	return nil
}

// pageOfTags applies n and last, and returns the query of the next page.
func pageOfTags(tags []string, query url.Values) (page []string, next string) {
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(tags, last)
		if found {
			i++
		}
		tags = tags[i:]
	}
	n, err := strconv.Atoi(query.Get("n"))
	if err != nil || n <= 0 || n >= len(tags) {
		return tags, ""
	}
	return tags[:n], url.Values{"n": {strconv.Itoa(n)}, "last": {tags[n-1]}}.Encode()
}

// childrenOf returns the next path element of each image below parent, sorted.
func childrenOf(names []string, parent string) []string {
	children := []string{}
	for _, name := range names {
		if parent != "" {
			below, ok := strings.CutPrefix(name, parent+"/")
			if !ok {
				continue
			}
			name = below
		}
		child, _, _ := strings.Cut(name, "/")
		children = append(children, child)
	}
	slices.Sort(children)
	return slices.Compact(children)
}

// referrers lists the manifests of the image whose subject is the digest, as an index.
func (h *DataHandler) referrers(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	if h.cloud.opts.NoReferrers {
		return refuse(http.StatusNotFound, "UNSUPPORTED", "the referrers API is not supported")
	}
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{}}
	index.SchemaVersion = 2
	want := r.URL.Query().Get("artifactType")
	if want != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	if img := h.image(call); img != nil {
		for _, m := range img.store.Manifests() {
			s := h.cloud.summary(m)
			if s.subject.String() != call.reference || (want != "" && s.referrerType() != want) {
				continue
			}
			index.Manifests = append(index.Manifests, ocispec.Descriptor{
				MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Bytes)), ArtifactType: s.referrerType(), Annotations: s.annotations,
			})
		}
	}
	w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
	writeJSON(w, http.StatusOK, index)
	return nil
}
