// Package tree walks the files of a folder in parallel: those that a person keeps there, and no others.
//
// Vocabulary: a Tree is a folder that somebody named, or the folder of a file that somebody named; nothing is reached from
// it that is not in it. What git ignores is left out, and so are .git, vendored folders, links and whatever is no regular
// file. A Place is one file: its folder, held open, and its name, so that no link that takes the place of a folder in the
// meantime leads elsewhere.
//
//	PATH ─ Open ─→ Tree ─ Walk ─→ Place, Place, …
package tree

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"transship/internal/rewrite/ignore"
)

// Tree is a folder, or one file of it.
type Tree struct {
	root   *os.Root
	shown  string        // what its paths begin with for people: empty, or with a slash at its end
	inside string        // where it is in its repository: likewise
	only   string        // the file that was named, or empty
	whole  string        // the folder's path
	rules  *ignore.Rules // of the folders above it
}

// errLink says why a link is not taken.
var errLink = errors.New("it is a link, which is not followed: name what it leads to")

// errSpecial says why a device is not taken.
var errSpecial = errors.New("it is neither a folder nor a regular file")

// Open opens what a person named. Its rules of what is ignored are those of its repository, where it is in one.
func Open(name string) (*Tree, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, Bare(err)
	}
	t, dir := &Tree{}, name
	switch {
	case info.Mode().IsRegular():
		dir, t.only = filepath.Dir(name), filepath.Base(name)
	case info.Mode()&fs.ModeSymlink != 0:
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			return nil, errLink
		}
	case !info.IsDir():
		return nil, errSpecial
	}
	if t.root, err = os.OpenRoot(dir); err != nil {
		return nil, Bare(err)
	}
	if clean := filepath.ToSlash(filepath.Clean(dir)); clean != "." {
		t.shown = strings.TrimSuffix(clean, "/") + "/"
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.whole = whole
	t.above(whole)
	return t, nil
}

// Bare is an error of the file system without the operation, which would only be Go's word for it, and without the path,
// which whoever names the error knows.
func Bare(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// Close closes the folder.
func (t *Tree) Close() error { return t.root.Close() }

// Shown is the path in the tree as people know it: with what they named.
func (t *Tree) Shown(name string) string { return t.shown + name }

// AddTo adds what was named to what is to be left out of the walk of another tree.
func (t *Tree) AddTo(skip Skip) {
	if info, err := t.root.Lstat(cmp.Or(t.only, ".")); err == nil {
		name := cmp.Or(t.only, filepath.Base(t.whole))
		skip[name] = append(skip[name], info)
	}
}

// Skip are files and folders that a walk leaves out, by their names.
type Skip map[string][]os.FileInfo

// Add adds what is at path now, if anything is.
func (s Skip) Add(path string) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return
	}
	if info, err := os.Lstat(whole); err == nil {
		s[info.Name()] = append(s[info.Name()], info)
	}
}

// Only is the file that was named, where it was not a folder.
func (t *Tree) Only() string { return t.only }

// Read returns a file whole, by its path in the tree. It reads no link that leads out of it, and nothing that is not a
// regular file; the error is fs.ErrNotExist where there is none.
func (t *Tree) Read(name string) ([]byte, error) {
	file, err := t.root.OpenFile(filepath.FromSlash(path.Clean(name)), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	switch info, err := file.Stat(); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w", name, errSpecial)
	case info.Size() > MaxRead:
		return nil, fmt.Errorf("%s: it has more than %d MiB", name, MaxRead>>20)
	}
	return readAll(file)
}

// MaxRead is the size of the largest file that Read returns.
const MaxRead = 8 << 20

// Place is one file of a tree.
type Place struct {
	Tree *Tree
	Dir  *os.Root // its folder, where it was reached by its path
	Name string   // in its folder

	prefix string  // of its path
	dir    *folder // where a walk found it
}

// Path is its path in the tree, with slashes.
func (p Place) Path() string { return p.prefix + p.Name }

// Shown is its path for people.
func (p Place) Shown() string { return p.Tree.Shown(p.Path()) }

// Peek reads the beginning of a file that a walk found into b, and says how much that is: less than b has where that is
// all of it.
func (p Place) Peek(b []byte) (int, error) { return p.dir.peek(p.Name, b) }

// Open opens the file for reading, and does not wait where a pipe has taken its place.
func (p Place) Open() (*os.File, error) {
	if p.dir != nil {
		return p.dir.open(p.Name)
	}
	return p.Dir.OpenFile(p.Name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// Reach opens the folder of a file of the tree again. Whoever calls it closes the place's Dir.
func (t *Tree) Reach(name string) (Place, error) {
	dir, err := t.root.OpenRoot(filepath.FromSlash(path.Dir(name)))
	if err != nil {
		return Place{}, Bare(err)
	}
	at := path.Base(name)
	return Place{Tree: t, Dir: dir, Name: at, prefix: strings.TrimSuffix(name, at)}, nil
}
