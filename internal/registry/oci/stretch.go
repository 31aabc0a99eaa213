package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"transship/internal/registry"
	"transship/internal/registry/governor"
	"transship/internal/registry/secret"
)

// substantial is how many bytes of a blob are progress, so that a connection that breaks after each few bytes is
// re-opened ever more slowly, and given up in the end.
const substantial = 64 << 10

// errNoRanges says that a server sends the whole blob to who asks for a part of it.
var errNoRanges = errors.New("the server does not know ranges")

// stretch reads the bytes of a blob from at up to end, over as many connections as it takes.
type stretch struct {
	client  *Client
	task    task
	blob    registry.Blob
	ctx     context.Context //nolint:containedctx // Read takes none
	address *location       // shared by the blob's stretches; nil: each connection begins at the registry
	strict  bool            // an answer with the whole blob is errNoRanges; else the stretch goes on to the blob's end

	at, end  int64
	body     io.ReadCloser // nil between connections
	opened   int64         // what at was when body was opened
	renew    bool          // the last request or its answer broke: the next one begins at the registry
	short    bool          // the last body ended, whole, before the stretch did
	patience *governor.Patience
}

// Read reads at least one byte, through breaks and stalls. It is called only while at is less than end.
func (s *stretch) Read(p []byte) (int, error) {
	for {
		if err := s.open(); err != nil {
			return 0, err
		}
		n, err := s.body.Read(p[:min(int64(len(p)), s.end-s.at)])
		if n > 0 { // an error with it comes again
			s.at += int64(n)
			return n, nil
		}
		if err == nil {
			continue
		}
		if err := s.broke(err); err != nil {
			return 0, err
		}
	}
}

// broke closes the body that failed with cause and waits until the next may be opened.
func (s *stretch) broke(cause error) error {
	s.close()
	s.renew = true
	if s.ctx.Err() != nil {
		return s.client.canceled(s.ctx, s.task)
	}
	if errors.Is(cause, io.EOF) {
		cause = s.corrupt("it ends after %d bytes, not %d", s.at, s.blob.Size)
		if s.short && s.at == s.opened {
			return cause // twice at the same place: that is all there is
		}
		s.short = true
	} else {
		s.short = false
	}
	if s.at-s.opened >= substantial {
		s.patience.Progress()
	}
	s.client.log.DebugContext(s.ctx, "blob broke off", "object", s.task.object, "after", s.at, "of", s.blob.Size, "err", cause)
	err := s.patience.Wait(s.ctx, cause, governor.Again)
	if err != nil && s.ctx.Err() != nil {
		return s.client.canceled(s.ctx, s.task)
	}
	return err
}

// open opens the blob at the first byte that is missing, unless it is open.
func (s *stretch) open() error {
	if s.body != nil {
		return nil
	}
	err := s.client.do(s.ctx, s.task, 0, func(ctx context.Context) error {
		res, err := s.request(ctx)
		s.renew = true // until it is known to be of use
		if err != nil {
			return err
		}
		if err := s.accept(res); err != nil {
			_ = res.Body.Close()
			return err
		}
		s.body, s.opened, s.renew = res.Body, s.at, false
		return nil
	})
	if s.patience == nil {
		s.patience = s.client.gov.Patience()
	}
	return err
}

// request asks for the bytes that are missing: where the blob's address is known, there, and otherwise the registry,
// which gives a fresh one. An address that is refused has expired, whatever the refusal says, until a fresh one is
// refused too.
func (s *stretch) request(ctx context.Context) (*response, error) {
	e := exchange{task: s.task, method: http.MethodGet, follow: true}
	switch {
	case s.end < s.blob.Size:
		e.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", s.at, s.end-1)}}
	case s.at > 0:
		e.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", s.at)}}
	}
	if to := s.address.get(); to != nil && !s.renew {
		e.url = to
		res, err := s.client.exchange(ctx, e)
		if status := statusOf(err); status < 400 || status >= 500 || registry.IsClass(err, registry.Throttled) {
			return res, err
		}
		s.address.forget(to)
		e.url = s.task.url
	}
	res, err := s.client.exchange(ctx, e)
	if err == nil {
		s.client.bytes.learn(!sameHost(res.url, s.client.opts.Host))
	}
	if err == nil && !sameHost(res.url, s.client.opts.Host) { // one of the registry itself would get the credential
		s.address.set(res.url)
	}
	return res, err
}

