package cloudsim

import (
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Kinder is a handler that can say what kind of request r is: a short stable word such as "ecr.DescribeImages".
// It must not read r's body.
type Kinder interface {
	Kind(r *http.Request) string
}

// names is what a Sim answers for. A handler from Handle beats one that came with a cloud; an exact name beats a
// pattern. The zero value is empty and ready.
type names struct {
	mu        sync.RWMutex
	overrides table
	builtin   table
}

type table struct {
	exact    map[string]http.Handler
	patterns []pattern
}

type pattern struct {
	glob    string
	handler http.Handler
}

// Handle makes the Sim answer for host with h: an exact name, or a pattern in which "*" stands for any characters
// without "/", as in "*-docker.pkg.dev". It replaces whatever served that name before, a cloud's own handler too. If h is a
// Kinder, requests are counted by what it says; otherwise their kind is "other".
func (s *Sim) Handle(host string, h http.Handler) { s.names.set(&s.names.overrides, host, h) }

func (n *names) set(t *table, host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	host = strings.ToLower(host)
	if !strings.Contains(host, "*") {
		if t.exact == nil {
			t.exact = map[string]http.Handler{}
		}
		t.exact[host] = h
		return
	}
	for i := range t.patterns {
		if t.patterns[i].glob == host {
			t.patterns[i].handler = h
			return
		}
	}
	t.patterns = append(t.patterns, pattern{host, h})
}

// lookup returns the handler for host, and whether there is one.
func (n *names) lookup(host string) (http.Handler, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, t := range []*table{&n.overrides, &n.builtin} {
		if h, ok := t.exact[host]; ok {
			return h, true
		}
		for _, p := range t.patterns {
			if ok, _ := path.Match(p.glob, host); ok {
				return p.handler, true
			}
		}
	}
	return nil, false
}

// hostOnly returns hostport without its port, in lower case.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = host
	}
	return strings.ToLower(hostport)
}

func kindOf(h http.Handler, r *http.Request) string {
	if k, ok := h.(Kinder); ok {
		return k.Kind(r)
	}
	return "other"
}
