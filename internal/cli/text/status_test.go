package text

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"transship/internal/document"
	"transship/internal/plan"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/stage"
)

func TestStatus(t *testing.T) {
	none := stage.Status{Migration: plan.NewMigration([]ref.Registry{east}, ref.Mapping{}), Waves: []stage.WaveStatus{{State: stage.StateNew}}}
	golden(t, "status-new", func(w io.Writer, o Options) { Status(w, o, none) })
	s := none
	s.Waves = []stage.WaveStatus{
		{Name: "first", State: stage.StateVerified, Repositories: 12, Images: 1200, Tags: 3400, Verified: 12, VerifiedTags: 3400, Excluded: 2, Oldest: day(3),
			Sync: &stage.SyncStatus{CycleAt: day(4), LastSuccess: day(4)}},
		{Name: hostile, State: stage.StateIncomplete, Repositories: 3, Images: 40, Tags: 41, Verified: 1, Missing: 3, Mismatched: 1, Failed: 2, Oldest: day(2),
			Sync: &stage.SyncStatus{CycleAt: day(4), Behind: 4, OldestBehind: day(1), Failures: 2, Deletions: 7, Parked: 1}},
		{Name: "last", State: stage.StateNew},
	}
	s.Rewrite = &stage.RewriteStatus{MadeAt: day(4), Written: true, Edits: 210, Findings: 3}
	for range 8 {
		s.Unassigned = append(s.Unassigned, east.Repository("nobody/claims"))
	}
	s.Next = stage.Step{Command: "transship copy --retry-failed --wave " + hostile, Why: "images failed: results.json says why"}
	golden(t, "status", func(w io.Writer, o Options) { Status(w, o, s) })
}

// Eight waves, with all that a look and the documents say, fit a screen of 80 columns and 24 lines.
func TestStatusFitsAScreen(t *testing.T) {
	at := now.Add(-3 * time.Hour)
	s := stage.Status{Migration: plan.NewMigration([]ref.Registry{east}, ref.Mapping{Default: images.Image("")})}
	for n := range 8 {
		s.Waves = append(s.Waves, stage.WaveStatus{
			Name: fmt.Sprintf("team-payments-%d", n+1), State: stage.StateVerified, Repositories: 120, Verified: 120, Oldest: at, Excluded: 2,
			Now:  &stage.WaveNow{Source: &stage.SourceNow{Repositories: 120}, Target: &stage.TargetNow{References: 21_204, InPlace: 21_204}},
			Sync: &stage.SyncStatus{CycleAt: now, LastSuccess: now.Add(-5 * time.Minute)},
		})
	}
	s.Waves[2].State = stage.StateStale
	s.Waves[2].Now = &stage.WaveNow{
		VerifyAgain: true, Source: &stage.SourceNow{Repositories: 120, Pushed: 4, Moved: 1, Gone: 2, PushedAfter: true},
		Target: &stage.TargetNow{References: 1_210, InPlace: 1_204, Absent: 4, Differ: 2},
	}
	s.Waves[7] = stage.WaveStatus{Name: "last", State: stage.StateNew}
	s.Look = &stage.QuickLook{At: now, LastPush: now.Add(-90 * time.Second)}
	s.Rewrite = &stage.RewriteStatus{MadeAt: at, Written: true, Edits: 210}
	s.Cutover = &stage.CutoverStatus{CheckedAt: now.Add(-2 * time.Hour), Failing: []string{"verified"}, Unknown: []string{"canary", "pulls"}}
	s.Next = stage.Step{Command: "transship migrate --wave team-payments-3", Why: "it changed since the verification"}
	golden(t, "status-now", func(w io.Writer, o Options) { Status(w, o, s) })
	var b strings.Builder
	Status(&b, Options{Width: 80, Now: now}, s)
	if n := strings.Count(b.String(), "\n"); n > 22 { // a prompt, and a line before the words, stand there too
		t.Errorf("%d lines:\n%s", n, b.String())
	}
	s.Look.Unseen = []stage.Unseen{
		{Side: registry.Source, Object: east.String(), Repositories: 3, Class: "denied", Error: hostile + strings.Repeat(" and more", 30), Hint: "allow ecr:DescribeImages " + hostile},
		{Side: registry.Target, Class: "timed-out", Error: "it did not answer"},
	}
	for n := range s.Waves {
		if s.Waves[n].Now != nil {
			s.Waves[n].Now.Target = nil
		}
	}
	s.Cutover = &stage.CutoverStatus{CheckedAt: now.Add(-30 * time.Second), Leave: true, Open: true}
	golden(t, "status-unseen", func(w io.Writer, o Options) { Status(w, o, s) })
}

func TestSync(t *testing.T) {
	repo := east.Repository("team/api")
	s := document.Sync{
		Header: header(document.KindSync, east), LastSuccess: day(3),
		Cycle: document.SyncCycle{StartedAt: day(4), EndedAt: day(4).Add(time.Minute), Repositories: 26, Images: 1700, Found: 5, Copied: 5},
	}
	golden(t, "sync", func(w io.Writer, o Options) { Sync(w, o, s, "transship/sync.json") })
	s.Cycle.Copied, s.Cycle.Behind, s.Cycle.Kept, s.Cycle.Deleted = 3, 2, 1, 1
	s.Cycle.KeptTags = []document.Tag{{Target: images.Image("team/api"), Tag: "latest", Digest: sha("theirs")}}
	s.Cycle.Created = []ref.TargetRepository{images}
	s.Cycle.Failures = []document.Failure{{Source: repo.String() + ":1.2", Class: "denied", Error: "the manifest cannot be read", Hint: "allow ecr:BatchGetImage"}, {Source: hostile, Error: hostile, Hint: hostile}}
	s.Deletions = []document.SyncDeletion{{Target: images.Image("team/api"), Tag: "1.1", Digest: sha("one"), SeenAt: day(4)}}
	s.Held = []string{"14 of 20 tags of team/api vanished at once: " + hostile}
	s.Vanished = []document.SyncedRepository{{URI: east.Repository("team/gone"), Tags: 3, SeenAt: day(2)}}
	s.Parked = []document.ParkedMessage{{ID: "1", Queue: "https://sqs.us-east-1.amazonaws.com/123456789012/events", Reason: hostile, At: day(4)}}
	golden(t, "sync-trouble", func(w io.Writer, o Options) { Sync(w, o, s, "transship/sync.json") })
	s.Cycle.Stopped = true
	golden(t, "sync-stopped", func(w io.Writer, o Options) { Sync(w, o, s, "") })
}
