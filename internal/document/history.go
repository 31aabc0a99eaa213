package document

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"transship/internal/document/lines"
)

// Run is one command that ended, or was stopped: a line of history.jsonl, which is only ever added to. It is evidence for
// people; nothing is decided by it.
type Run struct {
	FormatVersion int           `json:"formatVersion"`
	Migration     Migration     `json:"migration"`
	Command       string        `json:"command"`            // such as copy
	Version       string        `json:"version"`            // of Transship
	Wave          string        `json:"wave,omitempty"`     //
	Shard         string        `json:"shard,omitempty"`    // I/N
	Settings      []string      `json:"settings,omitempty"` // the flags that were given, without those that say where; sorted
	StartedAt     time.Time     `json:"startedAt"`
	EndedAt       time.Time     `json:"endedAt"`
	Outcome       RunOutcome    `json:"outcome"`
	Summary       string        `json:"summary,omitempty"`   // what came of it, in a few words
	Error         string        `json:"error,omitempty"`     // why it failed
	BytesRead     int64         `json:"bytesRead,omitempty"` // of blobs, from the source
	Hosts         []HostTraffic `json:"hosts,omitempty"`     // sorted by host
}

// RunOutcome is how a command ended.
type RunOutcome string

// The outcomes.
const (
	RunDone       RunOutcome = "done"
	RunIncomplete RunOutcome = "incomplete" // it finished, but something failed, is missing or differs
	RunFailed     RunOutcome = "failed"
	RunStopped    RunOutcome = "stopped"
)

// HostTraffic counts the requests that a run sent to one host, each attempt of them.
type HostTraffic struct {
	Host      string `json:"host"`
	Requests  int64  `json:"requests"`
	Throttled int64  `json:"throttled,omitempty"` // refused because of a quota
	Failed    int64  `json:"failed,omitempty"`    // answered by 5xx, or not at all
}

// AppendRun adds a line to the history at path, which is made where it is missing. A line that a crash tore is closed
// first.
func AppendRun(path string, r Run) error {
	r.FormatVersion = FormatVersion
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return unwritten(path, err)
	}
	line := append(b, '\n')
	if torn, err := lines.Torn(f); err == nil && torn {
		line = append([]byte{'\n'}, line...)
	}
	_, err = f.Write(line)
	if err = errors.Join(err, f.Close()); err != nil {
		return unwritten(path, err)
	}
	return nil
}

// ReadRuns reads the history at path, the oldest run first. Lines that are not runs of the present format are passed
// over and counted; a file that is not there has none.
func ReadRuns(path string) (runs []Run, passed int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	from := bufio.NewReader(f)
	for {
		line, err := from.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return runs, passed, fmt.Errorf("read %s: %w", path, err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var r Run
			if json.Unmarshal(line, &r) == nil && r.FormatVersion == FormatVersion && r.Command != "" {
				runs = append(runs, r)
			} else {
				passed++
			}
		}
		if err != nil {
			return runs, passed, nil
		}
	}
}
