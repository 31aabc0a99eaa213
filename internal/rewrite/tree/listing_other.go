//go:build !linux

package tree

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// listing is an open folder.
type listing struct{ root *os.Root }

// listingOf is the folder that a Root holds.
func listingOf(root *os.Root) (listing, error) { return listing{root}.enter(".") }

// enter opens a folder in the folder.
func (l listing) enter(name string) (listing, error) {
	root, err := l.root.OpenRoot(name)
	return listing{root}, err
}

// open opens a file for reading, and does not wait where a pipe has taken its place.
func (l listing) open(name string) (*os.File, error) {
	return l.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func (l listing) lstat(name string) (os.FileInfo, error) { return l.root.Lstat(name) }

func (l listing) close() { _ = l.root.Close() }

// entries reads what is in the folder, and as much as could be read with an error.
func (l listing) entries([]byte) (all []entry, err error) {
	file, err := l.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	found, err := file.ReadDir(-1)
	for _, e := range found {
		all = append(all, entry{e.Name(), e.Type()})
	}
	return all, err
}

// peek reads the beginning of a file into b, and says how much that is.
func (l listing) peek(name string, b []byte) (n int, err error) {
	file, err := l.open(name)
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
