package danger

import (
	"bytes"
	"regexp"

	"transship/internal/rewrite/mention"
)

// block is a block of HCL: resource "aws_lambda_function" "fn" { … }.
type block struct {
	mention.Span        // from its header to its closing brace
	header       string // what stands before the brace
	depth        int    // 0 for one that is in no other
}

// blockHeader is what stands before the brace of a block, rather than of a value.
var blockHeader = regexp.MustCompile(`^[ \t]*([A-Za-z_][\w-]*(?:[ \t]+(?:"[^"\n]*"|[A-Za-z_][\w-]*))*)[ \t]*$`)

// scanner reads HCL no further than its braces, strings and comments, so that it can read templates of it too.
type scanner struct {
	b      []byte
	open   []int // by brace: the index of its block in blocks, or -1 for a value's
	blocks []block
}

// blocksOf returns the blocks of a text in the order in which they begin. A brace that is never closed ends with the text.
func blocksOf(b []byte) []block {
	s := scanner{b: b}
	for i := 0; i < len(b); {
		i = s.next(i)
	}
	return s.blocks
}

// next reads what begins at i and returns where it ends.
func (s *scanner) next(i int) int {
	rest := s.b[i:]
	switch {
	case rest[0] == '"':
		return i + stringEnd(rest)
	case rest[0] == '#', bytes.HasPrefix(rest, []byte("//")):
		return i + endOr(rest, newline)
	case bytes.HasPrefix(rest, []byte("/*")):
		return i + endOr(rest, []byte("*/"))
	case bytes.HasPrefix(rest, []byte("<<")):
		return i + heredocEnd(rest)
	case rest[0] == '{':
		s.begin(i)
	case rest[0] == '}' && len(s.open) > 0:
		if last := s.open[len(s.open)-1]; last >= 0 {
			s.blocks[last].End = i + 1
		}
		s.open = s.open[:len(s.open)-1]
	}
	return i + 1
}

func (s *scanner) begin(brace int) {
	start := bytes.LastIndexByte(s.b[max(0, brace-maxStretch):brace], '\n') + 1 + max(0, brace-maxStretch)
	if m := blockHeader.FindSubmatch(s.b[start:brace]); m != nil {
		s.open = append(s.open, len(s.blocks))
		s.blocks = append(s.blocks, block{mention.Span{Start: start, End: len(s.b)}, string(m[1]), len(s.open) - 1})
		return
	}
	s.open = append(s.open, -1)
}

// endOr returns where the first end in b ends, or the length of b.
func endOr(b, end []byte) int {
	if i := bytes.Index(b, end); i >= 0 {
		return i + len(end)
	}
	return len(b)
}

// stringEnd returns the length of the string that b begins with. Its line ends it at the latest: a string of HCL has one.
func stringEnd(b []byte) int {
	depth := 0 // of ${ … }, in which quotes are those of other strings
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\n':
			return i
		case b[i] == '\\':
			i++
		case b[i] == '{' && (b[i-1] == '$' || b[i-1] == '%'):
			depth++
		case b[i] == '}' && depth > 0:
			depth--
		case b[i] == '"' && depth == 0:
			return i + 1
		}
	}
	return len(b)
}

var heredocStart = regexp.MustCompile(`^<<[-~]?["']?([A-Za-z_]\w*)["']?[ \t\r]*\n`)

// heredocEnd returns the length of the heredoc that b begins with, or 2 where it is none.
func heredocEnd(b []byte) int {
	m := heredocStart.FindSubmatch(b[:min(len(b), maxStretch)])
	if m == nil {
		return 2
	}
	for i := len(m[0]); i < len(b); {
		line := lineAt(b, i, i)
		if bytes.Equal(bytes.TrimSpace(b[line.Start:line.End]), m[1]) {
			return line.End
		}
		i = line.End + 1
	}
	return len(b)
}
