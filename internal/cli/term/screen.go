package term

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// screen is a stream with a frame at its end that is redrawn in place. What is written to it meanwhile appears above
// the frame. Every change is one write that leaves the cursor visible below the frame and the terminal in its usual
// modes, so that nothing remains to be put right whenever the process ends.
type screen struct {
	mu     sync.Mutex
	w      io.Writer
	frame  []string // as it stands on the terminal
	shown  bool
	broken []byte // what was written above the frame without a line end yet
}

// Terminal sequences.
const (
	quietCursor = "\x1b[?25l\x1b[?7l" // no cursor, no wrapping while drawing
	usualCursor = "\x1b[?7h\x1b[?25h"
	wholeLine   = "\x1b[K" // clears the line that the cursor is at the beginning of; behind a full line it would take its last character
	endOfScreen = "\x1b[J" // clears all below
)

// Write writes p, above the frame where there is one.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shown {
		return s.w.Write(p)
	}
	s.broken = append(s.broken, p...)
	end := bytes.LastIndexByte(s.broken, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	var b strings.Builder
	b.WriteString(quietCursor + s.up() + endOfScreen)
	b.Write(s.broken[:end])
	for _, line := range s.frame {
		b.WriteString(line + "\n")
	}
	b.WriteString(usualCursor)
	s.broken = append([]byte(nil), s.broken[end:]...)
	if _, err := io.WriteString(s.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// draw shows lines as the frame.
func (s *screen) draw(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	b.WriteString(quietCursor + s.up())
	for _, line := range lines {
		b.WriteString(wholeLine + line + "\n")
	}
	if len(lines) < len(s.frame) {
		b.WriteString(endOfScreen)
	}
	b.WriteString(usualCursor)
	s.frame, s.shown = lines, true
	_, _ = io.WriteString(s.w, b.String()) // a frame that cannot be shown is no reason to stop
}

// clear takes the frame away and writes what was still waiting, then last, if anything.
func (s *screen) clear(last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	if s.shown {
		b.WriteString(s.up() + endOfScreen)
	}
	if len(s.broken) > 0 {
		b.Write(append(s.broken, '\n'))
	}
	if last != "" {
		b.WriteString(last + "\n")
	}
	s.frame, s.shown, s.broken = nil, false, nil
	_, _ = io.WriteString(s.w, b.String()) // as in draw
}

// up leads to the frame's first line.
func (s *screen) up() string {
	if len(s.frame) == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", len(s.frame))
}
