package oci

import (
	"container/heap"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// lanes carries each request on a lane, which has one connection to a host and one request at a time. There are as many
// lanes as requests were ever under way at once, and so no more connections: http.Transport by itself dials for each
// request that finds no idle connection, although one that becomes idle sooner then serves it, and where requests follow
// each other closely most of what it dials is for nothing.
type lanes struct {
	make func() *http.Transport // of one lane

	mu   sync.Mutex
	free laneHeap
	all  []*http.Transport
}

// laneHeap holds the lanes that are free, the lowest first, so that what is idle stays idle.
type laneHeap []int

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h laneHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *laneHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *laneHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// RoundTrip sends req on a free lane, or on a new one, which is taken until the answer's body is closed.
func (l *lanes) RoundTrip(req *http.Request) (*http.Response, error) {
	lane, transport := l.take()
	res, err := transport.RoundTrip(req)
	if err != nil {
		l.give(lane)
		return nil, err
	}
	res.Body = &laneBody{ReadCloser: res.Body, lanes: l, lane: lane}
	return res, nil
}

func (l *lanes) take() (int, *http.Transport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.free) == 0 {
		l.all = append(l.all, l.make())
		return len(l.all) - 1, l.all[len(l.all)-1]
	}
	lane := heap.Pop(&l.free).(int)
	return lane, l.all[lane]
}

func (l *lanes) give(lane int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	heap.Push(&l.free, lane)
}

// CloseIdleConnections closes those that no request uses.
func (l *lanes) CloseIdleConnections() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.all {
		t.CloseIdleConnections()
	}
}

// laneBody gives the lane back when it is closed.
type laneBody struct {
	io.ReadCloser
	lanes *lanes
	lane  int
	once  sync.Once
}

func (b *laneBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() { b.lanes.give(b.lane) })
	return err
}

// shared carries all requests to a host on one HTTP/2 connection, or on lanes to a host that does not speak HTTP/2. The
// first request finds out which, and dials: those that come meanwhile wait for it rather than dial each for itself.
type shared struct {
	http2 *http.Transport
	lanes *lanes

	mu    sync.Mutex
	hosts map[string]*sharedHost
}

// sharedHost is what is known of one host.
type sharedHost struct {
	known chan struct{} // closed once a connection told what the host speaks
	alone chan struct{} // of capacity 1: taken by the one request that finds out
	http2 bool          // valid once known
}

// RoundTrip sends req once it is known what its host speaks.
func (s *shared) RoundTrip(req *http.Request) (*http.Response, error) {
	h := s.host(req.URL.Host)
	select {
	case <-h.known:
		return s.send(h, req)
	default:
	}
	select {
	case <-h.known:
		return s.send(h, req)
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	case h.alone <- struct{}{}:
		return s.first(h, req)
	}
}

func (s *shared) host(name string) *sharedHost {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[name]
	if h == nil {
		h = &sharedHost{known: make(chan struct{}), alone: make(chan struct{}, 1)}
		s.hosts[name] = h
	}
	return h
}

func (s *shared) send(h *sharedHost, req *http.Request) (*http.Response, error) {
	if h.http2 {
		return s.http2.RoundTrip(req)
	}
	return s.lanes.RoundTrip(req)
}

// first sends req while nobody else may; as soon as it has a connection, the others go.
func (s *shared) first(h *sharedHost, req *http.Request) (*http.Response, error) {
	var once sync.Once
	tell := func() { once.Do(func() { <-h.alone }) }
	defer tell()
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		select {
		case <-h.known: // by another one: it had its connection between this one's look and its turn
		default:
			conn, ok := i.Conn.(interface{ ConnectionState() tls.ConnectionState })
			h.http2 = ok && conn.ConnectionState().NegotiatedProtocol == "h2"
			close(h.known)
		}
		tell()
	}}
	return s.http2.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}

// CloseIdleConnections closes those that no request uses.
func (s *shared) CloseIdleConnections() {
	s.http2.CloseIdleConnections()
	s.lanes.CloseIdleConnections()
}
