// Package workspace is the folder that holds a migration's documents: their paths, and the lock that keeps it to one
// process at a time. The lock is the operating system's, so a crash does not leave it behind.
package workspace

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Workspace is an open, locked folder. A wave has an inventory, a plan and results of its own in it; what manifests say,
// what happened and what is verified is shared by all.
type Workspace struct {
	Dir  string
	wave string // empty for what is not about one wave
	lock *flock.Flock
}

// Open creates the folder where it is missing (readable by its owner alone) and locks it.
func Open(dir string) (*Workspace, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the workspace: %w (make room for it there, or name another workspace with -w)", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the workspace %s: %w (make it writable, or name another workspace with -w)", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("the workspace %s is in use by another transship: wait for it, or name another workspace with -w", dir)
	}
	return &Workspace{Dir: dir, lock: lock}, nil
}

// At names the documents of a wave, or of the whole, in a folder that somebody else may have open: for whoever only reads
// what is replaced whole. It creates and locks nothing.
func At(dir, wave string) *Workspace { return &Workspace{Dir: dir, wave: wave} }

// Wave is the part of the workspace that belongs to one wave, whose folder is created where it is missing and the
// workspace is locked. An empty name is what belongs to none.
func (w *Workspace) Wave(name string) (*Workspace, error) {
	part := *w
	part.wave = name
	if name != "" && w.lock != nil {
		if err := os.MkdirAll(part.part(""), 0o700); err != nil {
			return nil, fmt.Errorf("create the wave's folder in the workspace: %w", err)
		}
	}
	return &part, nil
}

// Close gives the lock back, where there is one.
func (w *Workspace) Close() error {
	if w.lock == nil {
		return nil
	}
	return w.lock.Unlock()
}

// Inventory is the path of inventory.json.
func (w *Workspace) Inventory() string { return w.part("inventory.json") }

// Layout is the path of layout.json.
func (w *Workspace) Layout() string { return w.file("layout.json") }

// LayoutText is the path of the same as mappings for the configuration.
func (w *Workspace) LayoutText() string { return w.file("layout.yaml") }

// Settings is the path of settings.json.
func (w *Workspace) Settings() string { return w.file("settings.json") }

// Governance is the path of governance.json.
func (w *Workspace) Governance() string { return w.part("governance.json") }

// GovernanceText is the path of the same for people.
func (w *Workspace) GovernanceText() string { return w.part("governance.md") }

// Content is the path of content.jsonl.
func (w *Workspace) Content() string { return w.file("content.jsonl") }

// Plan is the path of plan.json.
func (w *Workspace) Plan() string { return w.part("plan.json") }

// Journal is the path of journal.jsonl.
func (w *Workspace) Journal() string { return w.file("journal.jsonl") }

// Results is the path of results.json.
func (w *Workspace) Results() string { return w.part("results.json") }

// Verification is the path of verify.json.
func (w *Workspace) Verification() string { return w.file("verify.json") }

// Rewrite is the path of rewrite.json.
func (w *Workspace) Rewrite() string { return w.file("rewrite.json") }

// Sync is the path of sync.json.
func (w *Workspace) Sync() string { return w.part("sync.json") }

// Estimate is the path of estimate.json.
func (w *Workspace) Estimate() string { return w.part("estimate.json") }

// History is the path of history.jsonl.
func (w *Workspace) History() string { return w.file("history.jsonl") }

// Cutover is the path of cutover.json.
func (w *Workspace) Cutover() string { return w.part("cutover.json") }

// LeaveScript is the path of leave.sh, which would delete at the source what is proved to be at the target.
func (w *Workspace) LeaveScript() string { return w.part("leave.sh") }

// Report is the path of report.html.
func (w *Workspace) Report() string { return w.part("report.html") }

// ReportText is the path of the same as Markdown.
func (w *Workspace) ReportText() string { return w.part("report.md") }

// part is a file of the wave.
func (w *Workspace) part(name string) string {
	if w.wave == "" {
		return w.file(name)
	}
	return filepath.Join(w.Dir, "waves", w.wave, name)
}

func (w *Workspace) file(name string) string { return filepath.Join(w.Dir, name) }
