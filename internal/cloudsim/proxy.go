package cloudsim

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// Proxy returns an HTTP proxy that connects to the Sim, for clients that can be given an HTTPS_PROXY and a file of
// trusted certificates (CAPEM). It knows CONNECT alone, and answers 502 to a name that the Sim does not serve.
func (s *Sim) Proxy() http.Handler { return http.HandlerFunc(s.proxy) }

func (s *Sim) proxy(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "this proxy knows CONNECT alone: the embedded clouds speak TLS only", http.StatusMethodNotAllowed)
		return
	}
	upstream, err := s.DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer upstream.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the proxy needs HTTP/1.1", http.StatusHTTPVersionNotSupported)
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { pipe(upstream, buffered) }) // the client may have sent its hello already
	wg.Go(func() { pipe(client, upstream) })
	wg.Wait()
}

// pipe copies until src ends, then ends both directions of dst: TLS has no use for half a connection.
func pipe(dst net.Conn, src io.Reader) {
	_, _ = io.Copy(dst, src)
	_ = dst.Close()
}

// StartProxy serves Proxy on a free port of 127.0.0.1 in the background and returns its URL, fit for HTTPS_PROXY.
// Close ends it.
func (s *Sim) StartProxy() (url string, err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: s.Proxy(), ErrorLog: slogLogger(s.log)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errors.Join(errClosed, l.Close())
	}
	s.servers = append(s.servers, srv)
	s.serving.Go(func() { _ = srv.Serve(l) })
	return "http://" + l.Addr().String(), nil
}
