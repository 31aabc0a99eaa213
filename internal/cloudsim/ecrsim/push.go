package ecrsim

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/store"
)

// pushError is why a manifest is refused, in the words of both interfaces.
type pushError struct {
	status    int
	code      string // of the data plane
	exception string // of the API
	message   string
}

// maxTags is the number of tags that an image may have. FACTS A2.
const maxTags = 1000

// put stores a manifest and points tag, if any, at it.
func (p *Repository) put(body []byte, mediaType, tag string) (store.Manifest, *pushError) {
	var parsed manifest
	if err := json.Unmarshal(body, &parsed); err != nil {
		return store.Manifest{}, &pushError{http.StatusBadRequest, "MANIFEST_INVALID", "InvalidParameterException",
			"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"}
	}
	m := store.Manifest{
		Digest: digest.FromBytes(body), Bytes: body, PushedAt: p.registry.now(),
		MediaType: cmp.Or(mediaType, parsed.MediaType, ocispec.MediaTypeImageManifest),
	}
	for _, b := range parsed.blobs() {
		if _, ok := p.Content.Blob(b.Digest); !ok && len(b.URLs) == 0 {
			return m, &pushError{http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", "LayersNotFoundException",
				"The layer with digest '" + b.Digest.String() + "' required by the image does not exist"}
		}
	}
	for _, child := range parsed.Manifests {
		if _, ok := p.Content.Manifest(child.Digest); !ok {
			return m, &pushError{http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", "ReferencedImagesNotFoundException",
				"Images with digests '[" + child.Digest.String() + "]' required for pushing image into repository with name '" +
					p.name + "' in the registry with id '" + p.registry.account + "' do not exist"}
		}
	}
	if perr := p.checkTag(tag, m.Digest); perr != nil {
		return m, perr
	}
	p.Content.PutManifest(m)
	if tag != "" {
		p.Content.Tag(tag, m.Digest)
	}
	p.emit("PUSH", m.Digest, tag, "")
	return m, nil
}

// checkTag refuses to move an immutable tag, and too many tags.
func (p *Repository) checkTag(tag string, d digest.Digest) *pushError {
	if tag == "" {
		return nil
	}
	at, exists := p.Content.TagDigest(tag)
	if exists && at != d && !p.mayMove(tag) {
		return &pushError{http.StatusBadRequest, "TAG_INVALID", "ImageTagAlreadyExistsException",
			fmt.Sprintf("The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.",
				tag, p.name)}
	}
	if !exists && p.Content.TagCount(d) >= maxTags {
		return &pushError{http.StatusForbidden, "DENIED", "LimitExceededException",
			fmt.Sprintf("The image with digest '%s' has the maximum of %d tags", d, maxTags)}
	}
	return nil
}

func (p *Repository) pushManifest(w http.ResponseWriter, req *http.Request, reference string) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxManifest+1))
	switch {
	case err != nil:
		fail(w, http.StatusBadRequest, "MANIFEST_INVALID", err.Error())
		return
	case len(body) > maxManifest:
		fail(w, http.StatusRequestEntityTooLarge, "SIZE_INVALID", "the manifest is larger than 4 MiB")
		return
	}
	tag := reference
	if d, err := digest.Parse(reference); err == nil {
		tag = ""
		if d.Algorithm().FromBytes(body) != d {
			fail(w, http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content")
			return
		}
	}
	mediaType, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	m, perr := p.put(body, mediaType, tag)
	if perr != nil {
		fail(w, perr.status, perr.code, perr.message)
		return
	}
	h := w.Header()
	if subject := p.parse(m).Subject; subject != nil {
		h.Set("Oci-Subject", subject.Digest.String())
	}
	h.Set("Location", "https://"+req.Host+"/v2/"+p.name+"/manifests/"+reference)
	h.Set("Docker-Content-Digest", m.Digest.String())
	w.WriteHeader(http.StatusCreated)
}

// upload is a blob on its way in.
type upload struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *Repository) serveUpload(w http.ResponseWriter, req *http.Request, id string) {
	if req.Method == http.MethodPost {
		p.startUpload(w, req)
		return
	}
	r := p.registry
	r.mu.RLock()
	u := r.uploads[id]
	r.mu.RUnlock()
	if u == nil {
		fail(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if req.Method == http.MethodPatch || req.Method == http.MethodPut {
		if _, err := u.buf.ReadFrom(req.Body); err != nil {
			fail(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", err.Error())
			return
		}
	}
	switch req.Method {
	case http.MethodPut:
		p.finishUpload(w, req, id, u)
	case http.MethodDelete:
		p.endUpload(id)
		w.WriteHeader(http.StatusNoContent)
	default:
		p.uploadStatus(w, req, id, u.buf.Len())
	}
}

func (p *Repository) startUpload(w http.ResponseWriter, req *http.Request) {
	if q := req.URL.Query(); q.Get("mount") != "" {
		setting, _ := p.registry.accountSetting("BLOB_MOUNTING")
		from, d := p.registry.Repository(q.Get("from")), digest.Digest(q.Get("mount"))
		if from != nil && setting == "ENABLED" {
			if b, ok := from.Content.Blob(d); ok {
				p.Content.PutBlob(d, b)
				p.created(w, req, d)
				return
			}
		}
	}
	id := rand.Text()
	p.registry.mu.Lock()
	p.registry.uploads[id] = &upload{}
	p.registry.mu.Unlock()
	p.uploadStatus(w, req, id, 0)
}

func (p *Repository) uploadStatus(w http.ResponseWriter, req *http.Request, id string, size int) {
	h := w.Header()
	h.Set("Location", "https://"+req.Host+"/v2/"+p.name+"/blobs/uploads/"+id)
	h.Set("Docker-Upload-Uuid", id)
	h.Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
	w.WriteHeader(http.StatusAccepted)
}

func (p *Repository) finishUpload(w http.ResponseWriter, req *http.Request, id string, u *upload) {
	d, err := digest.Parse(req.URL.Query().Get("digest"))
	if err != nil || d.Algorithm().FromBytes(u.buf.Bytes()) != d {
		fail(w, http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content")
		return
	}
	p.Content.PutBlob(d, store.BytesBlob(u.buf.Bytes()))
	p.endUpload(id)
	p.created(w, req, d)
}

func (p *Repository) endUpload(id string) {
	p.registry.mu.Lock()
	defer p.registry.mu.Unlock()
	delete(p.registry.uploads, id)
}

func (p *Repository) created(w http.ResponseWriter, req *http.Request, d digest.Digest) {
	h := w.Header()
	h.Set("Location", "https://"+req.Host+"/v2/"+p.name+"/blobs/"+d.String())
	h.Set("Docker-Content-Digest", d.String())
	w.WriteHeader(http.StatusCreated)
}
