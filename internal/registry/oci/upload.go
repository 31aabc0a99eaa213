package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"transship/internal/registry"
)

// maxLostSessions is how often an upload's session may be gone before its blob is: each costs all the bytes.
const maxLostSessions = 4

// PushBlob uploads a blob: at u, one request; or with an upload of its own, two, or one for a small blob where the host
// takes that. A try that fails is followed by one with a new reader and, unless it was turned away unheard (a throttle, an
// expired credential), a new upload. open is called once a try, for a
// small blob once only; while it runs, a slot of this Client's governor is held, so open may wait for a slot of another
// host, but nobody who holds an open blob may wait for one of this host, other than by PushBlob. An error of the reader
// is returned as it is, after the two further readers that a corrupt one is worth.
func (c *Client) PushBlob(ctx context.Context, name string, b registry.Blob, u Upload, open Opener) error {
	t := c.task("write blob", name, "blobs", b.Digest.String())
	if err := b.Digest.Validate(); err != nil || b.Size < 0 {
		return c.wrong(t, registry.Invalid, errors.Join(err, sizeError(b)))
	}
	p := &push{client: c, task: t, blob: b, open: open, upload: u}
	if b.Size <= c.opts.SmallBlob || b.Size == 0 {
		if err := p.load(ctx); err != nil {
			return sourceCause(err)
		}
	}
	return sourceCause(c.do(ctx, t, corruptTries, p.try))
}

func sizeError(b registry.Blob) error {
	if b.Size < 0 {
		return fmt.Errorf("the blob has the size %d", b.Size)
	}
	return nil
}

// push is one blob on its way.
type push struct {
	client *Client
	task   task
	blob   registry.Blob
	open   Opener
	upload Upload // the next try's, if it is anywhere
	bytes  []byte // a small blob's, once they are known to be right
	small  bool
	lost   int // sessions
}

// load reads a small blob, so that its reader's slot is free before one of the target is needed.
func (p *push) load(ctx context.Context) error {
	err := p.client.do(ctx, p.task, corruptTries, func(ctx context.Context) error {
		r, err := p.open(ctx)
		if err != nil {
			return &sourceError{err}
		}
		defer r.Close()
		data, err := io.ReadAll(io.LimitReader(r, p.blob.Size+1))
		switch {
		case err != nil:
			return &sourceError{err}
		case int64(len(data)) != p.blob.Size:
			return &sourceError{p.client.wrong(p.task, registry.Corrupt, fmt.Errorf("what was read for it has not %d bytes", p.blob.Size))}
		case p.blob.Digest.Algorithm().FromBytes(data) != p.blob.Digest:
			return &sourceError{p.client.wrong(p.task, registry.Corrupt, errors.New("what was read for it has another digest"))}
		}
		p.bytes, p.small = data, true
		return nil
	})
	return err
}

// try uploads the blob once, at the upload that there is or at a new one.
func (p *push) try(ctx context.Context) error {
	u := p.upload
	p.upload = Upload{} // it serves once
	if u.IsZero() {
		var done bool
		var err error
		if u, done, err = p.start(ctx); done || err != nil {
			return err
		}
	}
	t := p.task
	t.url = u.commit(p.blob.Digest)
	res, err := p.client.exchange(ctx, exchange{
		task: t, method: http.MethodPut, write: true, open: p.body,
		header: http.Header{"Content-Type": {"application/octet-stream"}},
	})
	if err != nil {
		if isRenewed(err) || registry.IsClass(err, registry.Throttled) {
			p.upload = u // it was turned away at the door; another upload would be another write of the quota
		}
		return p.sessionLost(err)
	}
	if res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusNoContent {
		return p.client.unexpected(t, res)
	}
	res.finish()
	return p.client.checkStored(t, res, p.blob.Digest)
}

// sessionLost makes a passing fault of an upload that the registry does not know (any more), which a new one mends.
func (p *push) sessionLost(err error) error {
	e, ok := errors.AsType[*registry.Error](err)
	if !ok || e.Status != http.StatusNotFound || e.Class == registry.NoRepository {
		return err
	}
	e.Class = registry.Unavailable
	if p.lost++; p.lost > maxLostSessions {
		e.Class = registry.Invalid
	}
	return err
}

