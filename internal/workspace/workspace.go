// Package workspace is the folder that holds a migration's documents: their paths, and the lock that keeps it to one
// process at a time. The lock is the operating system's, so a crash does not leave it behind.
package workspace

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Workspace is an open, locked folder.
type Workspace struct {
	Dir  string
	lock *flock.Flock
}

// Open creates the folder where it is missing (readable by its owner alone), locks it and sees that it can be written.
func Open(dir string) (*Workspace, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the workspace: %w", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the workspace %s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("the workspace %s is in use by another transship: wait for it, or name another workspace with -w", dir)
	}
	return &Workspace{Dir: dir, lock: lock}, nil
}

// Close gives the lock back.
func (w *Workspace) Close() error { return w.lock.Unlock() }

// Inventory is the path of inventory.json.
func (w *Workspace) Inventory() string { return w.file("inventory.json") }

// Content is the path of content.jsonl.
func (w *Workspace) Content() string { return w.file("content.jsonl") }

// Plan is the path of plan.json.
func (w *Workspace) Plan() string { return w.file("plan.json") }

// Journal is the path of journal.jsonl.
func (w *Workspace) Journal() string { return w.file("journal.jsonl") }

// Results is the path of results.json.
func (w *Workspace) Results() string { return w.file("results.json") }

// Verification is the path of verify.json.
func (w *Workspace) Verification() string { return w.file("verify.json") }

func (w *Workspace) file(name string) string { return filepath.Join(w.Dir, name) }
