package generate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	return fmt.Sprintf("write Terraform: %s was not made by transship, or was made yours by taking away its first comment, and is left as it is: "+
		"nothing was written (name another folder, or move the file away)", e.Path)
}

// WriteTerraform writes what Terraform returned into dir, which is created where it is missing. A file that does not
// begin as ours do is never replaced: then the error is a *Foreign, and nothing is written.
func WriteTerraform(dir string, files []File) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		old, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("write Terraform: %w", err)
		case !isOurs(old):
			return &Foreign{path}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Terraform is for the team to read
		return fmt.Errorf("write Terraform: %w", err)
	}
	for _, f := range files {
		if err := replace(filepath.Join(dir, f.Name), f.Content); err != nil {
			return fmt.Errorf("write Terraform: %w", err)
		}
	}
	return nil
}

// isOurs reports whether a file begins as ours do; an empty one is nobody's.
func isOurs(content []byte) bool {
	first := bufio.NewScanner(bytes.NewReader(content))
	return len(bytes.TrimSpace(content)) == 0 || first.Scan() && bytes.HasPrefix(first.Bytes(), []byte(terraformMark))
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
		err = f.Chmod(0o644) //nolint:gosec // as above
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
