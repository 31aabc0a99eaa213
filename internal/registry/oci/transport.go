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

// bufferSize is that of a connection for what is sent: a TLS record, since crypto/tls writes each by itself whatever it is
// given. With 64 KiB the copy was no faster, and 500 connections held 50 MB. What is received bypasses the buffer, where
// the reader has room for more than its default of 4 KiB.
const bufferSize = 16 << 10

// Transport carries requests. It neither follows redirects nor adds credentials.
type Transport interface {
	http.RoundTripper
	// CloseIdleConnections closes the connections that no request uses.
	CloseIdleConnections()
}

// NewTransport returns a transport for the bytes of blobs, made from a copy of base (its dialer, its trusted authorities,
// its proxy), or from nothing if base is nil; the proxy then comes from the environment.
//
// It speaks HTTP/1.1: with HTTP/2 all of a host's streams share one TCP connection, and so one window. Over 40 ms, the
// bench's standard corpus took 1.8 s so and 3.8 s with HTTP/2 for bytes too.
func NewTransport(base *http.Transport) Transport {
	t := newTransport(base)
	// A host that was met before need not prove again who it is.
	t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return t
}

// NewMessageTransport returns a transport, made as that of NewTransport, for what is small: manifests, mounts, the
// beginnings of uploads, small blobs, redirects.
//
// It speaks HTTP/2 where the host does, for those are many and each would need a connection while it is under way: a
// handshake costs as much processor time as ten messages, and two round trips. Over 40 ms, the standard corpus took 250
// connections, 1.1 s of processor time and 61 MB so, and with HTTP/1.1 for messages 500, 1.4 s and 80 MB.
func NewMessageTransport(base *http.Transport) Transport {
	t := newTransport(base)
	t.Protocols.SetHTTP2(true)
	// A connection that died without a word would take all that is under way with it.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second}
	return &shared{Transport: t, hosts: map[string]*acquaintance{}}
}

// newTransport returns a transport that speaks HTTP/1.1.
func newTransport(base *http.Transport) *http.Transport {
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
	t.TLSNextProto = nil // of a base that spoke HTTP/2
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.NextProtos = nil // a base that once spoke HTTP/2 left its offer here
	t.TLSClientConfig.MinVersion = max(t.TLSClientConfig.MinVersion, tls.VersionTLS12)
	t.MaxIdleConns = 0 // no limit but that of each host
	t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, maxIdleConnections)
	t.WriteBufferSize = bufferSize
	t.IdleConnTimeout = 90 * time.Second
	t.TLSHandshakeTimeout = 15 * time.Second
	t.ResponseHeaderTimeout = 0 // the Client watches over answers: how long is right depends on the request
	t.ExpectContinueTimeout = 0
	t.DisableCompression = true // a blob is its bytes, not what they unpack to
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}
