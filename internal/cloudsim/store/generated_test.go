package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// Wherever a generated blob is read, its bytes are those of the whole.
func TestGeneratedAtAnyOffset(t *testing.T) {
	whole := make([]byte, 3*period+77)
	if n, err := Generated(7, int64(len(whole))).ReadAt(whole, 0); n != len(whole) || err != nil {
		t.Fatal(n, err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		off := rapid.IntRange(0, len(whole)+10).Draw(rt, "offset")
		got := make([]byte, rapid.IntRange(0, len(whole)).Draw(rt, "length"))
		n, err := Generated(7, int64(len(whole))).ReadAt(got, int64(off))
		want := whole[min(off, len(whole)):]
		want = want[:min(len(got), len(want))]
		if !bytes.Equal(got[:n], want) {
			rt.Errorf("%d bytes at %d differ", n, off)
		}
		if short := n < len(got); short != errors.Is(err, io.EOF) {
			rt.Errorf("%d of %d bytes with the error %v", n, len(got), err)
		}
	})
}

func TestGeneratedIsOneBlob(t *testing.T) {
	b := Generated(1, 2*period+5)
	if err := iotest.TestReader(io.NewSectionReader(b, 0, b.Size()), read(t, b)); err != nil {
		t.Error(err)
	}
	if Digest(b) != Digest(Generated(1, b.Size())) || Digest(b) != Digest(BytesBlob(read(t, b))) {
		t.Error("the same seed gives other bytes")
	}
	if Digest(b) == Digest(Generated(2, b.Size())) {
		t.Error("another seed gives the same bytes")
	}
	stretches := map[string]bool{}
	for all := read(t, Generated(3, 64*period)); len(all) > 0; all = all[period:] {
		stretches[fmt.Sprintf("%x", all[:16])] = true
	}
	if len(stretches) != 64 {
		t.Errorf("%d different stretches of 64", len(stretches))
	}
	if _, err := b.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("there are bytes before the first")
	}
}

func read(t *testing.T, b Blob) []byte {
	t.Helper()
	all, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func BenchmarkGenerated(b *testing.B) {
	blob, buf := Generated(1, 1<<40), make([]byte, 64<<10)
	b.SetBytes(int64(len(buf)))
	for i := range b.N {
		if _, err := blob.ReadAt(buf, int64(i)*int64(len(buf))+3); err != nil {
			b.Fatal(err)
		}
	}
}
