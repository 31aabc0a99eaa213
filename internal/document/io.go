package document

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
)

// Write replaces the file at path by v as indented JSON, whole or not at all.
func Write(path string, v any) error {
	return writeFile(path, func(w io.Writer) error { return Encode(w, v) })
}

// WriteText replaces the file at path by b, whole or not at all.
func WriteText(path string, b []byte) error {
	return writeFile(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// writeFile writes beside the file that it replaces, and nowhere else: not in the system's folder for temporary files,
// which others can look into. It is the standard library's alone, for packages that do so leave out Windows.
func writeFile(path string, encode func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"*") // for its owner alone
	if err != nil {
		return unwritten(path, err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // nothing is left to remove once it has taken its place
	w := bufio.NewWriterSize(f, 1<<16)
	err = encode(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync() // a crash must not leave an empty file in the place of a good one
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return unwritten(path, err)
	}
	return nil
}

// unwritten says what to do where a disk is full. What was there before is there still.
func unwritten(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("write %s: %w (free some room, then run the same command again)", path, err)
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// Headed is a document: a pointer to a type that begins with a Header.
type Headed interface{ headed() }

func (*Header) headed() {}

// Read reads the document at path into v, which must be of the given kind and the present format. The error is
// fs.ErrNotExist where there is no such file.
func Read(path string, kind Kind, v Headed) error {
	return open(path, kind, nil, func(d *json.Decoder) error { return decode(d, reflect.ValueOf(v).Elem()) })
}

// ReadFor is Read for a document that was made for the migration m. Where it was made for another one, the error says
// in which respect and names the remedy.
func ReadFor(path string, kind Kind, m Migration, v Headed) error {
	return open(path, kind, &m, func(d *json.Decoder) error { return decode(d, reflect.ValueOf(v).Elem()) })
}

// ReadHeader reads how the document at path begins, and no more: whether the rest can be read is not known.
func ReadHeader(path string, kind Kind) (Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return Header{}, err
	}
	defer f.Close()
	h, err := readHeader(f)
	if err != nil {
		return h, damaged(path, err)
	}
	return h, h.usable(path, kind, nil)
}

// EachSourceImage calls f for each image of the source in the inventory at path, which must be made for m. It holds one
// at a time. Errors are those of ReadFor, and may come after calls of f.
func EachSourceImage(path string, m Migration, f func(SourceImage)) error {
	return open(path, KindInventory, &m, func(d *json.Decoder) error {
		images := func() error {
			_, err := eachElement(d, func() error {
				var i SourceImage
				err := d.Decode(&i)
				if err == nil {
					f(i)
				}
				return err
			})
			return err
		}
		return only(d, "source", func() error { return only(d, "images", images) })
	})
}

// open checks the header of the document at path, then lets f read all of it. A nil m stands for any migration.
func open(path string, kind Kind, m *Migration, f func(*json.Decoder) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h, err := readHeader(file)
	if err != nil {
		return damaged(path, err)
	}
	if err := h.usable(path, kind, m); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	d := json.NewDecoder(bufio.NewReaderSize(file, 1<<16))
	err = f(d)
	if err == nil {
		err = ends(d)
	}
	if err != nil {
		return damaged(path, err)
	}
	return nil
}

func damaged(path string, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s cannot be read: %w (it is damaged: make it anew)", path, err)
}

// usable says why a document with this header cannot be used, or nothing.
func (h Header) usable(path string, kind Kind, m *Migration) error {
	if err := h.Check(kind); err != nil {
		return fmt.Errorf("%s cannot be used: %w", path, err)
	}
	if m == nil {
		return nil
	}
	if d := m.Differs(h.Migration); d != "" {
		return fmt.Errorf("%s was made for another migration: %s (make it anew, or name another workspace with -w)", path, d)
	}
	return nil
}

// readHeader reads no further than it must: Transship writes the header first.
func readHeader(r io.Reader) (Header, error) {
	var h Header
	left := map[string]any{"formatVersion": &h.FormatVersion, "kind": &h.Kind, "migration": &h.Migration}
	d := json.NewDecoder(r)
	err := eachMember(d, func(name string) error {
		into, wanted := left[name]
		if !wanted {
			return skip(d)
		}
		delete(left, name)
		if err := d.Decode(into); err != nil || len(left) > 0 {
			return err
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return h, err
}

var errEnough = errors.New("the rest is not needed")
