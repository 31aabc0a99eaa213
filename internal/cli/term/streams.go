package term

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Widths in columns.
const (
	DefaultWidth = 80
	MinWidth     = 40
)

// defaultHeight is taken where the terminal does not say how many lines it has.
const defaultHeight = 24

// Streams are the streams of the process. What is written to Err while a frame is shown appears above it.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Quiet shows lines in place of frames, as off a terminal.
	Quiet bool
	// Line takes the quiet lines, without their line ends. Nil writes them to Err.
	Line func(string)

	screen  *screen
	columns int // what COLUMNS says, 0 for nothing
	colour  bool
	dumb    bool
	in      console
	out     console
	err     console
}

// console is what a stream leads to. All but terminal may be zero.
type console struct {
	terminal bool
	size     func() (width, height int, err error)
}

// NewStreams finds out what the streams lead to. NO_COLOR, TERM and COLUMNS are asked for by getenv.
func NewStreams(in io.Reader, out, err io.Writer, getenv func(string) string) *Streams {
	s := &Streams{In: in, Out: out, in: consoleOf(in), out: consoleOf(out), err: consoleOf(err)}
	s.screen = &screen{w: err}
	s.Err = s.screen
	s.dumb = getenv("TERM") == "dumb"
	s.colour = getenv("NO_COLOR") == "" && !s.dumb
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 {
		s.columns = n
	}
	return s
}

func consoleOf(stream any) console {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return console{}
	}
	return console{terminal: true, size: func() (int, int, error) { return term.GetSize(int(f.Fd())) }}
}

// OutStyle is how Out is written to.
func (s *Streams) OutStyle() Style { return Style{s.colour && s.out.terminal} }

// ErrStyle is how Err is written to.
func (s *Streams) ErrStyle() Style { return Style{s.colour && s.err.terminal} }

// OutWidth is how many columns a line of Out may have, at least MinWidth; 0 where lines may be as long as they are,
// since nobody said how wide a file is.
func (s *Streams) OutWidth() int {
	if s.columns == 0 && !s.out.terminal {
		return 0
	}
	width, _ := s.size(s.out)
	if s.columns > 0 {
		width = s.columns
	}
	return max(width, MinWidth)
}

// Interactive reports whether a person is at the other end: questions can be asked.
func (s *Streams) Interactive() bool { return s.in.terminal && s.err.terminal }

// live reports whether frames can be redrawn.
func (s *Streams) live() bool { return s.err.terminal && !s.dumb && !s.Quiet }

// errSize is the size of the terminal behind Err at this moment. COLUMNS can only make it narrower: a frame that is
// wider than the terminal could not be redrawn.
func (s *Streams) errSize() (width, height int) {
	width, height = s.size(s.err)
	if s.columns > 0 {
		width = min(width, s.columns)
	}
	return width, height
}

func (s *Streams) size(c console) (width, height int) {
	if c.size != nil {
		if w, h, err := c.size(); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return DefaultWidth, defaultHeight
}
