package tree

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// listing is an open folder as the system sees it, without what a Root adds for each file: nothing but single names are
// opened in it, and no links, so nothing leads out of it.
type listing struct{ fd int }

// listingOf is the folder that a Root holds.
func listingOf(root *os.Root) (listing, error) {
	file, err := root.Open(".")
	if err != nil {
		return listing{}, err
	}
	defer file.Close()
	return listing{int(file.Fd())}.at(".", syscall.O_RDONLY|syscall.O_DIRECTORY)
}

// at opens something in the folder.
func (l listing) at(name string, flags int) (listing, error) {
	fd, err := again(func() (int, error) {
		return syscall.Openat(l.fd, name, flags|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	})
	return listing{fd}, err
}

// enter opens a folder in the folder.
func (l listing) enter(name string) (listing, error) {
	return l.at(name, syscall.O_RDONLY|syscall.O_DIRECTORY)
}

// open opens a file for reading, and does not wait where a pipe has taken its place.
func (l listing) open(name string) (*os.File, error) {
	file, err := l.at(name, syscall.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(file.fd), name), nil
}

func (l listing) lstat(name string) (os.FileInfo, error) {
	const only = 0x200000 // O_PATH: nothing of it is read
	file, err := l.at(name, only)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(file.fd), name)
	defer f.Close()
	return f.Stat()
}

func (l listing) close() { _ = syscall.Close(l.fd) }

// Where an entry has what it says of itself: its length, its type and its name, which ends with a zero.
const (
	entryLength = 16
	entryType   = 18
	entryName   = 19
)

// entries reads what is in the folder by way of buf, and as much as could be read with an error.
func (l listing) entries(buf []byte) (all []entry, err error) {
	for {
		n, err := again(func() (int, error) { return syscall.ReadDirent(l.fd, buf) })
		if err != nil || n <= 0 {
			return all, err
		}
		names := string(buf[:n]) // all names share its memory
		for from := 0; from+entryName < n; {
			length := int(binary.NativeEndian.Uint16(buf[from+entryLength:]))
			if length <= entryName || from+length > n {
				break
			}
			name, _, _ := strings.Cut(names[from+entryName:from+length], "\x00")
			if name != "." && name != ".." {
				all = append(all, entry{name, l.mode(name, buf[from+entryType])})
			}
			from += length
		}
	}
}

// mode is the kind of file that an entry says it is. Some file systems do not say it.
func (l listing) mode(name string, typ byte) fs.FileMode {
	switch typ {
	case syscall.DT_REG:
		return 0
	case syscall.DT_DIR:
		return fs.ModeDir
	case syscall.DT_LNK:
		return fs.ModeSymlink
	case syscall.DT_UNKNOWN:
		if info, err := l.lstat(name); err == nil {
			return info.Mode().Type()
		}
	}
	return fs.ModeIrregular
}

// peek reads the beginning of a file into b, and says how much that is.
func (l listing) peek(name string, b []byte) (n int, err error) {
	file, err := l.at(name, syscall.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return 0, err
	}
	defer file.close()
	for n < len(b) {
		got, err := again(func() (int, error) { return syscall.Read(file.fd, b[n:]) })
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
