package generate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is one that is written for others.
type File struct {
	Name    string
	Content string
}

// Foreign says that a file is not ours to replace.
type Foreign struct{ Path string }

// Error names the file, and what to do.
func (e *Foreign) Error() string {
	return fmt.Sprintf("write: %s was not made by transship, or not by this command, or was made yours by taking away its first comment, and is left as it is: "+
		"nothing was written (name another folder, or move the file away)", e.Path)
}

// Write writes what one of the generators returned into dir, which is created where it is missing. A file that was not
// made by the same generator is never replaced: then the error is a *Foreign, and nothing is written.
func Write(dir string, files []File) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		old, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("write the files: %w", err)
		case !isOurs(old, f.Content):
			return &Foreign{path}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the files are for the team to read
		return fmt.Errorf("write the files: %w", err)
	}
	for _, f := range files {
		if err := replace(filepath.Join(dir, f.Name), f.Content); err != nil {
			return fmt.Errorf("write the files: %w", err)
		}
	}
	return nil
}

// mark is how the line begins by which a file is known as ours.
const mark = `# Made by "transship generate `

// isOurs reports whether a file was made by the generator that made the new one; an empty one is nobody's.
func isOurs(old []byte, made string) bool {
	return len(bytes.TrimSpace(old)) == 0 || markOf(string(old)) != "" && markOf(string(old)) == markOf(made)
}

// markOf is which generator made a file: the first words of its first line, or of its second where the first is for the
// shell. It is empty where none did.
func markOf(content string) string {
	if strings.HasPrefix(content, "#!") {
		_, content, _ = strings.Cut(content, "\n")
	}
	rest, ok := strings.CutPrefix(content, mark)
	what, _, closed := strings.Cut(rest, `".`)
	if !ok || !closed {
		return ""
	}
	return what
}

// replace puts content in the place of a file, whole or not at all. What is as it should be is left alone.
func replace(path, content string) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == content {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // nothing is left to remove once it has taken its place
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Chmod(modeOf(path))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// modeOf is what may be done with a file: scripts are there to be run.
func modeOf(path string) fs.FileMode {
	if filepath.Ext(path) == ".sh" {
		return 0o755
	}
	return 0o644
}