// accept checks that an answer begins at the first byte that is missing, or makes it begin there.
func (s *stretch) accept(res *response) error {
	ranged := s.at > 0 || s.end < s.blob.Size
	switch {
	case res.StatusCode == http.StatusPartialContent && ranged:
		first, size, err := parseContentRange(res.Header.Get("Content-Range"))
		switch {
		case err != nil:
			return s.client.wrong(s.task, registry.Corrupt, err)
		case first != s.at:
			return s.corrupt("asked for the bytes from %d, the answer has those from %d", s.at, first)
		case size >= 0 && size != s.blob.Size:
			return s.corrupt("it has %d bytes, not %d", size, s.blob.Size)
		}
		return nil
	case res.StatusCode != http.StatusOK:
		return s.client.unexpected(s.task, res)
	case res.ContentLength >= 0 && res.ContentLength != s.blob.Size:
		return s.corrupt("it has %d bytes, not %d", res.ContentLength, s.blob.Size)
	}
	if ranged {
		s.client.noRanges.Store(true)
		if s.strict {
			return errNoRanges
		}
	}
	_, err := io.CopyN(io.Discard, res.Body, s.at)
	if errors.Is(err, io.EOF) {
		return s.corrupt("it ends before byte %d", s.at)
	}
	if err == nil {
		s.end = s.blob.Size
	}
	return err
}

// finish closes the stretch at its end. More bytes after the blob's last one are an error.
func (s *stretch) finish() error {
	if s.body == nil {
		return nil
	}
	var more [1]byte
	n, _ := s.body.Read(more[:]) // all bytes came: how the connection ended does not matter
	s.close()
	if n > 0 && s.end == s.blob.Size {
		return s.corrupt("it has more than %d bytes", s.blob.Size)
	}
	return nil
}

func (s *stretch) corrupt(format string, args ...any) error {
	return s.client.wrong(s.task, registry.Corrupt, fmt.Errorf(format, args...))
}

func (s *stretch) close() {
	if s.body != nil {
		_ = s.body.Close()
		s.body = nil
	}
}

// location is where the registry redirected to for a blob: a signed URL, good for any range of it until it expires. It
// is safe for concurrent use; a nil one never knows anything.
type location struct {
	mu sync.Mutex
	to *url.URL
}

func (a *location) get() *url.URL {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.to
}

func (a *location) set(to *url.URL) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.to = to
}

// forget forgets old, but not what came in its place meanwhile.
func (a *location) forget(old *url.URL) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.to == old {
		a.to = nil
	}
}

// parseContentRange reads the header "bytes FIRST-LAST/SIZE". size is -1 where the header has a star for it.
func parseContentRange(header string) (first, size int64, err error) {
	wrong := fmt.Errorf("the answer has the Content-Range %q, which is not one", secret.Clean(header))
	rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(header)), "bytes ")
	span, total, ok2 := strings.Cut(rest, "/")
	from, to, ok3 := strings.Cut(strings.TrimSpace(span), "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, wrong
	}
	first, err1 := number(from)
	last, err2 := number(to)
	size = -1
	var err3 error
	if total = strings.TrimSpace(total); total != "*" {
		size, err3 = number(total)
	}
	if errors.Join(err1, err2, err3) != nil || last < first || size >= 0 && last >= size {
		return 0, 0, wrong
	}
	return first, size, nil
}

func number(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
