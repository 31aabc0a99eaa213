package image

import (
	"math"
	"time"
)

// Moment is when something happens to an image, in seconds since 1970: from then on, that moment not included, it has
// happened. So what is deleted when it is older than a day has the moment at which it is a day old.
type Moment int64

// The ends of time.
const (
	Past  Moment = math.MinInt64 // it happened before anybody looked
	Never Moment = math.MaxInt64
)

// At is the moment of a time.
func At(t time.Time) Moment { return Moment(t.Unix()) }

// Add is a moment some seconds later. The ends of time stay.
func (m Moment) Add(seconds int64) Moment {
	if m == Past || m == Never {
		return m
	}
	return m + Moment(seconds)
}

// Passed tells whether it has happened by a time.
func (m Moment) Passed(at time.Time) bool { return m < At(at) }
