package sync

import (
	"testing"
	"time"
)

func TestOutages(t *testing.T) {
	var o outages
	start := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		at        time.Duration
		host      string
		status    int
		throttled bool
		want      time.Duration // 0: nothing is told
	}{
		{0, "a", 503, false, 0},
		{30 * time.Second, "a", 0, false, 0},
		{59 * time.Second, "a", 400, true, 0},
		{60 * time.Second, "b", 200, false, 0},
		{61 * time.Second, "a", 503, false, 61 * time.Second},
		{62 * time.Second, "a", 503, false, 0},
		{2*time.Minute + time.Second, "a", 503, false, 2*time.Minute + time.Second},
		{3 * time.Minute, "a", 404, false, 0}, // an answer, whatever it says
		{5 * time.Minute, "a", 503, false, 0},
		{6 * time.Minute, "a", 503, false, time.Minute},
	} {
		lasts, tell := o.saw(step.host, step.status, step.throttled, start.Add(step.at))
		if lasts != step.want || tell != (step.want > 0) {
			t.Errorf("after %s: %s, %t, want %s", step.at, lasts, tell, step.want)
		}
	}
}
