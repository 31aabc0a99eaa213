package cloudsim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

var errClosed = errors.New("cloudsim: the embedded clouds are closed")

// dialerOf returns how to reach l.
func dialerOf(l net.Listener) func(context.Context) (net.Conn, error) {
	if m, ok := l.(*MemoryListener); ok {
		return m.Dial
	}
	addr := l.Addr()
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, addr.Network(), addr.String())
	}
}

// DialContext connects to the Sim in the place of addr, whose host must be a name that the Sim answers for: any other
// is a *net.DNSError, as if it did not exist. Port 443 is open; every other refuses the connection, so that
// a client that falls back to plain HTTP is found out.
func (s *Sim) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	host = hostOnly(host)
	if _, ok := s.names.lookup(host); !ok {
		return nil, &net.OpError{Op: "dial", Net: network,
			Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	if port != "443" {
		return nil, &net.OpError{Op: "dial", Net: network,
			Err: fmt.Errorf("%s port %s: %w", host, port, syscall.ECONNREFUSED)}
	}
	s.mu.Lock()
	dial := s.dial
	s.mu.Unlock()
	if dial == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("the embedded clouds are not serving")}
	}
	if err := pause(ctx, s.opts.RTT); err != nil {
		return nil, err
	}
	conn, err := dial(ctx)
	if err == nil {
		s.count.dialed(host)
	}
	return conn, err
}

// pause waits for d or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Transport returns a new transport that reaches the Sim and trusts its authority alone.
func (s *Sim) Transport() *http.Transport {
	return &http.Transport{
		DialContext:         s.DialContext,
		TLSClientConfig:     &tls.Config{RootCAs: s.CertPool(), MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 64,
	}
}

// HTTPClient returns a new client over Transport.
func (s *Sim) HTTPClient() *http.Client { return &http.Client{Transport: s.Transport()} }
