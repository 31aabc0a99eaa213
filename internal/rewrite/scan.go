package rewrite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"transship/internal/rewrite/letters"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/tree"
)

const (
	// maxWhole is the size of the largest file that is held, and that judges look at.
	maxWhole = tree.MaxRead
	// firstRead is how much of a file is read at first: of most files that is all.
	firstRead = 64 << 10
)

// scan is one look at all trees.
type scan struct {
	Config
	direction direction
	past      *past
	markers   [][]byte // of the direction
	workers   []worker
	counts    tree.Counts
	findings  []mention.Finding // about paths that were named
}

// worker is what one goroutine has found.
type worker struct {
	buf      []byte
	changes  []*change
	findings []mention.Finding
	binary   int
	aws      int
}

func newScan(c Config) *scan {
	s := &scan{Config: c, workers: make([]worker, c.Workers), past: newPast(c.Past)}
	if c.Reverse {
		s.direction, s.Judges = newBackward(c.Known, s.past), nil
	} else {
		s.direction = newForward(c.Known, c.Pin)
	}
	s.markers = s.direction.markers()
	for n := range s.workers {
		s.workers[n].buf = make([]byte, firstRead)
	}
	return s
}

func (s *scan) walk(ctx context.Context, t *tree.Tree, others []*tree.Tree) {
	failed := make(chan mention.Finding)
	gathered := make(chan struct{})
	go func() {
		defer close(gathered)
		for f := range failed {
			s.findings = append(s.findings, f)
		}
	}()
	s.counts.Add(t.Walk(ctx, tree.Options{
		Workers: len(s.workers), Skip: s.skip(others), Visit: func(n int, p tree.Place) { s.visit(&s.workers[n], p) },
		Failed: func(path string, err error) { failed <- unread(t.Shown(path), err) },
	}))
	close(failed)
	<-gathered
}

// visit looks at one file. Most hold nothing of what is looked for: their beginning is all that is read of them.
func (s *scan) visit(w *worker, p tree.Place) {
	n, err := p.Peek(w.buf[:firstRead])
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) { // deleted a moment ago
			w.findings = append(w.findings, unread(p.Shown(), bare(err)))
		}
		return
	}
	encoding, err := letters.Of(w.buf[:n])
	switch {
	case errors.Is(err, letters.ErrBinary):
		w.binary++
	case err != nil:
		w.findings = append(w.findings, unknown(p.Shown(), err))
	case n == firstRead || encoding.IsWide() || s.past.of(p):
		s.look(w, p, false)
	case s.marked(w.buf[:n]):
		s.look(w, p, true)
	}
}

// look looks at all of a file, which may be known to be marked.
func (s *scan) look(w *worker, p tree.Place, marked bool) {
	file, err := p.Open()
	if err == nil {
		defer file.Close()
		err = s.open(w, p, file, marked)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.findings = append(w.findings, unread(p.Shown(), bare(err)))
	}
}

func (s *scan) open(w *worker, p tree.Place, file *os.File, marked bool) error {
	n, err := readSome(file, w.buf[:firstRead])
	if err == nil && n == firstRead {
		n, err = w.more(file, n)
	}
	if err != nil {
		return err
	}
	encoding, err := letters.Of(w.buf[:n])
	if err != nil {
		return err // it was another one a moment ago
	}
	if n > maxWhole {
		s.huge(w, p, file, encoding)
		return nil
	}
	if raw := w.buf[:n]; marked || encoding.IsWide() || s.past.of(p) || s.marked(raw) {
		s.whole(w, p, file, encoding, raw)
	}
	return nil
}

// readSome fills b as far as there is something.
func readSome(r io.Reader, b []byte) (int, error) {
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

// more reads on behind the first n bytes, up to one byte more than a file may have that is held.
func (w *worker) more(file io.Reader, n int) (int, error) {
	for n <= maxWhole {
		if n == len(w.buf) {
			w.buf = append(w.buf, make([]byte, min(len(w.buf), maxWhole+1-len(w.buf)))...)
		}
		got, err := readSome(file, w.buf[n:])
		if n += got; err != nil || n < len(w.buf) {
			return n, err
		}
	}
	return n, nil
}

// marked reports whether anything is to be said of a text. It is asked of every file, so no text is gone through for what
// another look has told.
func (s *scan) marked(text []byte) bool {
	told := false
	for _, j := range s.Judges {
		if j.Marked != nil && j.Marked(text) {
			return true
		}
		told = told || j.Marked != nil && j.Hosts
	}
	return !told && s.names(text)
}

// names reports whether a text may name anything of the direction.
func (s *scan) names(text []byte) bool {
	return slices.ContainsFunc(s.markers, func(m []byte) bool { return bytes.Contains(text, m) })
}

// whole looks at a file that is held.
func (s *scan) whole(w *worker, p tree.Place, file statter, encoding letters.Encoding, raw []byte) {
	text, err := encoding.Text(raw)
	if err != nil {
		w.findings = append(w.findings, unknown(p.Shown(), err))
		return
	}
	c := &change{tree: p.Tree, path: p.Path(), shown: p.Shown(), encoding: encoding}
	var findings []mention.Finding
	if s.Reverse {
		findings = s.goBack(c, raw, text)
	} else if !encoding.IsWide() || s.marked(text) {
		var aws int
		c.pieces, findings, aws = s.judge(p, encoding, text)
		w.aws += aws
	}
	for n := range findings {
		findings[n].File = c.shown
	}
	w.findings = append(w.findings, findings...)
	s.keep(w, c, file, bytes.NewReader(raw))
}

// statter is what is asked of an open file beside its bytes.
type statter interface{ Stat() (fs.FileInfo, error) }

// keep keeps a change, if it is one.
func (s *scan) keep(w *worker, c *change, file statter, raw io.Reader) {
	if len(c.pieces) == 0 {
		return
	}
	info, err := file.Stat()
	if err == nil {
		c.info = info
		err = c.measure(raw)
	}
	if err != nil {
		w.findings = append(w.findings, unwritten(c.shown, c.pieces[0].line, err))
		return
	}
	w.changes = append(w.changes, c)
}
