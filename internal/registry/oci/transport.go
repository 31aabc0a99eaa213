package oci

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// maxIdleConnections a host are kept: at least as many as a governor lets be under way, or connections would be closed
// after each request and opened for the next.
const maxIdleConnections = 256

// NewTransport returns a transport for blobs, made from a copy of base (its dialer, its trusted authorities, its proxy),
// or from nothing if base is nil; the proxy then comes from the environment.
//
// It speaks HTTP/1.1: with HTTP/2 all of a host's streams share one TCP connection and so one congestion window, which
// is the bottleneck over long distances. That is the choice until it is measured against real registries.
func NewTransport(base *http.Transport) *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if base != nil {
		t = base.Clone()
	}
	if t.DialContext == nil {
		t.DialContext = (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.NextProtos = nil // a base that once spoke HTTP/2 left its offer here
	t.TLSClientConfig.MinVersion = max(t.TLSClientConfig.MinVersion, tls.VersionTLS12)
	t.MaxIdleConns = 0 // no limit but that of each host
	t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, maxIdleConnections)
	t.IdleConnTimeout = 90 * time.Second
	t.TLSHandshakeTimeout = 15 * time.Second
	t.ResponseHeaderTimeout = 0 // the Client watches over answers: how long is right depends on the request
	t.ExpectContinueTimeout = 0
	t.DisableCompression = true // a blob is its bytes, not what they unpack to
	t.MaxResponseHeaderBytes = 64 << 10
	t.WriteBufferSize = 64 << 10
	t.ReadBufferSize = 32 << 10
	return t
}
