package term

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tube is a terminal of which only the lines are looked at. It knows the sequences that the screen uses and no others.
type tube struct {
	mu      sync.Mutex
	lines   []string
	row     int
	unknown []string
	bare    bool // no cursor or no wrapping
	wide    int  // the widest line so far
	raw     strings.Builder
}

var sequence = regexp.MustCompile(`^\x1b\[(\??)(\d*)([A-Za-z])`)

func (s *tube) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw.Write(p)
	for text := string(p); text != ""; {
		if text[0] != '\x1b' {
			s.char(text[0])
			text = text[1:]
			continue
		}
		m := sequence.FindStringSubmatch(text)
		if m == nil {
			s.unknown = append(s.unknown, text)
			return len(p), nil
		}
		s.control(m)
		text = text[len(m[0]):]
	}
	return len(p), nil
}

// char writes a byte. Lines that the cursor was moved up to are marked by a NUL: they are written over as a whole.
func (s *tube) char(c byte) {
	for s.row >= len(s.lines) {
		s.lines = append(s.lines, "")
	}
	switch c {
	case '\n':
		s.wide = max(s.wide, Width(strings.TrimSuffix(s.lines[s.row], "\x00")))
		s.row++
	case '\r':
	default:
		if strings.HasSuffix(s.lines[s.row], "\x00") {
			s.lines[s.row] = ""
		}
		s.lines[s.row] += string([]byte{c})
	}
}

func (s *tube) control(m []string) {
	n, _ := strconv.Atoi(m[2])
	switch m[1] + m[3] {
	case "A":
		s.row = max(0, s.row-max(1, n))
		for i := s.row; i < len(s.lines); i++ { // the frame is always drawn anew from here
			s.lines[i] = strings.TrimSuffix(s.lines[i], "\x00") + "\x00"
		}
	case "K":
		switch {
		case s.row >= len(s.lines):
		case strings.HasSuffix(s.lines[s.row], "\x00"):
			s.lines[s.row] = ""
		case s.lines[s.row] != "":
			s.unknown = append(s.unknown, "K behind "+s.lines[s.row])
		}
	case "J":
		s.lines = s.lines[:min(s.row, len(s.lines))]
	case "m":
	case "?l":
		s.bare = true
	case "?h":
		s.bare = false
	default:
		s.unknown = append(s.unknown, m[0])
	}
}

// shown is what stands on the terminal.
func (s *tube) shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, line := range s.lines {
		out = append(out, strings.TrimSuffix(line, "\x00"))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

func (s *tube) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unknown) > 0 {
		t.Errorf("unknown sequences: %q", s.unknown)
	}
	if s.bare {
		t.Error("the cursor is hidden, or lines do not wrap")
	}
}

// terminal returns streams whose Err is a tube of the given width.
func terminal(width, height int, getenv func(string) string) (*Streams, *tube) {
	s := &tube{}
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	streams := NewStreams(strings.NewReader(""), io.Discard, s, getenv)
	streams.err = console{terminal: true, size: func() (int, int, error) { return width, height, nil }}
	return streams, s
}

func TestScreen(t *testing.T) {
	out := &tube{}
	s := &screen{w: out}
	fmt.Fprintln(s, "before")
	want := func(lines ...string) {
		t.Helper()
		if diff := cmp.Diff(lines, out.shown()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		out.check(t)
	}
	s.draw([]string{"one", "two"})
	want("before", "one", "two")
	s.draw([]string{"ONE", "TWO", "THREE"})
	want("before", "ONE", "TWO", "THREE")
	fmt.Fprint(s, "a log line\nhalf a ")
	want("before", "a log line", "ONE", "TWO", "THREE")
	s.draw([]string{"1"})
	want("before", "a log line", "1")
	fmt.Fprint(s, "line\n")
	want("before", "a log line", "half a line", "1")
	fmt.Fprint(s, "unfinished")
	s.clear("the end")
	want("before", "a log line", "half a line", "unfinished", "the end")
	fmt.Fprint(s, "after\n")
	want("before", "a log line", "half a line", "unfinished", "the end", "after")
	s.clear("")
	want("before", "a log line", "half a line", "unfinished", "the end", "after")
}

func TestEveryWriteLeavesTheTerminalUsable(t *testing.T) {
	var writes []string
	s := &screen{w: writerFunc(func(p []byte) (int, error) { writes = append(writes, string(p)); return len(p), nil })}
	s.draw([]string{"a"})
	fmt.Fprintln(s, "log")
	s.draw([]string{"b", "c"})
	s.clear("end")
	for _, w := range writes {
		if strings.Count(w, quietCursor) != strings.Count(w, usualCursor) || strings.LastIndex(w, quietCursor) > strings.LastIndex(w, usualCursor) {
			t.Errorf("a write leaves the cursor hidden: %q", w)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
