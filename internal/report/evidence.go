package report

import (
	"time"

	"transship/internal/document"
)

// Evidence is what there is to report about. Each document may be missing.
type Evidence struct {
	MadeAt    time.Time
	Version   string // of Transship
	Migration document.Migration
	Wave      string // empty for the whole
	// InWave reports whether a source repository, by its full name, belongs to the wave; nil: all do. The verification
	// is shared by all waves.
	InWave func(source string) bool

	Inventory    *document.Inventory
	Plan         *document.Plan
	Results      *document.Results // of several workers, their sum
	Verification *document.Verification
	Governance   *document.Governance
	Rewrite      *document.Rewriting
	Sync         *document.Sync
	Estimate     *document.Estimate
	Cutover      *document.Cutover
	Runs         []document.Run // the oldest first
	Shards       []Shard        // of workers, where several copied
	Unread       []Unread
	Unplanned    []string // waves without a plan, in a report of the whole

	Units Units
}

// Shard is the part of a plan that one of several workers copied.
type Shard struct {
	Index      int
	State      string
	Done       bool
	Workspaces []string
	Success    int
	Failed     int
	Skipped    int
	EndedAt    time.Time
	BytesRead  int64
}

// Unread is something of the workspace that could not be taken into account.
type Unread struct {
	What string // the file
	Why  string // an error, which says what to do
}

// Units are how quantities are written for people, and what makes outside text one line of visible characters.
type Units struct {
	Bytes    func(int64) string
	Bits     func(bytes int64) string // a bandwidth, given in bytes a second
	Number   func(int) string
	Count    func(n int, singular string) string
	Duration func(time.Duration) string
	Clean    func(string) string
}
