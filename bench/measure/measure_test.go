package measure_test

import (
	"fmt"
	"os"
	"testing"

	"transship/bench/measure"
)

// TestMain lets the test binary be the runner that Do starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == measure.RunnerArgument {
		if err := measure.Runner(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func sh(script string) measure.Command {
	return measure.Command{Args: []string{"sh", "-c", script}}
}

// TestChildrensMemoryIsTheirOwn sees that a tool is not charged for what the bench holds.
func TestChildrensMemoryIsTheirOwn(t *testing.T) {
	held := make([]byte, 300<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	u, err := measure.Do(t.Context(), measure.Run{Lanes: [][]measure.Command{{sh("exit 0")}}})
	if err != nil || u.Failed != 0 || u.Commands != 1 || u.RSS == 0 || u.RSS > 100<<20 {
		t.Errorf("%+v, %v: want one command of little memory, beside %d bytes", u, err, len(held))
	}
}

func TestLanes(t *testing.T) {
	lanes := [][]measure.Command{{sh("exit 3"), sh("true")}, {sh("echo why >&2; exit 1"), sh("true")}}
	for goOn, want := range map[bool]int{false: 2, true: 4} {
		u, err := measure.Do(t.Context(), measure.Run{Lanes: lanes, Parallel: 2, GoOn: goOn})
		if err != nil || u.Commands != want || u.Failed != 2 || len(u.Lanes) != 2 || u.Output == "" {
			t.Errorf("go on %v: %+v, %v", goOn, u, err)
		}
	}
}
