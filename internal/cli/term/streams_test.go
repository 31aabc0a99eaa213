package term

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestNoTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := NewStreams(file, file, file, env(nil))
	if s.OutStyle() != (Style{}) || s.ErrStyle() != (Style{}) || s.OutWidth() != 0 || s.Interactive() || s.live() {
		t.Errorf("a file is taken for a terminal: %+v", s)
	}
	if s = NewStreams(nil, io.Discard, io.Discard, env(map[string]string{"COLUMNS": "120"})); s.OutWidth() != 120 {
		t.Errorf("COLUMNS=120: %d columns", s.OutWidth())
	}
}

func TestWidthsAndColours(t *testing.T) {
	size := func() (int, int, error) { return 100, 30, nil }
	for _, c := range []struct {
		env           map[string]string
		size          func() (int, int, error)
		out, err      int
		colours, live bool
	}{
		{nil, size, 100, 100, true, true},
		{map[string]string{"COLUMNS": "60"}, size, 60, 60, true, true},
		{map[string]string{"COLUMNS": "200"}, size, 200, 100, true, true},
		{map[string]string{"COLUMNS": "7"}, size, MinWidth, 7, true, true},
		{map[string]string{"COLUMNS": "wide", "TERM": "xterm"}, size, 100, 100, true, true},
		{map[string]string{"NO_COLOR": "1"}, size, 100, 100, false, true},
		{map[string]string{"TERM": "dumb"}, size, 100, 100, false, false},
		{nil, func() (int, int, error) { return 0, 0, errors.New("not known") }, DefaultWidth, DefaultWidth, true, true},
		{nil, func() (int, int, error) { return 20, 5, nil }, MinWidth, 20, true, true},
	} {
		s := NewStreams(nil, io.Discard, io.Discard, env(c.env))
		s.out, s.err = console{true, c.size}, console{true, c.size}
		width, _ := s.errSize()
		if s.OutWidth() != c.out || width != c.err {
			t.Errorf("%v: widths %d and %d, want %d and %d", c.env, s.OutWidth(), width, c.out, c.err)
		}
		if got := s.OutStyle().color && s.ErrStyle().color; got != c.colours || s.live() != c.live {
			t.Errorf("%v: colours %v, live %v", c.env, got, s.live())
		}
	}
}

func TestStyle(t *testing.T) {
	if got := NewStyle(true).Good("x"); got != "\x1b[32mx\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := NewStyle(true).Good(""); got != "" {
		t.Errorf("nothing is marked: %q", got)
	}
	if got := NewStyle(false).Bad("x"); got != "x" {
		t.Errorf("%q", got)
	}
}

func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		in     string
		want   bool
		rest   string
		prompt int
	}{
		{"y\nrest", true, "rest", 1}, {"YES\r\n", true, "", 1}, {"\n", false, "", 1}, {"no\n", false, "", 1}, {"", false, "", 1},
		{"what\ny\n", true, "", 2}, {"a\nb\nc\ny\n", false, "y\n", 3}, {"y", false, "", 1},
	} {
		var out bytes.Buffer
		in := strings.NewReader(c.in)
		s := NewStreams(in, io.Discard, &out, env(nil))
		s.in.terminal, s.err.terminal, s.colour = true, true, false
		got, err := s.Confirm(t.Context(), "Do it?")
		if got != c.want || err != nil {
			t.Errorf("%q: %v, %v", c.in, got, err)
		}
		if rest, _ := io.ReadAll(in); string(rest) != c.rest {
			t.Errorf("%q: the rest is %q", c.in, rest)
		}
		if n := strings.Count(out.String(), "Do it? [y/N] "); n != c.prompt {
			t.Errorf("%q: asked %d times: %q", c.in, n, out.String())
		}
	}
}

func TestConfirmAsksNobody(t *testing.T) {
	s := NewStreams(strings.NewReader("y\n"), io.Discard, io.Discard, env(nil))
	if ok, err := s.Confirm(t.Context(), "Do it?"); ok || !errors.Is(err, ErrNobody) || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("%v, %v", ok, err)
	}
	s.in.terminal, s.err.terminal, s.In = true, true, brokenReader{}
	if ok, err := s.Confirm(t.Context(), "Do it?"); ok || err == nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// Ctrl-C at the question is an answer: the first one, without Enter.
func TestConfirmIsStopped(t *testing.T) {
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	s := NewStreams(in, io.Discard, &out, env(nil))
	s.in.terminal, s.err.terminal = true, true
	cancel()
	if ok, err := s.Confirm(ctx, "Do it?"); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", ok, err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }
