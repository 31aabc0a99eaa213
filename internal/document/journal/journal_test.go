package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func read(t *testing.T, path string) []Event {
	t.Helper()
	var events []Event
	if err := Read(path, func(e Event) { events = append(events, e) }); err != nil {
		t.Fatal(err)
	}
	return events
}

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path, clock)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestEventsComeBackInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	want := []Event{
		{Time: noon, Kind: Stage, Note: "copy begins"},
		{Time: noon, Kind: Blob, Target: "us-docker.pkg.dev/p/r/a", Digest: digest.FromString("a")},
		{Time: noon, Kind: Tag, Target: "us-docker.pkg.dev/p/r/a", Digest: digest.FromString("b"), Tag: "v1"},
	}
	for _, e := range want { // each in a run of its own
		j := open(t, path)
		j.Append(e)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestATornLastLineIsNoError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, path)
	j.Append(Event{Kind: Tag, Tag: "v1"})
	j.Append(Event{Kind: Tag, Tag: "v2"})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := len(header)
	first += strings.IndexByte(string(whole[first:]), '\n') + 1
	for cut := first; cut < len(whole); cut++ { // wherever a crash tears it
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j := open(t, path)
		j.Append(Event{Kind: Tag, Tag: "v3"})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		events := read(t, path)
		if len(events) < 2 || events[0].Tag != "v1" || events[len(events)-1].Tag != "v3" {
			t.Fatalf("torn at %d: %v", cut, events)
		}
	}
}

func TestWhatIsNoEventIsPassedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	long := `{"kind":"tag","note":"` + strings.Repeat("x", 3*maxLine) + `"}`
	body := strings.Join([]string{"", "nonsense", "{}", long, `{"kind":"tag","tag":"v1"}`, "\x00\x00", `{"kind":"tag","tag":"v2"}`}, "\n")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	events := read(t, path)
	if len(events) != 2 || events[0].Tag != "v1" || events[1].Tag != "v2" {
		t.Errorf("%v", events)
	}
	if events := read(t, filepath.Join(t.TempDir(), "none")); events != nil {
		t.Errorf("%v", events)
	}
}

// A disk that was full for a while tears a line within a run: the next event begins one of its own.
func TestAFullDiskTearsNoFurtherEvent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, path)
	j.Append(Event{Kind: Tag, Tag: "v1"})
	if _, err := j.f.WriteString(`{"kind":"tag","tag":"v`); err != nil { // as much as fits
		t.Fatal(err)
	}
	j.torn = true
	j.Append(Event{Kind: Tag, Tag: "v3"})
	j.Append(Event{Kind: Tag, Tag: "v4"})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	events := read(t, path)
	if len(events) != 3 || events[1].Tag != "v3" || events[2].Tag != "v4" {
		t.Errorf("%v", events)
	}
}

func TestManyWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, path)
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() { j.Append(Event{Kind: Tag, Tag: fmt.Sprint(n)}) })
	}
	wg.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(read(t, path)); n != 50 {
		t.Errorf("%d events", n)
	}
}

func TestAnErrorIsKept(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "journal.jsonl"))
	if err := j.f.Close(); err != nil {
		t.Fatal(err)
	}
	j.Append(Event{Kind: Tag})
	if !j.torn {
		t.Error("a write that failed may have left half a line")
	}
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), "write the journal") {
		t.Errorf("the error is %v", err)
	}
	var none *Journal
	none.Append(Event{Kind: Tag})
	if err := none.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "no", "journal.jsonl"), clock); err == nil {
		t.Error("a folder that is not there passes")
	}
}
