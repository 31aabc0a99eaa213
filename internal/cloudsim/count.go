package cloudsim

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Tally is what was counted for one kind of request.
type Tally struct {
	// Requests that arrived, those that a fault spoiled included.
	Requests int
	// Refused are those of them that were answered with HTTP 429 or with an AWS ThrottlingException.
	Refused int
	// Sent and Received are bytes of response and request bodies.
	Sent, Received int64
}

// Counts are tallies by kind. It is a value: what happens later does not change it.
type Counts map[string]Tally

// Total returns the number of all requests.
func (c Counts) Total() int { return c.Tally("").Requests }

// Of returns the number of requests whose kind is one of prefixes or lies below one: "ecr" is "ecr.DescribeImages" too.
func (c Counts) Of(prefixes ...string) int { return c.Tally(prefixes...).Requests }

// Tally returns the sum of the tallies whose kind is one of prefixes or lies below one. The prefix "" is everything.
func (c Counts) Tally(prefixes ...string) Tally {
	var sum Tally
	for kind, t := range c {
		if slices.ContainsFunc(prefixes, func(p string) bool { return under(kind, p) }) {
			sum.Requests += t.Requests
			sum.Refused += t.Refused
			sum.Sent += t.Sent
			sum.Received += t.Received
		}
	}
	return sum
}

func under(kind, prefix string) bool {
	rest, ok := strings.CutPrefix(kind, prefix)
	return ok && (rest == "" || prefix == "" || rest[0] == '.')
}

// Sub returns what was counted since earlier. Kinds with nothing new are left out.
func (c Counts) Sub(earlier Counts) Counts {
	out := Counts{}
	for kind, t := range c {
		e := earlier[kind]
		d := Tally{t.Requests - e.Requests, t.Refused - e.Refused, t.Sent - e.Sent, t.Received - e.Received}
		if d != (Tally{}) {
			out[kind] = d
		}
	}
	return out
}

// String returns one line a kind, sorted, for a failing test to show.
func (c Counts) String() string {
	var b strings.Builder
	for _, kind := range slices.SortedFunc(maps.Keys(c), cmp.Compare[string]) {
		t := c[kind]
		fmt.Fprintf(&b, "%-32s %6d", kind, t.Requests)
		if t.Refused > 0 {
			fmt.Fprintf(&b, "  refused %d", t.Refused)
		}
		if t.Sent > 0 {
			fmt.Fprintf(&b, "  sent %d B", t.Sent)
		}
		if t.Received > 0 {
			fmt.Fprintf(&b, "  received %d B", t.Received)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Counts returns what was counted since the Sim was made. A request counts from its arrival; its bytes as they flow.
func (s *Sim) Counts() Counts {
	s.count.mu.Lock()
	defer s.count.mu.Unlock()
	return maps.Clone(s.count.kinds)
}

// Dials returns the number of connections that DialContext and Proxy made to host.
func (s *Sim) Dials(host string) int {
	s.count.mu.Lock()
	defer s.count.mu.Unlock()
	return s.count.dials[hostOnly(host)]
}

// AllDials returns the number of connections that DialContext and Proxy made, by host.
func (s *Sim) AllDials() map[string]int {
	s.count.mu.Lock()
	defer s.count.mu.Unlock()
	return maps.Clone(s.count.dials)
}

// counter counts. The zero value is ready.
type counter struct {
	mu    sync.Mutex
	kinds Counts
	dials map[string]int
}

func (c *counter) dialed(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dials == nil {
		c.dials = map[string]int{}
	}
	c.dials[host]++
}

func (c *counter) add(kind string, t Tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil {
		c.kinds = Counts{}
	}
	sum := c.kinds[kind]
	sum.Requests += t.Requests
	sum.Refused += t.Refused
	sum.Sent += t.Sent
	sum.Received += t.Received
	c.kinds[kind] = sum
}

// start counts a request and returns the writer and body that count what follows.
func (c *counter) start(kind string, w http.ResponseWriter, r *http.Request) *counted {
	c.add(kind, Tally{Requests: 1})
	out := &counted{ResponseWriter: w, counter: c, kind: kind}
	out.body = r.Body
	if r.Body != nil && r.Body != http.NoBody {
		out.body = &countedBody{ReadCloser: r.Body, counter: c, kind: kind}
	}
	return out
}

// counted is a ResponseWriter that counts what goes over the wire, whoever writes it. It counts before it sends: a client
// that has an answer finds it counted.
type counted struct {
	http.ResponseWriter
	counter *counter
	kind    string
	body    io.ReadCloser
	status  int
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counted) WriteHeader(status int) {
	if c.status == 0 && status >= 200 {
		c.status = status
		if status == http.StatusTooManyRequests {
			c.counter.add(c.kind, Tally{Refused: 1})
		}
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	t := Tally{Sent: int64(len(b))}
	if c.status == http.StatusBadRequest && bytes.Contains(b, []byte(`"ThrottlingException"`)) {
		t.Refused = 1 // AWS throttles with a 400
	}
	c.counter.add(c.kind, t)
	n, err := c.ResponseWriter.Write(b)
	if n < len(b) {
		c.counter.add(c.kind, Tally{Sent: int64(n - len(b))})
	}
	return n, err
}

type countedBody struct {
	io.ReadCloser
	counter *counter
	kind    string
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.counter.add(b.kind, Tally{Received: int64(n)})
	}
	return n, err
}
