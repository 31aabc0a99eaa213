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

// Compose are the splices that do at once what a does and then b, where middle are the bytes between the two.
func Compose(a, b []Splice, middle []byte) ([]Splice, error) {
	a = Inverse(a) // in the middle, too
	var out []Splice
	moved := int64(0) // by how much the middle is ahead of what was before a
	for len(a)+len(b) > 0 {
		begin := int64(len(middle))
		if len(a) > 0 {
			begin = a[0].At
		}
		if len(b) > 0 {
			begin = min(begin, b[0].At)
		}
		end, inA, inB := begin, 0, 0
		for grown := true; grown; {
			grown = false
			for ; inA < len(a) && a[inA].At <= end; inA++ {
				end, grown = max(end, a[inA].At+int64(len(a[inA].Old))), true
			}
			for ; inB < len(b) && b[inB].At <= end; inB++ {
				end, grown = max(end, b[inB].At+int64(len(b[inB].Old))), true
			}
		}
		if end > int64(len(middle)) {
			return nil, ErrOther
		}
		s := Splice{At: begin - moved}
		var err error
		if s.Old, err = part(middle[begin:end], a[:inA], begin); err != nil {
			return nil, err
		}
		if s.New, err = part(middle[begin:end], b[:inB], begin); err != nil {
			return nil, err
		}
		moved += end - begin - int64(len(s.Old))
		out, a, b = append(out, s), a[inA:], b[inB:]
	}
	return out, nil
}

// part is a part of the middle, which begins at begin, with splices.
func part(middle []byte, splices []Splice, begin int64) ([]byte, error) {
	near := make([]Splice, len(splices))
	for n, s := range splices {
		s.At -= begin
		near[n] = s
	}
	var b bytes.Buffer
	err := Apply(&b, bytes.NewReader(middle), near)
	return b.Bytes(), err
}
