// Package lines is about files that lines are only ever added to, where a crash may have left half of one.
package lines

import "os"

// Torn reports whether f ends within a line, so that what is added next would be taken for a part of it.
func Torn(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}
