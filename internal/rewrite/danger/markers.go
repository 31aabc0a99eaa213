package danger

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"

	"transship/internal/rewrite/mention"
)

// Markers are the words of which a file must hold one to be judged at all. Only the short ones occur by chance. Marked
// looks for all of them at once.
var Markers = [][]byte{
	[]byte("ecr"), []byte("ECR"), []byte("Ecr"), []byte("dkr"),
	[]byte("image:"), // what a pipeline looks for in a manifest
	[]byte("kustomize"), []byte("yq "), []byte("jq "),
	[]byte("rRegistry"), []byte("dockerc"), []byte("ME>"), []byte("eUri"), []byte(".registry"), []byte("provider: aws"),
}

// Marked reports whether a text is worth judging. It is asked of every file of a tree, so it looks at pairs of letters at
// every second byte, eight at a time: each marker has one of its samples there, and few texts have many.
func Marked(b []byte) bool {
	i := 0
	for ; i+16 <= len(b); i += 16 {
		x, y := binary.LittleEndian.Uint64(b[i:]), binary.LittleEndian.Uint64(b[i+8:])
		if first[uint16(x)]|first[uint16(x>>16)]|first[uint16(x>>32)]|first[uint16(x>>48)]|
			first[uint16(y)]|first[uint16(y>>16)]|first[uint16(y>>32)]|first[uint16(y>>48)] == 0 {
			continue
		}
		for n := i; n < i+16; n += 2 {
			if first[binary.LittleEndian.Uint16(b[n:])] != 0 && markedAt(b, n) {
				return true
			}
		}
	}
	for ; i+1 < len(b); i += 2 {
		if markedAt(b, i) {
			return true
		}
	}
	return false
}

// sample is a pair of letters of a marker. Each marker has one at an even and one at an odd place, the rarest there are.
type sample struct {
	pair   uint16
	marker *trio
	at     int // of the pair
}

var samples = func() (all []sample) {
	places := map[string][2]int{
		"image:": {3, 4}, "kustomize": {0, 7}, "rRegistry": {0, 3}, "dockerc": {2, 5}, ".registry": {0, 3}, "provider: aws": {7, 10},
	}
	add := func(o *trio) {
		at, ok := places[string(o.marker)]
		if !ok {
			at = [2]int{0, 1}
		}
		for _, n := range at {
			all = append(all, sample{binary.LittleEndian.Uint16(o.marker[n:]), o, n})
		}
	}
	for n := range trios {
		add(&trios[n])
	}
	for _, r := range rare {
		add(&trio{marker: r.marker})
	}
	return all
}()

// first is the number of the first sample with a pair, from 1, and next of a sample the next one; 0 is none.
var first, next = func() (first [1 << 16]uint8, next []uint8) {
	next = make([]uint8, len(samples)+1)
	for n := len(samples); n > 0; n-- {
		pair := samples[n-1].pair
		first[pair], next[n] = uint8(n), first[pair] //nolint:gosec // there are few
	}
	return first, next
}()

// markedAt reports whether a marker has a sample at b[i:], and is there.
func markedAt(b []byte, i int) bool {
	for n := first[binary.LittleEndian.Uint16(b[i:])]; n > 0; n = next[n] {
		if s := &samples[n-1]; i >= s.at && s.marker.is(b, i-s.at) {
			return true
		}
	}
	return false
}

// trio is a marker by three letters of it that follow each other. Of all trios at least one letter stands where scan looks.
type trio struct {
	marker []byte
	at     int // of the three letters
	isWord bool
}

// trios are the markers, those but whose rare letter is looked for instead.
var trios = []trio{
	{[]byte("ecr"), 0, true}, {[]byte("ECR"), 0, true}, {[]byte("Ecr"), 0, true}, {[]byte("dkr"), 0, false},
	{[]byte("image:"), 3, false}, {[]byte("rRegistry"), 1, false}, {[]byte("dockerc"), 3, false}, {[]byte("ME>"), 0, false},
	{[]byte("eUri"), 0, false}, {[]byte(".registry"), 0, false}, {[]byte("provider: aws"), 5, false},
}

// rare are the markers with a letter that hardly any text has.
var rare = []struct {
	letter byte
	marker []byte
	at     int
}{
	{'q', []byte("yq "), 1}, {'q', []byte("jq "), 1}, {'z', []byte("kustomize"), 7},
}

// letters says of a byte in which trios it is the first, second and third letter, a bit for each trio.
var letters = lettersOf(trios)

func lettersOf(trios []trio) (t [256][3]uint16) {
	for n, o := range trios {
		for i := range 3 {
			t[o.marker[o.at+i]][i] |= 1 << n
		}
	}
	return t
}

// inTrio says of a byte whether it is a letter of a trio.
var inTrio = func() (t [256]bool) {
	for c, l := range letters {
		t[c] = l[0]|l[1]|l[2] != 0
	}
	return t
}()

// Bounds of a stretch.
const (
	maxStretch = 4096 // bytes; a line that is longer is looked at in parts
	beforeHit  = 600  // how much of such a line is looked at before a marker
	afterHit   = 1200 // and behind it
	maxJoined  = 12   // lines that are joined in one direction
)

