package text

import (
	"fmt"
	"io"
	"testing"
	"time"

	"transship/internal/document"
	"transship/internal/stage"
)

func TestJoined(t *testing.T) {
	r := someResults()
	j := stage.Joined{
		Migration: r.Migration, StartedAt: day(0), EndedAt: day(0).Add(90 * time.Minute), Success: r.Success, Failed: r.Failed, Skipped: r.Skipped,
		Failures: r.Failures, Kept: r.Kept, Gone: r.Gone, Traffic: r.Traffic, Without: []string{"work/\x1b[31m40"},
	}
	states := []stage.ShardState{stage.ShardDone, stage.ShardFailed, stage.ShardStopped, stage.ShardStale, stage.ShardMissing, stage.ShardMissing}
	for n := range 40 {
		s := stage.ShardStatus{Index: n, State: states[n%len(states)], Success: n}
		if s.State != stage.ShardMissing {
			s.Workspaces = []string{fmt.Sprint("work/", n)}
		}
		j.Shards = append(j.Shards, s)
	}
	golden(t, "joined", func(w io.Writer, o Options) { Joined(w, o, j) })
	done := stage.Joined{Migration: r.Migration, Success: 5, Shards: []stage.ShardStatus{{State: stage.ShardDone}}, Traffic: document.Traffic{BytesRead: 1, BlobsRead: 1}}
	golden(t, "joined-done", func(w io.Writer, o Options) { Joined(w, o, done) })
}
