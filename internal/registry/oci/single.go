package oci

import "sync"

// singleState is what is known about uploads in one request. FACTS B6 [U].
type singleState int

const (
	singleUnknown singleState = iota
	singleTrying              // one push finds out
	singleYes
	singleNo
)

// singlePost finds out, once a host and with a blob that is due anyway, whether the host takes a small blob in one
// request.
type singlePost struct {
	mu    sync.Mutex
	state singleState
}

// begin reports whether to send a blob so. Each call that returns true is followed by one of end.
func (s *singlePost) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == singleUnknown {
		s.state = singleTrying
		return true
	}
	return s.state == singleYes
}

// end tells what the request showed; singleUnknown: nothing.
func (s *singlePost) end(know singleState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case know != singleUnknown:
		s.state = know
	case s.state == singleTrying:
		s.state = singleUnknown
	}
}