// stretch are the bytes [start, end) of a text that are looked at together.
type stretch struct {
	mention.Span
	line int // of Start, from 1
}

// stretches returns the stretches of a text, in order, without overlap.
func stretches(b []byte) []stretch {
	hits := findHits(b)
	var all []stretch
	line, counted, end := 1, 0, 0
	for _, hit := range hits {
		if hit < end {
			continue
		}
		s := stretch{Span: around(b, hit, end)}
		line += bytes.Count(b[counted:s.Start], newline)
		s.line, counted, end = line, s.Start, s.End
		all = append(all, s)
	}
	return all
}

var newline = []byte("\n")

// findHits returns where markers are, in order.
func findHits(b []byte) []int {
	found := slices.Collect(hits(b))
	slices.Sort(found)
	return found
}

// hits yields where markers are, in some order.
func hits(b []byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		// One of three letters that follow each other stands at every third byte.
		for i := 2; i < len(b)+2; i += 3 {
			if i < len(b) && !inTrio[b[i]] {
				continue
			}
			for first := i - 2; first <= i && first+2 < len(b); first++ {
				for set := letters[b[first]][0] & letters[b[first+1]][1] & letters[b[first+2]][2]; set != 0; set &= set - 1 {
					o := &trios[bits.TrailingZeros16(set)]
					if start := first - o.at; start >= 0 && o.is(b, start) && !yield(start) {
						return
					}
				}
			}
		}
		for _, r := range rare {
			for from := 0; ; {
				n := bytes.IndexByte(b[from:], r.letter)
				if n < 0 {
					break
				}
				start := from + n - r.at
				from += n + 1
				if start >= 0 && bytes.HasPrefix(b[start:], r.marker) && !yield(start) {
					return
				}
			}
		}
	}
}

// is reports whether the marker is at b[start:].
func (o *trio) is(b []byte, start int) bool {
	return bytes.HasPrefix(b[start:], o.marker) && (!o.isWord || isECR(b, start))
}

// isECR reports whether the three letters at b[i:] are the name of the service rather than part of a word, as in secret,
// DECREE or ecru. A capital letter begins a word, as in fromEcrRepository and Get-ECRLoginCommand.
func isECR(b []byte, i int) bool {
	var before, next, afterNext byte
	if i > 0 {
		before = b[i-1]
	}
	if i+3 < len(b) {
		next = b[i+3]
	}
	if i+4 < len(b) {
		afterNext = b[i+4]
	}
	if isLower(next) {
		return bytes.HasPrefix(b[i+3:], []byte("public"))
	}
	switch {
	case b[i] == 'e':
		return !isLower(before) && !isUpper(before)
	case b[i+1] == 'c': // Ecr
		return !isUpper(before)
	}
	return !isUpper(before) && (!isUpper(next) || isLower(afterNext))
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// around returns the stretch that the marker at hit is in; it begins at least or later.
func around(b []byte, hit, least int) mention.Span {
	s := lineAt(b, hit, least)
	if s.End-s.Start > maxStretch {
		return mention.Span{Start: max(s.Start, hit-beforeHit), End: min(s.End, hit+afterHit)}
	}
	for range maxJoined {
		if s.Start == least || !joins(b[max(least, s.Start-maxStretch):s.Start-1], b[s.Start:s.End]) {
			break
		}
		start := lineAt(b, s.Start-1, least).Start
		if s.End-start > maxStretch {
			break
		}
		s.Start = start
	}
	for range maxJoined {
		if s.End >= len(b) {
			break
		}
		next := lineAt(b, s.End+1, s.End)
		if next.End-s.Start > maxStretch || !joins(b[s.Start:s.End], b[next.Start:next.End]) {
			break
		}
		s.End = next.End
	}
	return s
}

// lineAt returns the line around i, without its line feed; it begins at least or later.
func lineAt(b []byte, i, least int) mention.Span {
	i = min(i, len(b))
	s := mention.Span{Start: max(least, bytes.LastIndexByte(b[:i], '\n')+1), End: len(b)}
	if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
		s.End = i + n
	}
	s.Start = min(s.Start, s.End)
	return s
}

// joins reports whether the line that before ends with goes on in the next: by a backslash, the signs of PowerShell and of
// batch files, or a pipe, which is no block of YAML.
func joins(before, next []byte) bool {
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		before = before[i+1:]
	}
	before = bytes.TrimRight(before, " \t\r")
	next = bytes.TrimSpace(next)
	if len(before) == 0 || len(next) == 0 {
		return false
	}
	switch before[len(before)-1] {
	case '\\', '^':
		return true
	case '`':
		return len(before) > 1 && before[len(before)-2] == ' '
	case '|':
		key := bytes.TrimRight(before[:len(before)-1], " \t")
		return len(key) > 0 && key[len(key)-1] != ':' && key[len(key)-1] != '-' && key[len(key)-1] != '|' && next[0] != '|'
	}
	return next[0] == '|' && len(next) > 1 && next[1] == ' ' && before[0] != '|' // no row of a table
}
