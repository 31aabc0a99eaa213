//go:build !linux

package tree

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// listing is an open folder.
type listing struct {
	file *os.File
	root *os.Root
}

// newListing takes over file, which root has opened.
func newListing(root *os.Root, file *os.File, _ string) (listing, error) {
	return listing{file, root}, nil
}

func (l listing) entries() ([]fs.DirEntry, error) { return l.file.ReadDir(-1) }

func (l listing) close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// peek reads the beginning of a file into b, and says how much that is.
func (l listing) peek(name string, b []byte) (n int, err error) {
	file, err := l.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	n, err = io.ReadFull(file, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}
