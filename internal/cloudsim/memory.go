package cloudsim

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// stream is one direction of a connection: a bounded buffer of bytes, each of which may be read only when its time has
// come. It waits on a sync.Cond alone, so that a synctest bubble sees its waiters as idle.
type stream struct {
	delay time.Duration
	limit int

	mu   sync.Mutex
	cond *sync.Cond
	buf  []byte
	head int       // buf[:head] is read already
	base int64     // offset in the stream of buf[head]
	due  []mark    // in order; empty when neither delay nor rate is set
	rate int64     // bytes per second that come out; 0 is as fast as they are read
	busy time.Time // until then the line is taken up by what was written
	err  error     // what a reader gets after the last byte, and a writer at once

	readDeadline, writeDeadline deadline
}

// mark says that the bytes below the offset end may be read from at on.
type mark struct {
	end int64
	at  time.Time
}

type deadline struct {
	timer   *time.Timer
	expired bool
	set     int // counts settings, so that a late timer does not expire a newer deadline
}

// The buffer sizes. A delayed stream must hold what is under way: 8 MiB at 5 ms is 1.6 GB/s.
const (
	plainLimit   = 256 << 10
	delayedLimit = 8 << 20
)

func newStream(delay time.Duration) *stream {
	s := &stream{delay: delay, limit: plainLimit}
	if delay > 0 {
		s.limit = delayedLimit
	}
	s.cond = sync.NewCond(&s.mu)
	return s
}

// pace lets rate bytes per second through from now on. The buffer then holds little more than what is under way, so that
// a writer feels the pace as it would feel TCP's.
func (s *stream) pace(rate int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.held(); held > 0 && len(s.due) == 0 {
		s.due = append(s.due, mark{s.base + int64(held), time.Now()}) // what is there is not held up by what follows
	}
	s.rate = rate
	s.limit = plainLimit + int(float64(rate)*s.delay.Seconds())
}

// arrival is when the last of n bytes arrives that are written now.
func (s *stream) arrival(n int) time.Time {
	now := time.Now()
	if s.rate <= 0 {
		return now.Add(s.delay)
	}
	if s.busy.Before(now) {
		s.busy = now
	}
	s.busy = s.busy.Add(time.Duration(float64(n) / float64(s.rate) * float64(time.Second)))
	return s.busy.Add(s.delay)
}

func (s *stream) write(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		for s.err == nil && !s.writeDeadline.expired && s.held() >= s.limit {
			s.cond.Wait()
		}
		if s.err != nil {
			if errors.Is(s.err, io.EOF) {
				return n, io.ErrClosedPipe
			}
			return n, s.err
		}
		if s.writeDeadline.expired {
			return n, os.ErrDeadlineExceeded
		}
		m := min(len(b), s.limit-s.held())
		s.buf = append(s.buf, b[:m]...)
		if s.timed() {
			s.due = append(s.due, mark{s.base + int64(s.held()), s.arrival(m)})
		}
		b, n = b[m:], n+m
		s.cond.Broadcast()
	}
	return n, nil
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.readDeadline.expired {
			return 0, os.ErrDeadlineExceeded
		}
		if s.err != nil && !errors.Is(s.err, io.EOF) { // a reset destroys what is under way
			return 0, s.err
		}
		ready, wait := s.ready()
		if ready > 0 {
			return s.take(b, ready), nil
		}
		if s.err != nil && s.held() == 0 {
			return 0, s.err
		}
		if len(b) == 0 {
			return 0, nil
		}
		if wait > 0 {
			t := time.AfterFunc(wait, s.wake)
			s.cond.Wait()
			t.Stop()
		} else {
			s.cond.Wait()
		}
	}
}

// ready returns how many bytes may be read now and, if none, how long until some may; 0 if nothing is under way.
func (s *stream) ready() (n int, wait time.Duration) {
	if !s.timed() {
		return s.held(), 0
	}
	now := time.Now()
	for len(s.due) > 0 {
		if d := s.due[0].at.Sub(now); d > 0 {
			return n, d
		}
		n = int(s.due[0].end - s.base)
		if len(s.due) == 1 || s.due[1].at.After(now) {
			return n, 0
		}
		s.due = s.due[1:]
	}
	return s.held(), 0
}

// timed reports whether bytes take time to arrive.
func (s *stream) timed() bool { return s.delay > 0 || s.rate > 0 }

// held is the number of bytes that are written and not read.
func (s *stream) held() int { return len(s.buf) - s.head }

func (s *stream) take(b []byte, ready int) int {
	n := copy(b, s.buf[s.head:s.head+ready])
	s.base += int64(n)
	s.head += n
	if s.head > len(s.buf)/2 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.head:])]
		s.head = 0
	}
	for len(s.due) > 0 && s.due[0].end <= s.base {
		s.due = s.due[1:]
	}
	s.cond.Broadcast()
	return n
}

func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cond.Broadcast()
}

// end closes the stream: readers get err after (io.EOF) or in place of (any other) the bytes that are left.
func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil || errors.Is(s.err, io.EOF) {
		s.err = err
	}
	s.cond.Broadcast()
}

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.set++
	d.timer, d.expired = nil, false
	set, left := d.set, time.Until(t)
	switch {
	case t.IsZero():
	case left <= 0:
		d.expired = true
	default:
		d.timer = time.AfterFunc(left, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if d.set == set {
				d.expired = true
				s.cond.Broadcast()
			}
		})
	}
	s.cond.Broadcast()
}

// memoryConn is one end of a connection made of two streams.
type memoryConn struct {
	in, out *stream
	closing sync.Once
	closed  chan struct{}
}

var _ net.Conn = (*memoryConn)(nil)

// newMemoryPipe returns the two ends of a connection on which bytes take delay to arrive.
func newMemoryPipe(delay time.Duration) (a, b *memoryConn) {
	up, down := newStream(delay), newStream(delay)
	return &memoryConn{in: down, out: up, closed: make(chan struct{})},
		&memoryConn{in: up, out: down, closed: make(chan struct{})}
}

func (c *memoryConn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.own(err)
}

func (c *memoryConn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.own(err)
}

// own says net.ErrClosed where it was this end that closed.
func (c *memoryConn) own(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
		return err
	}
}

func (c *memoryConn) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		c.out.end(io.EOF)
		c.in.end(syscall.EPIPE)
	})
	return nil
}

// Reset ends the connection as a TCP reset does: the other end loses what is under way.
func (c *memoryConn) Reset() {
	c.out.end(syscall.ECONNRESET)
	c.in.end(syscall.ECONNRESET)
}

func (c *memoryConn) pace(rate int64) {
	c.in.pace(rate)
	c.out.pace(rate)
}

func (c *memoryConn) LocalAddr() net.Addr  { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr { return memoryAddr{} }

func (c *memoryConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readDeadline, t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeDeadline, t)
	return nil
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }

// MemoryListener is a net.Listener without sockets: Dial makes both ends of a buffered connection.
type MemoryListener struct {
	delay  time.Duration
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// NewMemoryListener returns a listener on whose connections a byte takes delay to arrive; 0 is at once.
func NewMemoryListener(delay time.Duration) *MemoryListener {
	return &MemoryListener{delay: delay, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to the listener. It waits until the connection is accepted, ctx is done, or the listener is closed.
func (l *MemoryListener) Dial(ctx context.Context) (net.Conn, error) {
	client, server := newMemoryPipe(l.delay)
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection, or net.ErrClosed after Close.
func (l *MemoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting; connections that exist live on.
func (l *MemoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns a placeholder.
func (l *MemoryListener) Addr() net.Addr { return memoryAddr{} }
