package arsim

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Quotas are the most requests of a class in one window, per project and location. A value of 0 is the documented
// default, a negative one no limit. The window is fixed: it starts with the first request after the last one's end.
type Quotas struct {
	Requests int           // all requests; 60,000 by default
	Writes   int           // pushes, mounts, tags, settings; 18,000 by default
	Deletes  int           // 18,000 by default
	Window   time.Duration // a minute by default
}

// NoQuotas are quotas without limits.
func NoQuotas() Quotas { return Quotas{Requests: -1, Writes: -1, Deletes: -1} }

// Divided returns the quotas divided by n; each stays at least 1.
func (q Quotas) Divided(n int) Quotas {
	q = q.withDefaults()
	for _, limit := range []*int{&q.Requests, &q.Writes, &q.Deletes} {
		if *limit > 0 {
			*limit = max(1, *limit/n)
		}
	}
	return q
}

func (q Quotas) withDefaults() Quotas {
	q.Requests = orDefault(q.Requests, 60_000)
	q.Writes = orDefault(q.Writes, 18_000)
	q.Deletes = orDefault(q.Deletes, 18_000)
	q.Window = orDefault(q.Window, time.Minute)
	return q
}

type quotaKey struct{ project, location string }

type window struct {
	start                     time.Time
	requests, writes, deletes int
}

type quotas struct {
	mu      sync.Mutex
	limits  Quotas
	windows map[quotaKey]*window
}

// requestClass is how a request counts besides being one.
type requestClass int

const (
	reading requestClass = iota
	writing
	deleting
)

// take counts one request, or names the limit that it would exceed. A refused request does not count.
func (q *quotas) take(key quotaKey, class requestClass, now time.Time) (exceeded string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w, ok := q.windows[key]
	if !ok || now.Sub(w.start) >= q.limits.Window {
		w = &window{start: now}
		q.windows[key] = w
	}
	over := func(n, limit int) bool { return limit >= 0 && n >= limit }
	switch {
	case over(w.requests, q.limits.Requests):
		return "Requests"
	case class == writing && over(w.writes, q.limits.Writes):
		return "Write requests"
	case class == deleting && over(w.deletes, q.limits.Deletes):
		return "Delete requests"
	}
	w.requests++
	switch class {
	case writing:
		w.writes++
	case deleting:
		w.deletes++
	}
	return ""
}

// SetQuotas changes the limits; what was counted in the present windows stays counted.
func (c *Cloud) SetQuotas(limits Quotas) {
	c.quotas.mu.Lock()
	defer c.quotas.mu.Unlock()
	c.quotas.limits = limits.withDefaults()
}

// checkQuota counts a request and returns the text of the refusal, or "" where it may go on.
func (c *Cloud) checkQuota(w http.ResponseWriter, project, location string, class requestClass) string {
	exceeded := c.quotas.take(quotaKey{project, location}, class, c.now())
	if exceeded == "" {
		return ""
	}
	c.retryAfter(w)
	return fmt.Sprintf("Quota exceeded for quota metric '%s per project per region' and limit '%s per project per region "+
		"per minute per region' of service 'artifactregistry.googleapis.com' for consumer 'project:%s'.", exceeded, exceeded, project)
}

func (c *Cloud) retryAfter(w http.ResponseWriter) {
	if c.opts.RetryAfter > 0 {
		seconds := int((c.opts.RetryAfter + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
}

// classOf tells how a request of that kind and method counts.
func classOf(method string) requestClass {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return writing
	case http.MethodDelete:
		return deleting
	}
	return reading
}
