package governor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestDo(t *testing.T) {
	cause := errors.New("no")
	for _, c := range []struct {
		name   string
		advice Advice
		fails  int           // tries that fail before one succeeds
		each   time.Duration // what a try takes
		tries  int
		least  time.Duration
		most   time.Duration
		gaveUp bool
	}{
		{"first time", Again, 0, 0, 1, 0, 0, false},
		{"later", Again, 3, 0, 4, 2 * time.Second, 4 * time.Second, false},
		{"at once", AgainNow, 3, 0, 4, 0, 0, false},
		{"stop", Stop, 9, 0, 1, 0, 0, false},
		{"for minutes", Again, 1e9, 0, 26, 10 * time.Minute, 11 * time.Minute, true},
		{"long tries get three", Again, 1e9, time.Hour, 3, 3 * time.Hour, 4 * time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := New(Options{Random: half})
				start, tries := time.Now(), 0
				err := g.Do(t.Context(), func(error) Advice { return c.advice }, func(context.Context) error {
					time.Sleep(c.each)
					if tries++; tries > c.fails {
						return nil
					}
					return cause
				})
				took := time.Since(start)
				if took < c.least || took > c.most || c.tries < 20 && tries != c.tries || tries > 40 {
					t.Errorf("%d tries in %s, want %d in %s to %s", tries, took, c.tries, c.least, c.most)
				}
				if g.Stats().Retries != int64(tries-1) {
					t.Errorf("%d retries were counted for %d tries", g.Stats().Retries, tries)
				}
				gaveUp, ok := errors.AsType[*GaveUp](err)
				if ok != c.gaveUp || ok && (gaveUp.Tries != tries || !errors.Is(err, cause)) {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

func TestDoEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		err := New(Options{}).Do(ctx, func(error) Advice { return Again }, func(context.Context) error { return fmt.Errorf("no") })
		if err == nil || time.Since(start) != time.Minute {
			t.Errorf("error is %v after %s", err, time.Since(start))
		}
	})
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"-3":                            0,
		"soon":                          0,
		"NaN":                           0,
		"+Inf":                          24 * time.Hour,
		"7":                             7 * time.Second,
		" 1.5 ":                         1500 * time.Millisecond,
		"99999999999999999999":          24 * time.Hour,
		"Thu, 05 Nov 2026 12:01:00 GMT": time.Minute,
		"Thu, 05 Nov 2026 11:59:00 GMT": 0,
		"Thu, 05 Nov 2099 11:59:00 GMT": 24 * time.Hour,
	} {
		if got := ParseRetryAfter(value, now); got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{"7", "1.5", "1e400", "NaN", "Thu, 05 Nov 2026 12:01:00 GMT", "Thursday, 05-Nov-26 12:01:00 GMT"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		if got := ParseRetryAfter(value, now); got < 0 || got > maxRetryAfter {
			t.Errorf("%q is %s", value, got)
		}
	})
}
