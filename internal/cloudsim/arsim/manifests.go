package arsim

import (
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

var tagGrammar = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

func manifestInvalid(format string, args ...any) *registryError {
	return refuse(http.StatusBadRequest, "MANIFEST_INVALID", format, args...)
}

// getManifest answers GET and HEAD. Artifact Registry converts nothing: Accept has no say.
func (h *DataHandler) getManifest(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	img := h.image(call)
	var m store.Manifest
	ok := false
	if img != nil {
		m, ok = img.store.Resolve(call.reference)
	}
	if !ok {
		return refuse(http.StatusNotFound, "MANIFEST_UNKNOWN", "Failed to fetch %q", call.reference)
	}
	w.Header().Set("Content-Type", m.MediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(m.Bytes)))
	w.Header().Set("Docker-Content-Digest", m.Digest.String())
	w.Header().Set("Etag", strconv.Quote(m.Digest.String()))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(m.Bytes)
	}
	return nil
}

// putManifest stores a manifest under a digest or a tag, if all that it needs is there.
func (h *DataHandler) putManifest(w http.ResponseWriter, r *http.Request, call *dataCall) error {
	limit := h.cloud.opts.MaxManifestBytes
	raw, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return manifestInvalid("reading the manifest: %v", err)
	}
	if int64(len(raw)) > limit {
		return refuse(http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", "manifest is larger than %d bytes", limit)
	}
	mediaType, s, err := checkManifest(r.Header.Get("Content-Type"), raw)
	if err != nil {
		return err
	}
	if err := h.checkTaken(mediaType, s); err != nil {
		return err
	}
	d := h.cloud.digestOf(mediaType, raw)
	tag := ""
	if want, err := digest.Parse(call.reference); err != nil {
		tag = call.reference
	} else if want != d {
		return digestInvalid(call.reference, d)
	}
	if err := h.checkClosure(call, s); err != nil {
		return err
	}
	img := h.cloud.ensureImage(call.repo, call.image)
	if tag != "" {
		if err := h.checkTag(call.repo, img, tag, d); err != nil {
			return err
		}
	}
	img.store.PutManifest(store.Manifest{Digest: d, MediaType: mediaType, Bytes: raw, PushedAt: h.cloud.now()})
	if tag != "" {
		img.setTag(tag, d, h.cloud.now())
	}
	if s.subject != "" && !h.cloud.opts.NoReferrers {
		w.Header().Set("OCI-Subject", s.subject.String())
	}
	return h.created(w, call.manifestPath(d.String()), d)
}

// checkTaken refuses what some variants of the registry do not take.
func (h *DataHandler) checkTaken(mediaType string, s *summary) error {
	schema1 := mediaType == typeDockerSchema1 || mediaType == typeDockerSchema1Signed
	switch {
	case schema1 && h.cloud.opts.Schema1 == Schema1Refused:
		return manifestInvalid("unsupported manifest media type %q", mediaType)
	case isIndexType(mediaType) && len(s.blobs) > 0 && h.cloud.opts.NoIndexedBlobs:
		return manifestInvalid("the manifest list refers to %q, which is no manifest", s.blobs[0])
	}
	return nil
}

// checkManifest reads a manifest and returns its media type.
func checkManifest(contentType string, raw []byte) (string, *summary, error) {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil || !isManifestType(mediaType) {
		return "", nil, manifestInvalid("unsupported manifest media type %q", contentType)
	}
	b, err := parseBody(mediaType, raw)
	if err != nil {
		return "", nil, manifestInvalid("the manifest is not valid JSON: %v", err)
	}
	if b.MediaType != mediaType {
		return "", nil, manifestInvalid("the manifest's media type %q differs from the Content-Type %q", b.MediaType, mediaType)
	}
	switch schema1 := mediaType == typeDockerSchema1 || mediaType == typeDockerSchema1Signed; {
	case schema1 && (b.SchemaVersion != 1 || len(b.FSLayers) == 0):
		return "", nil, manifestInvalid("a schema 1 manifest needs schemaVersion 1 and fsLayers")
	case !schema1 && b.SchemaVersion != 2:
		return "", nil, manifestInvalid("schemaVersion is %d, want 2", b.SchemaVersion)
	case !schema1 && !isIndexType(mediaType) && b.Config == nil:
		return "", nil, manifestInvalid("the manifest has no config")
	}
	for _, d := range b.digests() {
		if err := d.Validate(); err != nil {
			return "", nil, manifestInvalid("descriptor with the digest %q: %v", d, err)
		}
	}
	return mediaType, b.summary(), nil
}

