//go:build linux || darwin

package doctor

import "syscall"

// freeBytes is how much may be written below dir; 0 where that cannot be told.
func freeBytes(dir string) uint64 {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil || s.Bsize <= 0 {
		return 0
	}
	return s.Bavail * uint64(s.Bsize)
}
