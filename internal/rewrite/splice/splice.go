// Package splice replaces parts of a stream of bytes, and takes such a replacement back.
package splice

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Splice puts New into the place of Old, which is at At.
type Splice struct {
	At       int64
	Old, New []byte
}

// ErrOther says that the bytes to be replaced are others than those that were expected.
var ErrOther = errors.New("the bytes to be replaced are not those that were read before")

// Apply copies src to dst with the splices, which are sorted and do not overlap. It holds little more than the longest of
// them.
func Apply(dst io.Writer, src io.Reader, splices []Splice) error {
	at := int64(0)
	var old []byte
	for _, s := range splices {
		if s.At < at {
			return fmt.Errorf("two replacements overlap at byte %d", s.At)
		}
		if _, err := io.CopyN(dst, src, s.At-at); err != nil {
			return cut(err)
		}
		old = append(old[:0], make([]byte, len(s.Old))...)
		if _, err := io.ReadFull(src, old); err != nil {
			return cut(err)
		}
		if !bytes.Equal(old, s.Old) {
			return ErrOther
		}
		if _, err := dst.Write(s.New); err != nil {
			return err
		}
		at = s.At + int64(len(s.Old))
	}
	_, err := io.Copy(dst, src)
	return err
}

// cut is the error where src is shorter than it was.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrOther
	}
	return err
}

// Inverse are the splices that take the given ones back.
func Inverse(splices []Splice) []Splice {
	out := make([]Splice, len(splices))
	moved := int64(0)
	for n, s := range splices {
		out[n] = Splice{At: s.At + moved, Old: s.New, New: s.Old}
		moved += int64(len(s.New) - len(s.Old))
	}
	return out
}
