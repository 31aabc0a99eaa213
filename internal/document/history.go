package document

import "time"

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
