package cloudsim

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Action spoils one request. It is a middleware: next is what would have answered.
type Action func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Status answers with code and a short text.
func Status(code int) Action {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		http.Error(w, http.StatusText(code)+" (injected fault)", code)
	}
}

// TooManyRequests answers 429 in the way of the data plane. retryAfter is the Retry-After header: seconds or an HTTP
// date; "" sends none.
func TooManyRequests(retryAfter string) Action {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded (injected fault)"}]}`)
	}
}

// RetryAfterDate returns t in the date form of Retry-After.
func RetryAfterDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// Throttling answers as an AWS JSON API does when it throttles.
func Throttling() Action {
	return AWSError(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
}

// AWSError answers as an AWS JSON API does, with this status, error type and message.
func AWSError(status int, code, message string) Action {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
	}
}

// Reset closes the connection (HTTP/1.1) or the stream (HTTP/2) before any answer; nothing is done.
func Reset() Action {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { abort(w) }
}

// ResetAfterWork does what was asked, then closes in place of the answer: the client cannot know.
func ResetAfterWork() Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&discarding{header: http.Header{}}, r)
		abort(w)
	}
}

// ResetAfterHeaders sends the headers of the answer and closes.
func ResetAfterHeaders() Action { return CutBody(0) }

// CutBody closes after n bytes of the answer's body. A shorter body is not cut.
func CutBody(n int64) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		cut := &limitedWriter{ResponseWriter: w, left: n, then: hangUp}
		next.ServeHTTP(cut, r)
		cut.end(n == 0)
	}
}

// StallBody sends n bytes of the answer's body, then nothing until the client goes away. A shorter body is complete.
func StallBody(n int64) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		stall := &limitedWriter{ResponseWriter: w, left: n, then: func(w http.ResponseWriter) {
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}}
		next.ServeHTTP(stall, r)
		stall.end(n == 0)
	}
}

// FlipByte inverts the byte of the answer's body at offset n, if there is one.
func FlipByte(n int64) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&flippingWriter{ResponseWriter: w, at: n}, r)
	}
}

// CutUpload reads n bytes of the request's body and closes. What the server made of the beginning stays: nothing, in
// a registry. A shorter body is not cut.
func CutUpload(n int64) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		cut := &limitedBody{ReadCloser: r.Body, left: n}
		r.Body = cut
		held := &discarding{header: http.Header{}, pass: w}
		held.drop = func() bool { return cut.ended }
		next.ServeHTTP(held, r)
		if cut.ended {
			abort(w)
		}
	}
}

// StallUpload reads n bytes of the request's body, then nothing until the client goes away.
func StallUpload(n int64) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		held := io.LimitReader(r.Body, n)
		if _, err := io.Copy(io.Discard, held); err != nil {
			abort(w)
		}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Delay waits for d before the request is looked at, or until the client goes away.
func Delay(d time.Duration) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if pause(r.Context(), d) == nil {
			next.ServeHTTP(w, r)
		}
	}
}

// abort closes the connection under w without an answer, with a reset where the transport knows one.
func abort(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil { // HTTP/1.1
		resetConn(rawConn(conn))
	}
	panic(http.ErrAbortHandler) // HTTP/2: resets the stream
}

// hangUp is abort, except that what was sent before arrives.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = rawConn(conn).Close()
	}
	panic(http.ErrAbortHandler)
}

// rawConn returns the connection under TLS: closing that one sends no close_notify.
func rawConn(conn net.Conn) net.Conn {
	if t, ok := conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return conn
}

// limitedWriter passes the first bytes of a body, then does what is to be done instead of the rest.
type limitedWriter struct {
	http.ResponseWriter
	left int64
	then func(http.ResponseWriter)
}

func (l *limitedWriter) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *limitedWriter) Write(b []byte) (int, error) {
	if int64(len(b)) <= l.left {
		l.left -= int64(len(b))
		return l.ResponseWriter.Write(b)
	}
	if _, err := l.ResponseWriter.Write(b[:l.left]); err != nil {
		return 0, err
	}
	l.end(true)
	return 0, errReset
}

// end does what is to be done, if it is to be done at all.
func (l *limitedWriter) end(now bool) {
	if now {
		_ = http.NewResponseController(l.ResponseWriter).Flush()
		l.then(l.ResponseWriter)
	}
}

type flippingWriter struct {
	http.ResponseWriter
	at int64
}

func (f *flippingWriter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

func (f *flippingWriter) Write(b []byte) (int, error) {
	at := f.at
	f.at -= int64(len(b))
	if at < 0 || at >= int64(len(b)) {
		return f.ResponseWriter.Write(b)
	}
	spoiled := bytes.Clone(b)
	spoiled[at] ^= 0xff
	return f.ResponseWriter.Write(spoiled)
}

type limitedBody struct {
	io.ReadCloser
	left  int64
	ended bool
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		n, err := l.ReadCloser.Read(one[:])
		if n == 0 && err != nil {
			return 0, err
		}
		l.ended = true
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.ReadCloser.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// discarding is a ResponseWriter that throws the answer away, always or while drop says so.
type discarding struct {
	header http.Header
	pass   http.ResponseWriter
	drop   func() bool
}

func (d *discarding) dropping() bool { return d.pass == nil || d.drop() }

func (d *discarding) Header() http.Header {
	if d.dropping() {
		return d.header
	}
	return d.pass.Header()
}

func (d *discarding) WriteHeader(status int) {
	if !d.dropping() {
		d.pass.WriteHeader(status)
	}
}

func (d *discarding) Write(b []byte) (int, error) {
	if d.dropping() {
		return len(b), nil
	}
	return d.pass.Write(b)
}
