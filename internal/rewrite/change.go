package rewrite

import (
	"bytes"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/rewrite/letters"
	"transship/internal/rewrite/splice"
	"transship/internal/rewrite/tree"
)

// change is what is to become of one file.
type change struct {
	tree     *tree.Tree
	path     string // in the tree
	shown    string
	info     fs.FileInfo // as it was when it was read
	encoding letters.Encoding
	before   digest.Digest
	after    digest.Digest
	pieces   []piece // in order
	huge     bool    // too large to be held
}

// piece is one replaced part of a file.
type piece struct {
	at       int64 // of the first byte, in the file as it is
	line     int
	old, new string // as text
}

// splices are the pieces in the bytes of the file.
func (c *change) splices() []splice.Splice {
	out := make([]splice.Splice, len(c.pieces))
	for n, p := range c.pieces {
		out[n] = splice.Splice{At: p.at, Old: c.encoding.Encode(p.old), New: c.encoding.Encode(p.new)}
	}
	return out
}

// measure finds out the digests of the file before and after, reading it from src.
func (c *change) measure(src io.Reader) error {
	before, after := digest.SHA256.Digester(), digest.SHA256.Digester()
	if err := splice.Apply(after.Hash(), io.TeeReader(src, before.Hash()), c.splices()); err != nil {
		return err
	}
	c.before, c.after = before.Digest(), after.Digest()
	return nil
}

// document is the change as rewrite.json has it.
func (c *change) document() document.FileChange {
	out := document.FileChange{File: c.shown, Before: c.before, After: c.after, Encoding: string(c.encoding)}
	for n, s := range splice.Inverse(c.splices()) {
		out.Pieces = append(out.Pieces, document.Piece{At: s.At, From: c.pieces[n].old, To: c.pieces[n].new})
	}
	return out
}

// lineAt is the number of the line that the byte at is in.
func lineAt(text []byte, at int) int { return 1 + bytes.Count(text[:min(at, len(text))], []byte("\n")) }