// start begins an upload, or does all of it in one request where that is possible.
func (p *push) start(ctx context.Context) (u Upload, done bool, err error) {
	c := p.client
	if p.small && c.opts.SmallBlob > 0 && c.single.begin() {
		u, done, err = p.startSingle(ctx)
		if done || err != nil || !u.IsZero() {
			return u, done, err
		}
	}
	t := p.task
	t.url = c.uploadsURL(t.name)
	res, err := c.exchange(ctx, exchange{task: t, method: http.MethodPost, write: true, open: noBytes})
	if err != nil {
		return Upload{}, false, err
	}
	if res.StatusCode != http.StatusAccepted {
		return Upload{}, false, c.unexpected(t, res)
	}
	u, err = c.uploadAt(t, res)
	return u, false, err
}

// startSingle sends the blob with the request that begins an upload. Neither done nor an upload nor an error says that
// the host does not take that. FACTS B6 [U].
func (p *push) startSingle(ctx context.Context) (u Upload, done bool, err error) {
	c := p.client
	know := singleUnknown
	defer func() { c.single.end(know) }()
	t := p.task
	t.url = c.uploadsURL(t.name, "digest", p.blob.Digest.String())
	res, err := c.exchange(ctx, exchange{
		task: t, method: http.MethodPost, write: true, open: p.body,
		header: http.Header{"Content-Type": {"application/octet-stream"}},
	})
	if err != nil {
		switch statusOf(err) {
		case 0, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
			return Upload{}, false, err // which says nothing about how blobs may be sent
		}
		if registry.ClassOf(err).Passing() {
			return Upload{}, false, err
		}
		know = singleNo
		c.log.DebugContext(ctx, "single-request uploads refused", "host", c.opts.Host, "err", err)
		return Upload{}, false, nil
	}
	switch res.StatusCode {
	case http.StatusCreated:
		res.finish()
		if err := c.checkStored(t, res, p.blob.Digest); err != nil {
			know = singleNo
			return Upload{}, false, nil
		}
		know = singleYes
		return Upload{}, true, nil
	case http.StatusAccepted:
		know = singleNo
		u, err := c.uploadAt(t, res)
		return u, false, err
	}
	know = singleNo
	res.finish()
	return Upload{}, false, nil
}

// body makes the request's body for one try.
func (p *push) body(ctx context.Context) (*sending, error) {
	if p.small {
		return sendBytes(p.bytes), nil
	}
	ctx, cancel := context.WithCancel(ctx)
	r, err := p.open(ctx)
	if err != nil {
		cancel()
		return nil, &sourceError{err}
	}
	return &sending{body: r, size: p.blob.Size, cancel: cancel}, nil
}

// uploadAt reads where an answer wants the bytes.
func (c *Client) uploadAt(t task, res *response) (Upload, error) {
	res.finish()
	to, err := resolveLocation(res.url, res.Header.Get("Location"))
	if err != nil {
		return Upload{}, c.wrong(t, registry.Invalid, fmt.Errorf("the upload cannot go on: %w", err))
	}
	return Upload{to}, nil
}

// uploadsURL is where name's uploads begin, with pairs of keys and values for its query.
func (c *Client) uploadsURL(name string, pairs ...string) *url.URL {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return &url.URL{Scheme: "https", Host: c.opts.Host, Path: "/v2/" + name + "/blobs/uploads/", RawQuery: query.Encode()}
}

// noBytes is the body of a request that has none, but a Content-Length to say so.
func noBytes(context.Context) (*sending, error) { return sendBytes(nil), nil }

// statusOf returns the HTTP status in err's chain, or 0.
func statusOf(err error) int {
	if e, ok := errors.AsType[*registry.Error](err); ok {
		return e.Status
	}
	return 0
}

// sourceCause returns the reader's own error where err is one of the reader.
func sourceCause(err error) error {
	if e, ok := errors.AsType[*sourceError](err); ok {
		return e.err
	}
	return err
}
