package registry

import (
	"bytes"
	"fmt"
)

// MaxBlobBytes bounds the size of a blob that a manifest may tell: 1 TiB, which is more than any registry takes. FACTS A1:
// ECR's own limit of a layer is some 50 GiB. Sums of larger ones, which only malice makes, would not fit into an int64.
const MaxBlobBytes = 1 << 40

// maxDepth is how deep encoding/json follows nested values before it gives up.
const maxDepth = 10_000

// checkLists says which of the lists in JSON has more elements than a manifest may name things. It looks before they
// are decoded: an element of two bytes becomes a descriptor of two hundred, so that decoding 4 MiB of them would take
// half a gigabyte.
func checkLists(b []byte) error {
	if bytes.Count(b, []byte{','}) <= maxDescriptors { // nearly all manifests that there are
		return nil
	}
	if n := longestList(b); n > maxDescriptors {
		return fmt.Errorf("the manifest names more than %d things in one list", maxDescriptors)
	}
	return nil
}

// longestList returns how many elements the longest list in JSON has, as far as it is JSON: it only looks for brackets,
// commas and strings.
func longestList(b []byte) int {
	const object = -1
	longest := 0
	var open []int // the elements so far of each list that is open, or object
	for i := 0; i < len(b) && len(open) <= maxDepth; i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '[':
			open = append(open, 1)
		case '{':
			open = append(open, object)
		case ']', '}':
			open = open[:max(len(open)-1, 0)]
		case ',':
			if n := len(open) - 1; n >= 0 && open[n] != object {
				open[n]++
				longest = max(longest, open[n])
			}
		}
	}
	return longest
}

// CountValues returns about how many values a piece of JSON has, or more: what separates them in a string counts, too.
// It is for whoever decodes what may be hostile, since values of two bytes take many times that once they are decoded.
func CountValues(b []byte) int {
	return bytes.Count(b, []byte{','}) + bytes.Count(b, []byte{'{'}) + bytes.Count(b, []byte{'['})
}
