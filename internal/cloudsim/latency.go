package cloudsim

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// delayListener delays the bytes of each accepted connection in both directions.
type delayListener struct {
	net.Listener
	delay time.Duration
}

func (l *delayListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newDelayConn(c, l.delay), nil
}

// delayConn is a delay line before a connection: bytes are queued with the time at which they are due, so that latency
// does not limit throughput. A pace does, once it is set.
//
//	conn ──▶ pump ──▶ in (due later) ──▶ Read
//	Write ──▶ out (due later) ──▶ pump ──▶ conn
type delayConn struct {
	net.Conn
	in, out *stream
	once    sync.Once
}

func newDelayConn(c net.Conn, delay time.Duration) *delayConn {
	d := &delayConn{Conn: c, in: newStream(delay), out: newStream(delay)}
	go d.pumpIn()
	go d.pumpOut()
	return d
}

func (d *delayConn) pumpIn() {
	buf := make([]byte, 64<<10)
	for {
		n, err := d.Conn.Read(buf)
		if n > 0 {
			if _, werr := d.in.write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			d.in.end(err)
			return
		}
	}
}

func (d *delayConn) pumpOut() {
	buf := make([]byte, 64<<10)
	for {
		n, err := d.out.read(buf)
		if n > 0 {
			if _, werr := d.Conn.Write(buf[:n]); werr != nil {
				d.out.end(werr)
				return
			}
		}
		if err != nil { // closed on our side: all that was written is out
			_ = d.Conn.Close()
			return
		}
	}
}

func (d *delayConn) Read(b []byte) (int, error)  { return d.in.read(b) }
func (d *delayConn) Write(b []byte) (int, error) { return d.out.write(b) }

// Close lets what was written arrive, then closes.
func (d *delayConn) Close() error {
	d.once.Do(func() {
		d.out.end(io.EOF)
		d.in.end(net.ErrClosed)
	})
	return nil
}

// Reset ends the connection at once, with a TCP reset where it is TCP.
func (d *delayConn) Reset() {
	resetConn(d.Conn)
	d.in.end(net.ErrClosed)
	d.out.end(errReset)
}

var errReset = errors.New("cloudsim: connection was reset by a fault")

func (d *delayConn) SetDeadline(t time.Time) error {
	_ = d.SetReadDeadline(t)
	return d.SetWriteDeadline(t)
}

func (d *delayConn) SetReadDeadline(t time.Time) error {
	d.in.setDeadline(&d.in.readDeadline, t)
	return nil
}

func (d *delayConn) SetWriteDeadline(t time.Time) error {
	d.out.setDeadline(&d.out.writeDeadline, t)
	return nil
}

func (d *delayConn) pace(rate int64) {
	d.in.pace(rate)
	d.out.pace(rate)
}

// resetConn closes c so that the other end sees a reset, as far as c can do that.
func resetConn(c net.Conn) {
	switch c := c.(type) {
	case interface{ Reset() }:
		c.Reset()
	case *net.TCPConn:
		_ = c.SetLinger(0)
	}
	_ = c.Close()
}
