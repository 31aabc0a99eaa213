package arsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

// upload is a session between POST and PUT. Artifact Registry takes a blob whole, in the PUT or in one PATCH before
// it, and nothing in parts: what breaks starts again with a POST (FACTS B6).
type upload struct {
	dataRoute
	location string
	received *received // nil until a PATCH brought the blob
	busy     bool
}

// received is a body that has arrived.
type received struct {
	digest digest.Digest
	blob   store.Blob
}

// startUpload opens a session; with ?digest= it may take the blob at once.
func (h *DataHandler) startUpload(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	if want := r.URL.Query().Get("digest"); want != "" {
		switch h.cloud.opts.SinglePost {
		case SinglePostAccepted:
			got, err := h.receive(r, want)
			if err != nil {
				return err
			}
			return h.commit(w, call, got)
		case SinglePostRefused:
			return refuse(http.StatusBadRequest, "UNSUPPORTED", "single POST uploads are not supported")
		}
	}
	// The answer must not overtake a body that is still being sent, or the client sees a broken pipe instead of it.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return refuse(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "reading the request: %v", err)
	}
	return h.openUpload(w, r, call)
}

// openUpload answers 202 with a new session's Location, which lies outside of /v2/.
func (h *DataHandler) openUpload(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	id := h.cloud.nextID()
	h.cloud.mu.Lock()
	h.cloud.uploads[id] = &upload{dataRoute: call.dataRoute, location: h.location}
	h.cloud.mu.Unlock()
	h.accepted(w, r, call, id, "0-0")
	return nil
}

func (h *DataHandler) accepted(w http.ResponseWriter, r *http.Request, call *dataCall, id, received string) {
	path := uploadsPrefix + call.project + "/repositories/" + call.repository + "/uploads/" + id
	// A query of its own: the client must add digest= to it, not replace it.
	w.Header().Set("Location", h.absolute(r, (&url.URL{Path: path}).EscapedPath()+"?state="+received))
	w.Header().Set("Docker-Upload-UUID", id)
	w.Header().Set("Range", received)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
}

// takeUpload finds the session that a path names and holds it until releaseUpload.
func (h *DataHandler) takeUpload(call *dataCall) (*upload, error) {
	h.cloud.mu.Lock()
	defer h.cloud.mu.Unlock()
	u, ok := h.cloud.uploads[call.reference]
	if !ok || u.location != h.location || u.project != call.project || u.repository != call.repository {
		return nil, refuse(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "upload %q is not known to the registry", call.reference)
	}
	if u.busy {
		return nil, refuse(http.StatusConflict, "BLOB_UPLOAD_INVALID", "upload %q is being written to by another request", call.reference)
	}
	u.busy = true
	return u, nil
}

// releaseUpload gives a session back, or ends it.
func (h *DataHandler) releaseUpload(id string, u *upload, keep bool) {
	h.cloud.mu.Lock()
	defer h.cloud.mu.Unlock()
	u.busy = false
	if !keep {
		delete(h.cloud.uploads, id)
	}
}

func chunked() *registryError {
	return refuse(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "chunked uploads are not supported: upload the blob in one request")
}

// patchUpload takes the whole blob as one stream; a part of one is refused, and so is a second stream.
func (h *DataHandler) patchUpload(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	u, err := h.takeUpload(call)
	if err != nil {
		return err
	}
	keep := false
	defer func() { h.releaseUpload(call.reference, u, keep) }()
	if u.received != nil || r.Header.Get("Content-Range") != "" {
		return chunked()
	}
	got, err := h.receive(r, "")
	if err != nil {
		return err
	}
	u.received, keep = got, true
	h.accepted(w, r, call, call.reference, fmt.Sprintf("0-%d", max(0, got.blob.Size()-1)))
	return nil
}

// putUpload ends a session with the blob as its body, or with none after a PATCH.
func (h *DataHandler) putUpload(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	u, err := h.takeUpload(call)
	if err != nil {
		return err
	}
	defer h.releaseUpload(call.reference, u, false)
	want := r.URL.Query().Get("digest")
	if want == "" {
		return refuse(http.StatusBadRequest, "DIGEST_INVALID", "the digest parameter is missing")
	}
	if r.Header.Get("Content-Range") != "" || (u.received != nil && r.ContentLength > 0) {
		return chunked()
	}
	got := u.received
	if got == nil {
		if got, err = h.receive(r, want); err != nil {
			return err
		}
	}
	if got.digest.String() != want {
		return digestInvalid(want, got.digest)
	}
	call.dataRoute = u.dataRoute
	return h.commit(w, call, got)
}

func digestInvalid(want string, got digest.Digest) *registryError {
	return refuse(http.StatusBadRequest, "DIGEST_INVALID", "provided digest %q did not match uploaded content %q", want, got)
}

// commit makes a received blob one of the image's.
func (h *DataHandler) commit(w http.ResponseWriter, call *dataCall, got *received) error {
	h.cloud.ensureImage(call.repo, call.image).store.PutBlob(got.digest, got.blob)
	return h.created(w, call.blobPath(got.digest.String()), got.digest)
}

// receive reads a blob and, if want is set, checks it.
func (h *DataHandler) receive(r *http.Request, want string) (*received, error) {
	if want != "" {
		if d, err := digest.Parse(want); err != nil || d.Algorithm() != digest.SHA256 {
			return nil, refuse(http.StatusBadRequest, "DIGEST_INVALID", "invalid digest %q", want)
		}
	}
	limit := h.cloud.opts.ForgetBlobsOver
	keep := limit <= 0 || (r.ContentLength >= 0 && r.ContentLength <= limit)
	hash := digest.SHA256.Digester()
	var n int64
	var err error
	var buf bytes.Buffer
	if keep {
		buf.Grow(int(min(max(r.ContentLength, 0)+bytes.MinRead, 1<<26)))
		n, err = buf.ReadFrom(io.TeeReader(r.Body, hash.Hash()))
	} else {
		n, err = io.Copy(hash.Hash(), r.Body)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "reading the blob: %v", err)
	}
	got := &received{digest: hash.Digest(), blob: forgotten(n)}
	if keep {
		got.blob = store.BytesBlob(buf.Bytes())
	}
	if want != "" && got.digest.String() != want {
		return nil, digestInvalid(want, got.digest)
	}
	return got, nil
}

// forgotten is a blob of that many bytes which was checked and not kept.
type forgotten int64

func (f forgotten) Size() int64 { return int64(f) }

func (f forgotten) ReadAt([]byte, int64) (int, error) {
	return 0, errors.New("the blob's bytes were not kept: it is larger than Options.ForgetBlobsOver")
}

func (h *DataHandler) uploadStatus(w http.ResponseWriter, _ *http.Request, call *dataCall) error {
	u, err := h.takeUpload(call)
	if err != nil {
		return err
	}
	defer h.releaseUpload(call.reference, u, true)
	w.Header().Set("Docker-Upload-UUID", call.reference)
	w.Header().Set("Range", "0-0")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *DataHandler) cancelUpload(w http.ResponseWriter, _ *http.Request, call *dataCall) error {
	u, err := h.takeUpload(call)
	if err != nil {
		return err
	}
	h.releaseUpload(call.reference, u, false)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
