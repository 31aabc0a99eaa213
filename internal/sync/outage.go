package sync

import (
	"net/http"
	"sync"
	"time"
)

// tellAfter is for how long a host must have answered nothing of use before the log tells of it, and how often it does
// then. The requests go on being tried meanwhile, which nobody would see otherwise until the cycle gives up.
const tellAfter = time.Minute

// outages are the hosts of which every attempt fails.
type outages struct {
	mu    sync.Mutex
	hosts map[string]*outage
}

type outage struct{ began, told time.Time }

// saw notes an attempt, and says for how long the host has answered nothing of use where it is time to tell.
func (o *outages) saw(host string, status int, throttled bool, now time.Time) (lasts time.Duration, tell bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if status != 0 && status < http.StatusInternalServerError && !throttled {
		delete(o.hosts, host)
		return 0, false
	}
	if o.hosts == nil {
		o.hosts = map[string]*outage{}
	}
	at := o.hosts[host]
	if at == nil {
		at = &outage{began: now, told: now}
		o.hosts[host] = at
	}
	if now.Sub(at.told) < tellAfter {
		return 0, false
	}
	at.told = now
	return now.Sub(at.began), true
}
