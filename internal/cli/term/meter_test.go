package term

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMeterOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, tube := terminal(60, 24, nil)
		m := streams.Meter("Reading manifests")
		time.Sleep(time.Second)
		m.Set(1000, 4000, "two\n\x1b[31mlines")
		time.Sleep(150 * time.Millisecond)
		synctest.Wait()
		got := tube.shown()
		if len(got) != 1 || !strings.HasSuffix(got[0], "Reading manifests  ━━━─────────  1,000 of 4,000  two lines") {
			t.Errorf("%q", got)
		}
		m.Stop("4,000 manifests")
		m.Stop("again")
		if diff := cmp.Diff([]string{"✓ Reading manifests: 4,000 manifests (1.1 s)"}, tube.shown()); diff != "" {
			t.Error(diff)
		}
		if tube.wide > 60 {
			t.Errorf("a line is %d wide", tube.wide)
		}
		tube.check(t)
	})
}

func TestMeterStopsWithNothingToSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, tube := terminal(60, 24, nil)
		m := streams.Meter("Reading manifests")
		time.Sleep(time.Second)
		m.Stop("")
		if got := tube.shown(); len(got) > 0 {
			t.Errorf("%q is left", got)
		}
	})
}

func TestMeterOffATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		streams := NewStreams(nil, io.Discard, io.Discard, env(nil))
		streams.Line = func(line string) { lines = append(lines, line) }
		m := streams.Meter("Verify")
		for i := range 100 {
			time.Sleep(149 * time.Millisecond) // never together with a tick
			m.Set(i, 100, "")
		}
		time.Sleep(25 * time.Second)
		m.Set(0, 0, "the end is near")
		time.Sleep(10 * time.Second)
		m.Stop("all is well")
		if diff := cmp.Diff([]string{
			"Verify", "Verify: 25 of 100", "Verify: 52 of 100", "Verify: 79 of 100", "Verify: 99 of 100", "Verify: 99 of 100", "Verify: the end is near",
			"Verify: all is well (50 s)",
		}, lines); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestQuietOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, tube := terminal(80, 24, func(name string) string { return map[string]string{"NO_COLOR": "1"}[name] })
		streams.Quiet = true
		m := streams.Meter("Verify")
		time.Sleep(time.Second)
		m.Stop("done")
		if strings.Contains(tube.raw.String(), "\x1b") {
			t.Errorf("%q", tube.raw.String())
		}
	})
}

func TestALowTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, tube := terminal(10, 2, nil)
		m := streams.Meter("A label that is longer than the terminal is wide")
		time.Sleep(time.Second)
		m.Stop("nor is this")
		tube.check(t)
		if tube.wide > 10 {
			t.Errorf("a line is %d wide", tube.wide)
		}
	})
}
