package cutover

import (
	"strings"
	"time"

	"transship/internal/report"
)

// maxNamed is how many things a sentence names.
const maxNamed = 3

// some are the first of names, and how many more there are.
func (j *judge) some(names []string) string {
	shown := names[:min(len(names), maxNamed)]
	out := j.Units.Clean(strings.Join(shown, ", "))
	if n := len(names) - len(shown); n > 0 {
		out += " and " + j.Units.Number(n) + " more"
	}
	return out
}

// moment is when something was, to the minute.
func moment(t time.Time) string {
	if t.IsZero() {
		return "no time that is known"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// days is how long a time is that is meant in days.
func days(u report.Units, d time.Duration) string {
	const day = 24 * time.Hour
	if d%day != 0 {
		return u.Duration(d)
	}
	return u.Count(int(d/day), "day")
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
