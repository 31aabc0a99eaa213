package references

import (
	"bufio"
	"errors"
	"io"
)

// before is how many bytes before a reference are looked at, with some to spare.
const before = 16

// scan calls found with every reference in r, in order, with its span in the whole of r. It holds size bytes at a time,
// which must be more than maxReference and before.
func (f *Finder) scan(r io.Reader, size int, found func(Reference)) error {
	buf := make([]byte, 0, size)
	base := 0 // where buf[0] is in r
	next := 0 // references that begin before it were told already, or are in one that was
	for {
		n, err := io.ReadFull(r, buf[len(buf):size])
		buf = buf[:len(buf)+n]
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		whole := len(buf) // what begins before it is in buf to its end
		if !last {
			whole -= maxReference
		}
		for r := range f.Find(buf) {
			if r.Start >= whole {
				break
			}
			r.Start, r.NameEnd, r.End = r.Start+base, r.NameEnd+base, r.End+base
			if r.Start >= next {
				next = r.End
				found(r)
			}
		}
		if last {
			return nil
		}
		next = max(next, base+whole)
		keep := whole - before
		base += keep
		buf = buf[:copy(buf, buf[keep:])]
	}
}

// utf16 reads a text of two bytes a character as if it were ASCII; what is not becomes a byte that no reference has.
type utf16 struct {
	from   *bufio.Reader
	little bool // the first byte is the lower one
}

// Read returns one byte for two.
func (u *utf16) Read(p []byte) (int, error) {
	for n := range p {
		var pair [2]byte
		if _, err := io.ReadFull(u.from, pair[:]); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF // half a character says nothing
			}
			return n, err
		}
		if !u.little {
			pair[0], pair[1] = pair[1], pair[0]
		}
		if p[n] = pair[0]; pair[1] != 0 || pair[0] >= 0x80 {
			p[n] = 0x80
		}
	}
	return len(p), nil
}
