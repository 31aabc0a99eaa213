// Package journal keeps what did happen, as it happens: one line of JSON an event, appended to journal.jsonl. It is a
// hint, never the truth: whoever reads it asks the target before relying on it, and a last line that a crash tore is no
// error. The checker of a migration does not import this package.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document/lines"
)

// Kind says what happened.
type Kind string

// The kinds of events.
const (
	Blob     Kind = "blob"     // a blob was uploaded or mounted
	Manifest Kind = "manifest" // a manifest was written by digest
	Tag      Kind = "tag"      // a tag was pointed at a manifest
	Untag    Kind = "untag"    // a tag was taken away that was deleted at the source
	Stage    Kind = "stage"    // a stage began or ended; Note says which
)

// Event is one line.
type Event struct {
	Time   time.Time     `json:"time"`
	Kind   Kind          `json:"kind"`
	Target string        `json:"target,omitempty"` // HOST/PROJECT/REPOSITORY/IMAGE
	Digest digest.Digest `json:"digest,omitempty"`
	Tag    string        `json:"tag,omitempty"`
	Note   string        `json:"note,omitempty"`
}

// Journal appends events to a file. It is safe for concurrent use. A nil *Journal forgets everything.
type Journal struct {
	mu   sync.Mutex
	f    *os.File
	now  func() time.Time
	told func(Event) // may be nil
	err  error       // the first one
	torn bool        // the last write may have left half a line
}

// Open opens the journal at path for appending, creating it where it is missing. Where a crash left half a line, the
// next event starts on a new one.
func Open(path string, now func() time.Time) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if err := startLine(f); err != nil {
		return nil, errors.Join(fmt.Errorf("open the journal: %w", err), f.Close())
	}
	return &Journal{f: f, now: now}, nil
}

// Tell has f called with each event that is appended from now on, one call at a time. Call it before the first.
func (j *Journal) Tell(f func(Event)) { j.told = f }

// kindHeader marks the first line, which is no event.
const kindHeader Kind = "journal"

// header is the first line of a journal.
const header = `{"formatVersion":1,"kind":"journal"}` + "\n"

// startLine sees to it that the next event begins a line: below the header, and below the half line that a crash left.
func startLine(f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size == 0 {
		_, err := io.WriteString(f, header)
		return err
	}
	torn, err := lines.Torn(f)
	if err == nil && torn {
		_, err = f.Write([]byte{'\n'})
	}
	return err
}

// Append writes e with the present time in one write. An error is kept and returned by Close, since a hint that cannot
// be written is no reason to stop a copy.
func (j *Journal) Append(e Event) {
	if j == nil {
		return
	}
	e.Time = j.now().UTC()
	b, err := json.Marshal(e)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		line := append(b, '\n')
		if j.torn { // a disk that was full for a while
			line = append([]byte{'\n'}, line...)
		}
		_, err = j.f.Write(line)
		j.torn = err != nil
	}
	if j.told != nil {
		j.told(e)
	}
	if j.err == nil && err != nil {
		j.err = fmt.Errorf("write the journal: %w", err)
	}
}

// Close closes the file and returns the first error that there was.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.err, j.f.Close())
}

// maxLine bounds a line that is read.
const maxLine = 64 << 10

// Read calls f for each event of the journal at path, oldest first. A missing file has no events; lines that are not
// events are passed over.
func Read(path string, f func(Event)) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, maxLine)
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // longer than any event: pass over the rest of it
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
			line = nil
		}
		var e Event
		if line = bytes.TrimSpace(line); len(line) > 0 && json.Unmarshal(line, &e) == nil && e.Kind != "" && e.Kind != kindHeader {
			f(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
	}
}
