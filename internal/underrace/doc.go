// Package underrace tells tests whether the race detector watches, which makes everything some ten times slower: what only
// takes long then plays less. Nothing of the product imports it.
package underrace
