package document

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/google/renameio/v2"
)

// Write replaces the file at path by v as indented JSON, whole or not at all.
func Write(path string, v any) error {
	return writeFile(path, func(w io.Writer) error { return Encode(w, v) })
}

func writeFile(path string, encode func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer f.Cleanup() //nolint:errcheck // nothing is left to clean up once it has been replaced
	w := bufio.NewWriterSize(f, 1<<16)
	if err := encode(w); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Encode writes v as the documents are written: indented, with <, > and & as themselves.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(v)
}

// Headed is a document: a pointer to a type that begins with a Header.
type Headed interface{ header() *Header }

func (h *Header) header() *Header { return h }

// Read reads the document at path into v, which must be of the given kind and the present format. The error is
// fs.ErrNotExist where there is no such file.
func Read(path string, kind Kind, v Headed) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var h struct{ Header }
	if err := json.Unmarshal(b, &h); err != nil {
		return fmt.Errorf("%s cannot be read: %w (it is damaged: make it anew)", path, err)
	}
	if err := h.Check(kind); err != nil {
		return fmt.Errorf("%s cannot be used: %w", path, err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s cannot be read: %w (it is damaged: make it anew)", path, err)
	}
	return nil
}

// ReadFor is Read for a document that was made for the migration m. Where it was made for another one, the error says
// in which respect and names the remedy.
func ReadFor(path string, kind Kind, m Migration, v Headed) error {
	if err := Read(path, kind, v); err != nil {
		return err
	}
	if d := m.Differs(v.header().Migration); d != "" {
		return fmt.Errorf("%s was made for another migration: %s (make it anew, or name another workspace with -w)", path, d)
	}
	return nil
}
