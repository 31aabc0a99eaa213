package term

import (
	"math"
	"time"
)

// A speed is measured over the last while: long enough to be calm, short enough to notice a change.
const (
	speedWindow = 10 * time.Second
	speedSample = 500 * time.Millisecond
	speedKnown  = 2 * time.Second // what is measured over less says nothing
)

// speed is how fast a count grows. The zero value is ready for use.
type speed struct {
	samples []sample // at most speedWindow old, a sample apart
	now     sample
}

type sample struct {
	at time.Time
	n  int64
}

// add notes that the count is n at the given time.
func (s *speed) add(at time.Time, n int64) {
	s.now = sample{at, n}
	if k := len(s.samples); k == 0 || at.Sub(s.samples[k-1].at) >= speedSample {
		s.samples = append(s.samples, s.now)
	}
	for len(s.samples) > 1 && at.Sub(s.samples[1].at) >= speedWindow {
		s.samples = s.samples[1:]
	}
}

// perSecond is the present speed.
func (s *speed) perSecond() float64 {
	if len(s.samples) == 0 {
		return 0
	}
	seconds := s.now.at.Sub(s.samples[0].at).Seconds()
	if seconds <= 0 {
		return 0
	}
	return max(0, float64(s.now.n-s.samples[0].n)/seconds)
}

// left is how long n more will take, if that is known.
func (s *speed) left(n int64) (time.Duration, bool) {
	rate := s.perSecond()
	if n < 0 || rate <= 0 || s.now.at.Sub(s.samples[0].at) < speedKnown {
		return 0, false
	}
	seconds := float64(n) / rate
	if seconds > math.MaxInt64/float64(2*time.Second) {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
