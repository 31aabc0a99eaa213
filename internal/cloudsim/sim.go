package cloudsim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log" //nolint:depguard // net/http wants its ErrorLog to be of this type
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
)

// Options say what a Sim is like. The zero value is a world without latency on the real clock.
type Options struct {
	// Now is the clock of the clouds: tokens and signed URLs expire by it. Default time.Now.
	Now func() time.Time
	// Logger gets one debug line a request and a warning for what a server does not expect. Default: nothing is logged.
	Logger *slog.Logger
	// RTT delays every byte by half of it in each direction, handshakes included, and a dial by all of it.
	// Throughput is not limited by it. Zero: no delay.
	RTT time.Duration
	// HostBandwidth is how many bytes per second each connection to a host carries, in either direction, from its TLS
	// handshake on, by names or patterns as for Handle. A name beats a pattern, and the lesser one of two patterns that
	// match counts. Bytes wait on the connection, as behind a narrow line; no handler sleeps.
	HostBandwidth map[string]int64
	// DisableHTTP2 leaves HTTP/1.1 alone in the ALPN offer.
	DisableHTTP2 bool
	// HTTP1Hosts are names, or patterns as for Handle, that offer HTTP/1.1 alone.
	HTTP1Hosts []string
	// ECR and AR are what the clouds are made with. Their clock and logger default to the Sim's.
	ECR ecrsim.Options
	AR  arsim.Options
}

// Sim is one world of embedded clouds. Make it with New, start it with Start, StartMemory or Serve, end it with Close.
// It is safe for concurrent use. In a synctest bubble it must be made inside the bubble.
type Sim struct {
	// Faults spoil requests while the Sim runs.
	Faults Faults

	opts  Options
	log   *slog.Logger
	ca    *authority
	names names
	count counter
	clouds

	mu      sync.Mutex
	dial    func(ctx context.Context) (net.Conn, error)
	servers []*http.Server
	closed  bool
	serving sync.WaitGroup
}

// New returns a Sim with a fresh certificate authority and no hosts. It serves nothing before it is started.
func New(opts Options) *Sim {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sim{opts: opts, log: opts.Logger, ca: newAuthority()}
}

// Serve answers on l, with TLS by server name, until l fails or Close is called, after which it returns
// http.ErrServerClosed. The newest listener is the one that DialContext reaches.
func (s *Sim) Serve(l net.Listener) error {
	srv, err := s.attach(l)
	if err != nil {
		return err
	}
	return srv.ServeTLS(s.delayed(l), "", "")
}

// attach makes the server for l and points DialContext at l.
func (s *Sim) attach(l net.Listener) (*http.Server, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!s.opts.DisableHTTP2)
	srv := &http.Server{
		Handler:   http.HandlerFunc(s.serveHTTP),
		Protocols: protocols,
		ErrorLog:  slogLogger(s.log),
		TLSConfig: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: s.certificate,
		},
	}
	srv.TLSConfig.GetConfigForClient = s.greet
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	s.servers = append(s.servers, srv)
	s.dial = dialerOf(l)
	return srv, nil
}

// Start serves on a free port of 127.0.0.1 in the background and returns its address. Close ends it.
func (s *Sim) Start() (addr string, err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), s.background(l)
}

// StartMemory serves on an in-memory listener, which DialContext, HTTPClient and Proxy reach. No socket is opened, so
// that a synctest bubble can drive clients and servers together. Close ends it.
func (s *Sim) StartMemory() error {
	return s.background(NewMemoryListener(s.opts.RTT / 2))
}

func (s *Sim) background(l net.Listener) error {
	srv, err := s.attach(l)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	s.serving.Go(func() {
		if err := srv.ServeTLS(s.delayed(l), "", ""); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("embedded clouds stopped serving", "err", err)
		}
	})
	return nil
}

// delayed puts the latency, and the means to set a pace, on a listener that has none of its own.
func (s *Sim) delayed(l net.Listener) net.Listener {
	if _, ok := l.(*MemoryListener); ok || s.opts.RTT <= 0 && len(s.opts.HostBandwidth) == 0 {
		return l
	}
	return &delayListener{Listener: l, delay: s.opts.RTT / 2}
}

// Close ends all servers at once, whatever they are doing, and waits for those that run in the background.
func (s *Sim) Close() error {
	s.mu.Lock()
	s.closed = true
	servers := s.servers
	s.servers, s.dial = nil, nil
	s.mu.Unlock()
	var errs []error
	for _, srv := range servers {
		errs = append(errs, srv.Close())
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

// serveHTTP is what every request passes: it finds the host, counts, and lets the faults have their way.
func (s *Sim) serveHTTP(w http.ResponseWriter, r *http.Request) {
	host := hostOnly(r.Host)
	if r.TLS == nil || hostOnly(r.TLS.ServerName) != host {
		http.Error(w, "misdirected request: the server name of the TLS handshake and the Host header differ",
			http.StatusMisdirectedRequest)
		return
	}
	h, ok := s.names.lookup(host)
	if !ok {
		http.Error(w, "no such host: "+host, http.StatusMisdirectedRequest)
		return
	}
	kind := kindOf(h, r)
	seen := s.count.start(kind, w, r)
	r.Body = seen.body
	defer func() {
		if cause := recover(); cause == http.ErrAbortHandler { //nolint:errorlint // a panic's cause is no chain
			defer panic(cause)
		} else if cause != nil {
			s.log.Error("an embedded cloud panicked", "kind", kind, "cause", cause, "stack", string(debug.Stack()))
			http.Error(seen, fmt.Sprintf("an embedded cloud panicked: %v", cause), http.StatusInternalServerError)
		}
		s.log.Debug("request", "kind", kind, "method", r.Method, "host", host, "path", r.URL.Path, "status", seen.status)
	}()
	s.Faults.wrap(kind, h).ServeHTTP(seen, r)
}

// slogLogger gives net/http a logger that writes warnings to l.
func slogLogger(l *slog.Logger) *log.Logger {
	if !l.Enabled(context.Background(), slog.LevelWarn) {
		return log.New(io.Discard, "", 0)
	}
	return slog.NewLogLogger(l.Handler(), slog.LevelWarn)
}
