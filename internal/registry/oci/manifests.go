package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/registry"
	"transship/internal/registry/secret"
)

// corruptTries is how often bytes that do not match their digest are asked for again.
const corruptTries = 2

// accepted is what a manifest may be: schema 1 too, so that the answer is what is stored and not an error or, worse, a
// conversion. FACTS A4.
func accepted() string {
	return strings.Join(append(registry.ManifestMediaTypes(), registry.MediaTypeDockerSigned1, registry.MediaTypeDockerSchema1), ", ")
}

// Manifest returns the manifest that reference, a tag or a digest, names. Its bytes match its digest. One request.
// registry.NotFound and NoRepository say that there is none; Corrupt, that the registry serves other bytes;
// Unsupported, that it is larger than registry.MaxManifestBytes.
func (c *Client) Manifest(ctx context.Context, name, reference string) (registry.Manifest, error) {
	t := c.task("read manifest", name, "manifests", reference)
	if err := checkReference(name, reference); err != nil {
		return registry.Manifest{}, c.wrong(t, registry.Invalid, err)
	}
	var m registry.Manifest
	err := c.do(ctx, t, corruptTries, func(ctx context.Context) (err error) {
		m, err = c.readManifest(ctx, t, reference)
		return err
	})
	return m, err
}

func (c *Client) readManifest(ctx context.Context, t task, reference string) (registry.Manifest, error) {
	res, err := c.exchange(ctx, exchange{
		task: t, method: http.MethodGet, follow: true, header: http.Header{"Accept": {accepted()}},
	})
	if err != nil {
		return registry.Manifest{}, err
	}
	if res.StatusCode != http.StatusOK {
		return registry.Manifest{}, c.unexpected(t, res)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, registry.MaxManifestBytes+1))
	if err != nil {
		return registry.Manifest{}, err
	}
	if len(body) > registry.MaxManifestBytes {
		return registry.Manifest{}, c.wrong(t, registry.Unsupported,
			fmt.Errorf("the manifest is larger than %d bytes", registry.MaxManifestBytes))
	}
	m := registry.Manifest{MediaType: mediaTypeOf(res.Header.Get("Content-Type"), body), Bytes: body}
	served := digest.Digest(res.Header.Get("Docker-Content-Digest"))
	switch {
	case strings.Contains(reference, ":"):
		m.Digest = digest.Digest(reference)
	case served.Validate() == nil:
		m.Digest = served
	default:
		m.Digest = digest.FromBytes(body)
	}
	if err := m.Check(); err != nil {
		return registry.Manifest{}, c.wrong(t, registry.Corrupt, err)
	}
	return m, nil
}

// mediaTypeOf returns what a manifest is served as; where that says nothing, what it calls itself; else nothing.
func mediaTypeOf(contentType string, body []byte) string {
	mediaType, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil, mediaType == "application/json", mediaType == "application/octet-stream", strings.HasPrefix(mediaType, "text/"):
		var own struct {
			MediaType string `json:"mediaType"`
		}
		_ = json.Unmarshal(body, &own) // ParseManifest says what is wrong with it
		return own.MediaType
	}
	return mediaType
}

// HeadManifest returns the digest of the manifest that reference names, without its bytes. One request, two where the
// registry does not tell digests. registry.NotFound says that there is none.
func (c *Client) HeadManifest(ctx context.Context, name, reference string) (digest.Digest, error) {
	t := c.task("look up manifest", name, "manifests", reference)
	if err := checkReference(name, reference); err != nil {
		return "", c.wrong(t, registry.Invalid, err)
	}
	var d digest.Digest
	err := c.do(ctx, t, corruptTries, func(ctx context.Context) (err error) {
		d, err = c.headManifest(ctx, t, reference)
		return err
	})
	return d, err
}

func (c *Client) headManifest(ctx context.Context, t task, reference string) (digest.Digest, error) {
	res, err := c.exchange(ctx, exchange{
		task: t, method: http.MethodHead, follow: true, header: http.Header{"Accept": {accepted()}},
	})
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", c.unexpected(t, res)
	}
	res.finish()
	served := digest.Digest(res.Header.Get("Docker-Content-Digest"))
	if served.Validate() != nil {
		m, err := c.readManifest(ctx, t, reference)
		return m.Digest, err
	}
	if strings.Contains(reference, ":") && served.String() != reference {
		return "", c.wrong(t, registry.Corrupt, fmt.Errorf("the registry says that it has the digest %s", served))
	}
	return served, nil
}

// PutManifest stores m at reference, a tag or m's own digest. One request; another one where a tag that cannot be moved
// turns out to be m's already, which is success. registry.Immutable says that it is not; Incomplete, that something m
// needs is missing there.
func (c *Client) PutManifest(ctx context.Context, name, reference string, m registry.Manifest) error {
	t := c.task("write manifest", name, "manifests", reference)
	if err := checkReference(name, reference); err != nil {
		return c.wrong(t, registry.Invalid, err)
	}
	if strings.Contains(reference, ":") && reference != m.Digest.String() {
		return c.wrong(t, registry.Invalid, fmt.Errorf("the manifest has the digest %s", m.Digest))
	}
	if err := m.Check(); err != nil {
		return c.wrong(t, registry.Corrupt, err)
	}
	err := c.do(ctx, t, corruptTries, func(ctx context.Context) error { return c.putManifest(ctx, t, m) })
	if registry.IsClass(err, registry.Immutable) {
		// Ours may have got there by a try whose answer was lost, or by an earlier run. FACTS B6.
		if d, headErr := c.HeadManifest(ctx, name, reference); headErr == nil && d == m.Digest {
			return nil
		}
	}
	return err
}

func (c *Client) putManifest(ctx context.Context, t task, m registry.Manifest) error {
	res, err := c.exchange(ctx, exchange{
		task: t, method: http.MethodPut, write: true,
		header: http.Header{"Content-Type": {m.MediaType}},
		open: func(context.Context) (*sending, error) {
			return sendBytes(m.Bytes), nil
		},
	})
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusOK {
		return c.unexpected(t, res)
	}
	res.finish()
	return c.checkStored(t, res, m.Digest)
}

// checkStored compares the digest that the registry says it stored, if it says one, with what was sent.
func (c *Client) checkStored(t task, res *response, want digest.Digest) error {
	if got := res.Header.Get("Docker-Content-Digest"); got != "" && got != want.String() {
		return c.wrong(t, registry.Corrupt, fmt.Errorf("the registry says that it stored %q instead", secret.Clean(got)))
	}
	return nil
}

// sendBytes makes a request's body of bytes that are in memory.
func sendBytes(b []byte) *sending {
	return &sending{body: io.NopCloser(bytes.NewReader(b)), size: int64(len(b))}
}
