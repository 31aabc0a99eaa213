package document

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHistoryComesBackInOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.jsonl")
	var want []Run
	for _, command := range []string{"inventory", "copy", "verify"} {
		r := Run{
			FormatVersion: FormatVersion, Command: command, StartedAt: time.Unix(1, 0).UTC(), EndedAt: time.Unix(2, 0).UTC(), Outcome: RunDone,
			Hosts: []HostTraffic{{Host: "h", Requests: 3, Throttled: 1}},
		}
		want = append(want, r)
		if err := AppendRun(path, r); err != nil {
			t.Fatal(err)
		}
	}
	got, passed, err := ReadRuns(path)
	if err != nil || passed != 0 {
		t.Fatalf("%d lines passed over, %v", passed, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the history differs (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history is %v, %v: want it readable by its owner alone", info.Mode(), err)
	}
}

// TestATornRunIsPassedOver tears the last line at each of its bytes, and goes on.
func TestATornRunIsPassedOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.jsonl")
	if err := AppendRun(path, Run{Command: "inventory"}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < len(whole)-1; cut++ {
		if err := os.WriteFile(path, append(append([]byte{}, whole...), whole[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if runs, passed, err := ReadRuns(path); err != nil || len(runs) != 1 || passed != 1 {
			t.Fatalf("torn at %d: %d runs, %d passed over, %v", cut, len(runs), passed, err)
		}
		if err := AppendRun(path, Run{Command: "plan"}); err != nil {
			t.Fatal(err)
		}
		if runs, _, err := ReadRuns(path); err != nil || len(runs) != 2 || runs[1].Command != "plan" {
			t.Fatalf("after a line torn at %d: %v, %v", cut, runs, err)
		}
	}
}

func TestNoHistoryIsNoError(t *testing.T) {
	t.Parallel()
	if runs, passed, err := ReadRuns(filepath.Join(t.TempDir(), "none")); len(runs)+passed != 0 || err != nil {
		t.Errorf("%v, %d, %v", runs, passed, err)
	}
}
