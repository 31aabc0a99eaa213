package rewrite

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/rewrite/letters"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/splice"
	"transship/internal/rewrite/tree"
)

const (
	// window is how much of a huge file is held.
	window = 1 << 20
	// overlap is more than any mention has, with what is looked at around it.
	overlap = 4 << 10
	// maxAlike is how many findings of one kind a huge file has.
	maxAlike = 100
	// head is how much of a huge file the judges look at, to say whether all of it is to be kept.
	head = 256 << 10
)

// errHugeWide says why such a file is not changed.
var errHugeWide = errors.New("it is in UTF-16 and has more than 8 MiB, which is too large to be changed in that encoding")

// huge is the look at a file that is not held.
type huge struct {
	*scan
	file    *os.File
	change  *change
	kept    *mention.Finding // why nothing of it is changed
	all     bool             // nothing of it is changed
	strings map[string]string
	alike   map[mention.Kind]int
	found   []mention.Finding
	line    int // lines before the window
	aws     int
	marks   bool // something in it may be a judge's matter
}

// huge looks at a file of which only a part is held at a time: whole references alone are found.
func (s *scan) huge(w *worker, p tree.Place, file *os.File, encoding letters.Encoding) {
	h := &huge{
		scan: s, file: file, strings: map[string]string{}, alike: map[mention.Kind]int{},
		change: &change{tree: p.Tree, path: p.Path(), shown: p.Shown(), encoding: encoding, huge: true},
	}
	h.ask(p, w.buf[:head])
	err := h.read(w.buf)
	if err == nil && s.Reverse {
		err = h.goBack()
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		w.findings = append(w.findings, unread(p.Shown(), bare(err)))
		return
	}
	if h.marks && len(s.Judges) > 0 && !h.all {
		h.found = append(h.found, mention.Finding{Line: 1, Kind: mention.Unreadable, Why: whyHuge, Do: doHuge})
	}
	for n := range h.found {
		h.found[n].File = p.Shown()
	}
	w.aws += h.aws
	w.findings = append(w.findings, h.found...)
	s.keep(w, h.change, file, file)
}

// ask shows the judges how the file begins. One that keeps all of that means the file.
func (h *huge) ask(p tree.Place, begin []byte) {
	if i := bytes.LastIndexByte(begin, '\n'); i > 0 {
		begin = begin[:i+1]
	}
	for _, j := range h.Judges {
		for _, k := range j.Judge(mention.File{Path: p.Path(), Text: begin, Type: mention.TypeOf(p.Path(), begin)}, h.Known, p.Tree).Keep {
			if k.Start == 0 && k.End >= len(begin) {
				h.all = true
				if k.Finding.Kind != "" {
					h.kept = &k.Finding
				}
			}
		}
	}
}

// read goes through the file, a window at a time.
func (h *huge) read(buf []byte) error {
	if _, err := h.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	buf = buf[:window]
	base, filled, next := int64(0), 0, int64(0)
	for {
		n, err := readSome(h.file, buf[filled:])
		if err != nil {
			return err
		}
		filled += n
		last := filled < len(buf)
		whole := filled // what begins before it is in the window to its end
		if !last {
			whole -= overlap
		}
		b := buf[:filled]
		if h.change.encoding.IsWide() {
			if bytes.Contains(b, []byte(".\x00d\x00k\x00r\x00")) || bytes.Contains(b, []byte("\x00.\x00d\x00k\x00r")) {
				h.found = append(h.found, unknown("", errHugeWide))
				return nil
			}
		} else if h.marked(b) {
			h.marks = true
			next = h.look(b, base, whole, next)
		}
		if last {
			return nil
		}
		keep := whole - overlap
		h.line += bytes.Count(b[:keep], []byte("\n"))
		base += int64(keep)
		next = max(next, base+overlap)
		filled = copy(buf, buf[keep:filled])
	}
}

// look takes what a window names from the byte next of the file on, and returns the next.
func (h *huge) look(b []byte, base int64, whole int, next int64) int64 {
	lines := counter{text: b}
	for _, e := range h.direction.plain(h.change.shown, b) {
		at := base + int64(e.Start)
		if e.Start >= whole {
			break
		}
		if at < next {
			continue
		}
		next = base + int64(e.End)
		line := h.line + lines.at(e.Start)
		switch {
		case e.aws:
			h.aws++
		case h.all && h.kept == nil:
		case h.all:
			if e.own && h.alike[h.kept.Kind] == 0 {
				h.add(mention.Finding{Line: line, Kind: h.kept.Kind, Text: mention.Excerpt(b, e.Span), Why: h.kept.Why, Do: h.kept.Do})
			}
		case e.edit:
			h.change.pieces = append(h.change.pieces, piece{at: at, line: line, old: h.once(string(b[e.Start:e.End])), new: h.once(e.new)})
		default:
			h.add(mention.Finding{Line: line, Kind: e.kind, Text: mention.Excerpt(b, e.Span), Why: e.why, Do: e.do})
		}
	}
	return next
}

// once is s, in memory once.
func (h *huge) once(s string) string {
	if known, ok := h.strings[s]; ok {
		return known
	}
	h.strings[s] = s
	return s
}

// add adds a finding, unless there are enough of its kind.
func (h *huge) add(f mention.Finding) {
	h.alike[f.Kind]++
	switch n := h.alike[f.Kind]; {
	case n < maxAlike:
	case n == maxAlike:
		f.Why += " There may be more of this kind below, which are not told of one by one."
	default:
		return
	}
	h.found = append(h.found, f)
}

// goBack takes the last change of the file back, where it is as that left it.
func (h *huge) goBack() error {
	if _, err := h.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	d, err := digest.SHA256.FromReader(h.file)
	if err != nil {
		return err
	}
	c, ok, _ := h.past.led(h.change.shown, d)
	if !ok || !h.undoes(c) {
		return nil
	}
	h.change.pieces = nil
	for _, p := range c.Pieces {
		h.change.pieces = append(h.change.pieces, piece{at: p.At, line: 1, old: p.To, new: p.From})
	}
	return nil
}

// undoes reports whether the file is what the record says.
func (h *huge) undoes(c document.FileChange) bool {
	if _, err := h.file.Seek(0, io.SeekStart); err != nil {
		return false
	}
	before := digest.SHA256.Digester()
	return splice.Apply(before.Hash(), h.file, undo(c)) == nil && before.Digest() == c.Before
}
