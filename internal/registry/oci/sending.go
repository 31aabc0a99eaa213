package oci

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

var errSent = errors.New("the request is over")

// sending is a request's body on its way. The transport reads it on a goroutine of its own, even after it has returned
// the answer: once it is closed, Read fails and the reader below is not touched any more.
type sending struct {
	body   io.ReadCloser
	size   int64
	cancel context.CancelFunc // ends a Read of body; may be nil
	ctx    context.Context    //nolint:containedctx // the request's: Read takes none

	// What watches whether the other side takes the bytes. The time that body takes is not counted: it has a watch of
	// its own.
	dog           *watchdog
	stall, commit time.Duration

	closing atomic.Bool

	mu   sync.Mutex
	sent int64
	err  error // of body, where it was the first thing that went wrong
}

// streamed reports whether the bytes come from elsewhere, rather than from memory, where only small bodies are.
func (s *sending) streamed() bool { return s.cancel != nil }

// Read hands bytes to the transport, which sends them before it asks for more.
func (s *sending) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return 0, errSent
	}
	s.dog.rest()
	n, err := s.body.Read(p)
	s.sent += int64(n)
	if errors.Is(err, io.EOF) && s.sent < s.size {
		err = io.ErrUnexpectedEOF
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		if !s.closing.Load() && s.ctx.Err() == nil {
			s.err = err
		}
	case s.sent >= s.size:
		s.dog.arm(s.commit, "the registry did not answer after the last byte")
	default:
		s.dog.arm(s.stall, "the registry took no byte")
	}
	return n, err
}

// Close ends the sending, and a Read that is under way.
func (s *sending) Close() error {
	if s.closing.Swap(true) {
		return nil
	}
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body.Close()
}

// failure returns the error of the reader below that ended the request, if one did.
func (s *sending) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
