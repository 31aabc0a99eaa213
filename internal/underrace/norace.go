//go:build !race

package underrace

// On says that the race detector watches.
const On = false