// digests returns all that the manifest refers to.
func (b body) digests() []digest.Digest {
	s := b.summary()
	all := append([]digest.Digest{}, s.blobs...)
	for _, child := range s.children {
		all = append(all, child.Digest)
	}
	if b.Subject != nil {
		all = append(all, b.Subject.Digest)
	}
	return all
}

// checkClosure checks that blobs and children are there. A subject need not be.
func (h *DataHandler) checkClosure(call *dataCall, s *summary) error {
	for _, d := range s.blobs {
		if _, ok := h.cloud.blob(call.repo, call.image, d); !ok {
			return refuse(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", "blob %q is unknown to the registry", d)
		}
	}
	if h.cloud.opts.AnyOrder {
		return nil
	}
	img := h.image(call)
	for _, child := range s.children {
		ok := false
		if img != nil {
			_, ok = img.store.Manifest(child.Digest)
		}
		if !ok {
			return manifestInvalid("the manifest list refers to the manifest %q, which is unknown to the registry", child.Digest)
		}
	}
	return nil
}

// checkTag refuses what immutable tags forbid.
func (h *DataHandler) checkTag(repo *repository, img *image, tag string, d digest.Digest) error {
	if !tagGrammar.MatchString(tag) {
		return refuse(http.StatusBadRequest, "TAG_INVALID", "invalid tag %q", tag)
	}
	if !repo.immutable() {
		return nil
	}
	at, ok := img.store.TagDigest(tag)
	if ok && (at != d || h.cloud.opts.ImmutableRefusesSame) {
		return manifestInvalid("cannot update tag %s. The repository has enabled tag immutability", tag)
	}
	return nil
}

// deleteManifest removes a tag, or a manifest that nothing needs any more (FACTS B6).
func (h *DataHandler) deleteManifest(w http.ResponseWriter, _ *http.Request, call *dataCall) error {
	img := h.image(call)
	unknown := refuse(http.StatusNotFound, "MANIFEST_UNKNOWN", "Failed to fetch %q", call.reference)
	if img == nil {
		return unknown
	}
	d, err := digest.Parse(call.reference)
	if err != nil {
		if _, ok := img.store.TagDigest(call.reference); !ok {
			return unknown
		}
		if call.repo.immutable() {
			return manifestInvalid("cannot delete tag %s. The repository has enabled tag immutability", call.reference)
		}
		img.deleteTag(call.reference, h.cloud.now())
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if _, ok := img.store.Manifest(d); !ok {
		return unknown
	}
	if err := h.cloud.checkUnneeded(img, d); err != nil {
		return err
	}
	img.store.DeleteManifest(d)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// checkUnneeded refuses to delete what a tag, an index or a referrer points at.
func (c *Cloud) checkUnneeded(img *image, d digest.Digest) error {
	if tags := img.store.TagsByDigest()[d]; len(tags) > 0 {
		return refuse(http.StatusBadRequest, "GOOGLE_MANIFEST_DANGLING_TAG", "Manifest is still referenced by tag: %s", tags[0])
	}
	for _, m := range img.store.Manifests() {
		s := c.summary(m)
		for _, child := range s.children {
			if child.Digest == d {
				return refuse(http.StatusBadRequest, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", "Manifest is still referenced by one or more images: %s", m.Digest)
			}
		}
		if s.subject == d {
			return refuse(http.StatusBadRequest, "GOOGLE_MANIFEST_REFERRING_MANIFEST", "Manifest has a referring manifest: %s", m.Digest)
		}
	}
	return nil
}
