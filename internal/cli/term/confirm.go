package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNobody says that there is nobody to ask.
var ErrNobody = errors.New("nobody can be asked, since this is not a terminal: look at the plan, then pass --yes")

// Confirm asks a question that is answered by yes or no, and no where nothing is said. Where there is nobody to ask, the
// error is ErrNobody; where ctx ends before there is an answer, it is that of ctx.
func (s *Streams) Confirm(ctx context.Context, question string) (bool, error) {
	if !s.Interactive() {
		return false, ErrNobody
	}
	for range 3 {
		if _, err := fmt.Fprintf(s.Err, "%s %s ", s.ErrStyle().Bold(question), s.ErrStyle().Faint("[y/N]")); err != nil {
			return false, err
		}
		answer, err := s.answer(ctx)
		if err != nil {
			_, _ = fmt.Fprintln(s.Err) // the prompt's line is still open
			if errors.Is(err, io.EOF) {
				return false, nil
			}
			return false, fmt.Errorf("read the answer: %w", err)
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return true, nil
		case "", "n", "no":
			return false, nil
		}
		if _, err := fmt.Fprintln(s.Err, `Please say "y" or "n".`); err != nil {
			return false, err
		}
	}
	return false, nil
}

// answer reads one line, or ends with ctx. A read of a terminal cannot be called off: it is left alone then, since who was
// stopped reads no more.
func (s *Streams) answer(ctx context.Context) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := readLine(s.In)
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 1024

// readLine reads one line byte by byte, so that what follows stays for others.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < maxAnswer; {
		n, err := r.Read(b)
		if n > 0 && b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			return "", err
		}
	}
	return string(line), nil
}
