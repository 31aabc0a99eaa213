//go:build !race

package sync

// underRace says that the race detector watches, which makes everything some ten times slower.
const underRace = false
