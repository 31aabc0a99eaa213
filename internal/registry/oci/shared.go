package oci

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// shared is a transport whose requests share a connection where the host speaks HTTP/2. http.Transport by itself dials for
// each request that comes before it knows that: at the beginning of a copy, for a hundred. Here the first request to a
// host goes alone until it has its connection, and the others wait for that rather than for connections of their own.
type shared struct {
	*http.Transport

	mu    sync.Mutex
	hosts map[string]*acquaintance
}

// acquaintance is what is known of one host.
type acquaintance struct {
	made  chan struct{} // closed once there was a connection
	alone chan struct{} // of capacity 1: taken by the one request that finds out
}

// RoundTrip sends req, unless the host's first connection is still to come: then it waits for that.
func (s *shared) RoundTrip(req *http.Request) (*http.Response, error) {
	h := s.host(req.URL.Host)
	select {
	case <-h.made:
		return s.Transport.RoundTrip(req)
	default:
	}
	select {
	case <-h.made:
		return s.Transport.RoundTrip(req)
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	case h.alone <- struct{}{}:
		return s.first(h, req)
	}
}

func (s *shared) host(name string) *acquaintance {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[name]
	if h == nil {
		h = &acquaintance{made: make(chan struct{}), alone: make(chan struct{}, 1)}
		s.hosts[name] = h
	}
	return h
}

// first sends req while nobody else may. The others go when its headers are written: by then its connection can be found.
// Where it fails before, the next one is first.
func (s *shared) first(h *acquaintance, req *http.Request) (*http.Response, error) {
	var once sync.Once
	done := func(made bool) {
		once.Do(func() {
			select {
			case <-h.made: // by somebody else, between this request's look and its turn
			default:
				if made {
					close(h.made)
				}
			}
			<-h.alone
		})
	}
	defer done(false)
	trace := &httptrace.ClientTrace{WroteHeaders: func() { done(true) }}
	return s.Transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}
