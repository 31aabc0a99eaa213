package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Busy reports whether a process holds the workspace in dir. It creates nothing: a folder that no process has opened is
// not busy.
func Busy(dir string) (bool, error) {
	path := filepath.Join(dir, ".lock")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ok, err := lock.TryRLock()
	if ok {
		err = lock.Unlock()
	}
	return !ok && err == nil, err
}
