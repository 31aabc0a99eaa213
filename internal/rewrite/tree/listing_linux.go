package tree

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// listing is a folder as the system sees it, without what a Root adds for each file: nothing but single names are opened
// in it, and no links, so nothing leads out of it.
type listing struct{ file *os.File }

// newListing takes over file, which root has opened. It would itself ask the system about each entry again.
func newListing(_ *os.Root, file *os.File, path string) (listing, error) {
	defer file.Close()
	syscall.ForkLock.RLock()
	fd, err := syscall.Dup(int(file.Fd()))
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return listing{}, err
	}
	return listing{os.NewFile(uintptr(fd), path)}, nil
}

func (l listing) entries() ([]fs.DirEntry, error) { return l.file.ReadDir(-1) }

func (l listing) close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// peek reads the beginning of a file into b, and says how much that is.
func (l listing) peek(name string, b []byte) (n int, err error) {
	fd, err := again(func() (int, error) {
		return syscall.Openat(int(l.file.Fd()), name, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	})
	if err != nil {
		return 0, err
	}
	defer syscall.Close(fd)
	for n < len(b) {
		got, err := again(func() (int, error) { return syscall.Read(fd, b[n:]) })
		if err != nil || got == 0 {
			return n, err
		}
		n += got
	}
	return n, nil
}

// again does what a signal interrupted.
func again(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
