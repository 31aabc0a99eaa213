package main

import (
	"math"
	"testing"
	"time"

	"transship/bench/measure"
)

func walls(seconds ...float64) series {
	var s series
	for _, v := range seconds {
		s = append(s, result{Usage: measure.Usage{Wall: time.Duration(v * float64(time.Second))}})
	}
	return s
}

// TestRatiosAreWithinRounds sees that a slow round, which is slow for all, does not spoil a ratio.
func TestRatiosAreWithinRounds(t *testing.T) {
	t.Parallel()
	base, ours := walls(1, 10, 2), walls(1.2, 12, 2.4)
	if got := ours.over(base, wall); math.Abs(got-1.2) > 1e-9 {
		t.Errorf("ratio %v, want 1.2", got)
	}
	if got := walls(4).over(base, wall); math.Abs(got-2) > 1e-9 {
		t.Errorf("a single run beside three rounds: ratio %v, want that to the median, 2", got)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	quick, err := parseFlags([]string{"-quick"})
	if err != nil || quick.peers || quick.runs != 1 || len(quick.rtts) != 2 || quick.out == "RESULTS.md" {
		t.Errorf("-quick: %+v, %v", quick, err)
	}
	full, err := parseFlags([]string{"-rtt", "0,5ms"})
	if err != nil || !full.peers || full.runs != 3 || len(full.rtts) != 2 || full.rtts[1] != 5*time.Millisecond || full.out != "RESULTS.md" {
		t.Errorf("-rtt: %+v, %v", full, err)
	}
	if _, err := choose([]string{"cold", "lukewarm"}); err == nil {
		t.Error("a section that does not exist was accepted")
	}
	if got := number(1234567) + " " + number(12) + " " + number(123); got != "1,234,567 12 123" {
		t.Errorf("numbers: %s", got)
	}
}
