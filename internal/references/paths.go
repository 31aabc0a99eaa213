package references

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Paths finds references below some prefixes of another registry, such as us-docker.pkg.dev/my-project/app-images. Make
// it with NewPaths; it is safe for concurrent use.
type Paths struct{ prefixes []string }

// Path is a place that names an image below a prefix.
type Path struct {
	Name       string // with its prefix, without tag and digest
	Tag        string // as in Name
	Digest     digest.Digest
	Start, End int
	NameEnd    int
	Open       bool // the name is only the beginning of one
}

// NewPaths returns a finder for what is below the prefixes, which have no slash at their end.
func NewPaths(prefixes ...string) *Paths {
	p := &Paths{}
	for _, prefix := range prefixes {
		p.prefixes = append(p.prefixes, prefix+"/")
	}
	slices.SortFunc(p.prefixes, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	p.prefixes = slices.Compact(p.prefixes)
	return p
}

// Markers are what a text holds that names anything below a prefix.
func (p *Paths) Markers() [][]byte {
	var out [][]byte
	for _, prefix := range p.prefixes {
		out = append(out, []byte(prefix))
	}
	return out
}

// Find yields the references in b, in order. Where prefixes overlap the longest counts.
func (p *Paths) Find(b []byte) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		next := make([]int, len(p.prefixes)) // where each prefix is next; -1: nowhere
		for from := 0; ; {
			at, size := -1, 0
			for n, prefix := range p.prefixes {
				if next[n] >= 0 && (next[n] < from || from == 0) {
					if next[n] = bytes.Index(b[from:], []byte(prefix)); next[n] >= 0 {
						next[n] += from
					}
				}
				if next[n] >= 0 && (at < 0 || next[n] < at) {
					at, size = next[n], len(prefix)
				}
			}
			if at < 0 {
				return
			}
			from = at + 1
			found, ok := pathAt(b, at, size)
			if !ok {
				continue
			}
			if !yield(found) {
				return
			}
			from = found.End
		}
	}
}

func pathAt(b []byte, start, prefix int) (Path, bool) {
	size := nameLength(b[start+prefix:])
	if !leftEdge(b[:start]) || size == 0 && !isVariable(b[start+prefix:]) {
		return Path{}, false
	}
	p := Path{Start: start, NameEnd: start + prefix + size}
	p.Name = string(b[start:p.NameEnd])
	p.End, p.Open = p.NameEnd, size == 0 || goesOn(b[p.NameEnd:])
	if !p.Open {
		p.Tag, p.Digest, size = version(b[p.NameEnd:])
		p.End += size
	}
	return p, true
}

// String is the name with its tag and digest.
func (p Path) String() string {
	s := p.Name
	if p.Tag != "" {
		s += ":" + p.Tag
	}
	if p.Digest != "" {
		s += "@" + p.Digest.String()
	}
	return s
}
