package store

import (
	_ "crypto/sha256" // for digests
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"math/rand/v2"

	"github.com/opencontainers/go-digest"
)

// period is how many bytes of a generated blob are random. Every further stretch of that length is the same one, masked
// by a word of its own: it fits a processor's second cache, and no two stretches are alike.
const period = 64 << 10

// Generated returns a Blob of size bytes that depend on the seed alone. It can be read at any offset, at some GB/s, and
// takes 64 KiB of memory whatever its size.
func Generated(seed uint64, size int64) Blob {
	g := &generated{seed: seed, size: size, base: make([]byte, period)}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	_, _ = rand.NewChaCha8(key).Read(g.base) // never fails
	return g
}

type generated struct {
	seed uint64
	size int64
	base []byte
}

func (g *generated) Size() int64 { return g.size }

// ReadAt gives the bytes from off on, as io.ReaderAt wants it.
func (g *generated) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("store: negative offset")
	}
	n := 0
	for n < len(p) && off < g.size {
		at := off % period
		m := int(min(int64(len(p)-n), period-at, g.size-off))
		mask(p[n:n+m], g.base[at:], bits.RotateLeft64(g.word(off/period), -8*int(at%8)))
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// word is the mask of the k-th stretch: the splitmix64 sequence, which does not repeat.
func (g *generated) word(k int64) uint64 {
	z := g.seed + uint64(k+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// mask fills dst with src, each eight bytes of it XORed with word.
func mask(dst, src []byte, word uint64) {
	for len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^word)
		dst, src = dst[8:], src[8:]
	}
	for i := range dst {
		dst[i] = src[i] ^ byte(word>>(8*i))
	}
}

// Digest reads all of b and returns its sha256 digest. A blob that cannot be read to its end has none: that panics.
func Digest(b Blob) digest.Digest {
	d, err := digest.SHA256.FromReader(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		panic("store: " + err.Error())
	}
	return d
}
