package arsim

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

// blob returns a blob that the image, or as Options.Blobs says any image of the repository, holds.
func (c *Cloud) blob(repo *repository, image string, d digest.Digest) (store.Blob, bool) {
	if img := c.image(repo, image); img != nil {
		if b, ok := img.store.Blob(d); ok {
			return b, true
		}
	}
	if c.opts.Blobs != BlobsPerRepository {
		return nil, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, img := range repo.images {
		if b, ok := img.store.Blob(d); ok {
			return b, true
		}
	}
	return nil, false
}

func (h *DataHandler) blobOf(call *dataCall) (store.Blob, digest.Digest, error) {
	d, err := digest.Parse(call.reference)
	if err != nil {
		return nil, "", refuse(http.StatusBadRequest, "DIGEST_INVALID", "invalid digest %q", call.reference)
	}
	b, ok := h.cloud.blob(call.repo, call.image, d)
	if !ok {
		return nil, "", refuse(http.StatusNotFound, "BLOB_UNKNOWN", "blob %q is unknown to the registry", d)
	}
	return b, d, nil
}

func (h *DataHandler) headBlob(w http.ResponseWriter, _ *http.Request, call *dataCall) error {
	b, d, err := h.blobOf(call)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(b.Size(), 10))
	w.Header().Set("Docker-Content-Digest", d.String())
	w.Header().Set("Accept-Ranges", "bytes")
	w.WriteHeader(http.StatusOK)
	return nil
}

// getBlob redirects to a path of the same host that wants the credentials again (FACTS B6).
func (h *DataHandler) getBlob(w http.ResponseWriter, _ *http.Request, call *dataCall) error {
	_, d, err := h.blobOf(call)
	if err != nil {
		return err
	}
	key := base64.RawURLEncoding.EncodeToString([]byte(call.image + "@" + d.String()))
	path := url.URL{Path: downloadsPrefix + call.project + "/repositories/" + call.repository + "/downloads/" + key}
	w.Header().Set("Location", path.EscapedPath())
	w.Header().Set("Docker-Content-Digest", d.String())
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusFound)
	return nil
}

// download serves a blob's bytes, or the range that is asked for.
func (h *DataHandler) download(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	key, err := base64.RawURLEncoding.DecodeString(call.reference)
	image, reference, ok := strings.Cut(string(key), "@")
	if err != nil || !ok || classOf(r.Method) != reading {
		return refuse(http.StatusNotFound, "BLOB_UNKNOWN", "no such download")
	}
	call.image, call.reference = image, reference
	b, d, err := h.blobOf(call)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", d.String())
	w.Header().Set("Etag", strconv.Quote(d.String()))
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(b, 0, b.Size()))
	return nil
}

// mount gives the image a blob of another one, or answers as for an upload: 202 and a Location.
func (h *DataHandler) mount(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	query := r.URL.Query()
	d, err := digest.Parse(query.Get("mount"))
	if err != nil {
		return refuse(http.StatusBadRequest, "DIGEST_INVALID", "invalid digest %q", query.Get("mount"))
	}
	location := h.location
	if from := query.Get("origin"); from != "" {
		location, _ = strings.CutSuffix(from, "-docker.pkg.dev")
	}
	project, id, image := splitName(query.Get("from"))
	if project != "" && h.cloud.denied(project, permDownload) {
		if status := h.cloud.opts.MountDeniedStatus; status >= 400 {
			return refuse(status, "DENIED", "Permission %q denied on resource %q (or it may not exist)", permDownload, repoKey{location, project, id})
		}
		return h.openUpload(w, r, call)
	}
	if repo, ok := h.cloud.lookup(repoKey{location, project, id}); ok {
		if b, ok := h.mountable(repo, image, d); ok {
			h.cloud.ensureImage(call.repo, call.image).store.PutBlob(d, b)
			return h.created(w, call.blobPath(d.String()), d)
		}
	}
	return h.openUpload(w, r, call)
}

// mountable returns the blob if it may be mounted from that image.
func (h *DataHandler) mountable(repo *repository, image string, d digest.Digest) (store.Blob, bool) {
	c := h.cloud
	b, ok := c.blob(repo, image, d)
	switch {
	case !ok || c.opts.Mount == MountNever:
		return nil, false
	case c.opts.Mount == MountNeedsBlob:
		return b, true
	}
	names := []string{image}
	if c.opts.Blobs == BlobsPerRepository {
		names = c.imageNames(repo)
	}
	for _, name := range names {
		img := c.image(repo, name)
		if img == nil {
			continue
		}
		for _, m := range img.store.Manifests() {
			if slices.Contains(c.summary(m).blobs, d) {
				return b, true
			}
		}
	}
	return nil, false
}
