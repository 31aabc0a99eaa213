package cloudsim

import (
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"sync"
)

// Fault says which requests are spoiled, and how. A request is spoiled when it matches Kind and Match, and then Nth,
// Probability and Times, in this order, let it. Several faults may spoil one request: the first one is outermost.
type Fault struct {
	// Kind is a glob on the request's kind, as in "ecr.v2.*"; "*" also stands for dots. "" matches every kind.
	Kind string
	// Match narrows further, if not nil. It must not read the body.
	Match func(*http.Request) bool
	// Nth, if positive, spoils only the n-th request that matches, counted from 1.
	Nth int
	// Probability, if between 0 and 1, spoils that share of the requests, by the seeded generator of Faults. 0 is all.
	Probability float64
	// Times, if positive, is how many requests are spoiled at most.
	Times int
	// Action is what happens to them.
	Action Action
}

// Faults is a set of faults that can be changed while requests run. The zero value has none.
type Faults struct {
	mu     sync.Mutex
	faults []*activeFault
	random *rand.Rand
	fired  int
}

type activeFault struct {
	Fault
	matched, fired int
}

// Set replaces all faults and begins their counts, and the random sequence of seed 1, anew.
func (f *Faults) Set(faults ...Fault) { f.SetSeeded(1, faults...) }

// SetSeeded is Set with a seed for the faults that have a Probability.
func (f *Faults) SetSeeded(seed uint64, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.random = rand.New(rand.NewPCG(seed, seed))
	f.faults, f.fired = nil, 0
	for _, fault := range faults {
		f.faults = append(f.faults, &activeFault{Fault: fault})
	}
}

// Clear removes all faults.
func (f *Faults) Clear() { f.Set() }

// Fired returns how often a fault spoiled a request since the last Set, for a test to see that it tested something.
func (f *Faults) Fired() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// wrap returns h under the faults that each request draws.
func (f *Faults) wrap(kind string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next := h
		for _, action := range slices.Backward(f.draw(kind, r)) {
			next = bind(action, next)
		}
		next.ServeHTTP(w, r)
	})
}

func bind(a Action, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a(w, r, next) })
}

// draw returns the actions that r meets.
func (f *Faults) draw(kind string, r *http.Request) []Action {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Action
	for _, a := range f.faults {
		if a.draw(kind, r, f.random) {
			f.fired++
			out = append(out, a.Action)
		}
	}
	return out
}

func (a *activeFault) draw(kind string, r *http.Request, random *rand.Rand) bool {
	if a.Kind != "" {
		if ok, _ := path.Match(a.Kind, kind); !ok {
			return false
		}
	}
	if a.Match != nil && !a.Match(r) {
		return false
	}
	a.matched++
	switch {
	case a.Nth > 0 && a.matched != a.Nth,
		a.Times > 0 && a.fired >= a.Times,
		a.Probability > 0 && random.Float64() >= a.Probability:
		return false
	}
	a.fired++
	return true
}
