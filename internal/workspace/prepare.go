package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// room is how many bytes must fit before anything begins. It is no promise that all documents will fit; but a full disk
// and a used-up quota are found by it.
const room = 1 << 20

// Prepare sees, by writing, that the documents can be written, and removes what a crash left of documents that were
// being written. Whoever calls it holds the lock, so nobody else writes them.
func (w *Workspace) Prepare() error {
	if err := probe(w.Dir); err != nil {
		return fmt.Errorf("the workspace %s cannot be written: %w (make it writable and free %d MiB there, or name another workspace with -w)",
			w.Dir, err, room>>20)
	}
	folders := []string{w.Dir}
	if w.wave != "" {
		folders = append(folders, w.part(""))
	}
	for _, folder := range folders {
		if err := sweep(folder); err != nil {
			return fmt.Errorf("tidy the workspace: %w", err)
		}
	}
	return nil
}

// probe writes a file, down to the disk, and removes it. Nothing else tells for sure, on every system: root ignores
// permissions, and some file systems find out only when they are made to write.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, room))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// unfinished are the names of documents that were being written, and of probes.
var unfinished = regexp.MustCompile(`^\.(probe-|(inventory|settings|layout|plan|governance|results|verify|rewrite|sync|estimate|cutover)\.json|content\.jsonl|governance\.md|report\.(html|md)|layout\.yaml|leave\.sh)[0-9]+$`)

func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !unfinished.MatchString(e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
