package oci

import (
	"context"
	"fmt"
	"net/http"

	"transship/internal/registry"
)

// HeadBlob returns nil when the blob is there. registry.NotFound says that it is not; Corrupt, that it has another size.
// One request: a redirect is a yes, since a registry signs URLs only for what it has, and ECR's are signed for GET alone.
func (c *Client) HeadBlob(ctx context.Context, name string, b registry.Blob) error {
	t := c.task("look up blob", name, "blobs", b.Digest.String())
	if err := b.Digest.Validate(); err != nil {
		return c.wrong(t, registry.Invalid, err)
	}
	return c.do(ctx, t, 0, func(ctx context.Context) error {
		res, err := c.exchange(ctx, exchange{task: t, method: http.MethodHead})
		if err != nil {
			return err
		}
		switch {
		case isRedirect(res.StatusCode):
			res.finish()
			return nil
		case res.StatusCode != http.StatusOK:
			return c.unexpected(t, res)
		}
		res.finish()
		// An answer to HEAD may leave the length out, and some servers then say 0.
		if res.ContentLength > 0 && res.ContentLength != b.Size {
			return c.wrong(t, registry.Corrupt, fmt.Errorf("it has %d bytes there, not %d", res.ContentLength, b.Size))
		}
		return nil
	})
}

// MountBlob asks for the blob to be taken from the image path from on the same host. One request. When it is not
// mounted, the result is false and where to upload it: nowhere, if the registry refused for a reason that may lie in
// from, so that PushBlob finds out what else may be wrong.
func (c *Client) MountBlob(ctx context.Context, name string, b registry.Blob, from string) (Upload, bool, error) {
	t := c.task("mount blob", name, "blobs", b.Digest.String())
	if err := b.Digest.Validate(); err != nil {
		return Upload{}, false, c.wrong(t, registry.Invalid, err)
	}
	t.url = c.uploadsURL(name, "mount", b.Digest.String(), "from", from)
	var u Upload
	var mounted bool
	err := c.do(ctx, t, 0, func(ctx context.Context) (err error) {
		u, mounted, err = c.mountBlob(ctx, t, b)
		return err
	})
	return u, mounted, err
}

func (c *Client) mountBlob(ctx context.Context, t task, b registry.Blob) (Upload, bool, error) {
	res, err := c.exchange(ctx, exchange{task: t, method: http.MethodPost, write: true, open: noBytes})
	if err != nil {
		if refusedMount(err) {
			c.log.DebugContext(ctx, "not mounted", "object", t.object, "err", err)
			return Upload{}, false, nil
		}
		return Upload{}, false, err
	}
	switch res.StatusCode {
	case http.StatusCreated:
		res.finish()
		// Another digest than the one that was asked for is no mount, whatever it is.
		return Upload{}, c.checkStored(t, res, b.Digest) == nil, nil
	case http.StatusAccepted:
		u, err := c.uploadAt(t, res)
		return u, false, err
	}
	return Upload{}, false, c.unexpected(t, res)
}

// refusedMount reports whether err is a refusal that an upload may not meet: every one but those that pass, and a
// credential that can be renewed. FACTS B6 [U]: what Artifact Registry answers when the source may not be read.
func refusedMount(err error) bool {
	status := statusOf(err)
	return status >= 400 && status < 500 && !registry.ClassOf(err).Passing() && !isRenewed(err)
}
