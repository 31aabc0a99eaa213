package references

import (
	"bytes"
	"iter"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Finder finds references to the repositories of some registries, by all host names that those have. Make it with
// NewFinder; it is safe for concurrent use.
type Finder struct {
	hosts      map[string][]host // by account
	registries []ref.Registry
}

// host is one name of a registry, without its account.
type host struct {
	tail     string
	registry ref.Registry
	form     ref.HostForm
}

// Name is what a reference names.
type Name struct {
	Repository ref.Repository
	Tag        string        // empty where there is none, or where it is a variable or a range
	Digest     digest.Digest // empty where there is none; otherwise it decides, whatever Tag says
}

// String is the name as people write it.
func (n Name) String() string {
	s := n.Repository.String()
	if n.Tag != "" {
		s += ":" + n.Tag
	}
	if n.Digest != "" {
		s += "@" + n.Digest.String()
	}
	return s
}

// Reference is a place that names an image.
type Reference struct {
	Name
	Form       ref.HostForm // how the host was spelled
	Start, End int          // the span: from the host's first byte to behind the last one of the name, tag or digest
	NameEnd    int          // behind the last byte of the repository's name
	Open       bool         // the repository's name is only the beginning of one
}

// NewFinder returns a Finder for the registries.
func NewFinder(registries ...ref.Registry) *Finder {
	f := &Finder{hosts: map[string][]host{}, registries: registries}
	for _, r := range registries {
		seen := map[string]bool{}
		for _, form := range []ref.HostForm{{}, {FIPS: true}, {DualStack: true}, {FIPS: true, DualStack: true}} {
			name := r.HostIn(form)
			if !seen[name] {
				seen[name] = true
				f.hosts[r.Account] = append(f.hosts[r.Account], host{strings.TrimPrefix(name, r.Account), r, form})
			}
		}
	}
	return f
}

// Bounds of what belongs to a reference, in bytes.
const (
	maxName  = 256
	maxTag   = 128
	maxAhead = 16 // how far behind a name is looked for what it goes on with
	// maxReference is more than the span of any reference and what is looked at around it.
	maxReference = 1024
)

// account is the number of digits of an AWS account.
const account = 12

// Find yields the references in b, in order; their spans do not overlap. What only names a host is none.
func (f *Finder) Find(b []byte) iter.Seq[Reference] {
	return func(yield func(Reference) bool) {
		for from := 0; ; {
			i := bytes.Index(b[from:], []byte(".dkr"))
			if i < 0 {
				return
			}
			r, ok := f.at(b, from, from+i)
			from += i + len(".dkr")
			if !ok {
				continue
			}
			if !yield(r) {
				return
			}
			from = max(from, r.End)
		}
	}
}

// at reads the reference whose host goes on at b[dot:], after an account that begins at b[least:] or later.
func (f *Finder) at(b []byte, least, dot int) (Reference, bool) {
	start := dot - account
	if start < least || !leftEdge(b[:start]) {
		return Reference{}, false
	}
	for _, h := range f.hosts[string(b[start:dot])] {
		slash := dot + len(h.tail)
		// A slash is what comes behind a whole host; whatever else does, there is no repository.
		if slash >= len(b) || b[slash] != '/' || !bytes.HasPrefix(b[dot:], []byte(h.tail)) {
			continue
		}
		size := nameLength(b[slash+1:])
		if size < 2 { // as FACTS A1 [S] has it
			return Reference{}, false
		}
		r := Reference{Form: h.form, Start: start, NameEnd: slash + 1 + size}
		r.Repository = h.registry.Repository(string(b[slash+1 : r.NameEnd]))
		r.End, r.Open = r.NameEnd, goesOn(b[r.NameEnd:])
		if !r.Open {
			r.Tag, r.Digest, size = version(b[r.NameEnd:])
			r.End += size
		}
		return r, true
	}
	return Reference{}, false
}

// leftEdge reports whether a host may begin behind before: not within a longer name, nor in the path of another registry.
// A minus may be before it, as in ${REGISTRY:-HOST/NAME}.
func leftEdge(before []byte) bool {
	n := len(before)
	if n == 0 {
		return true
	}
	switch c := before[n-1]; {
	case isAlphanumeric(c):
		// The n of an escaped line end, in JSON that holds a text, is no letter.
		return n > 1 && before[n-2] == '\\' && (c == 'n' || c == 'r' || c == 't')
	case c == '.' || c == '_' || c == '$' || c == '%':
		return false
	case c == '/':
		return n > 1 && (before[n-2] == '/' || bytes.HasSuffix(before, []byte(`\/\/`)))
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool { return isLower(c) || 'A' <= c && c <= 'Z' }

// nameLength is the length of the longest repository name at the beginning of b: parts of lower-case letters and digits,
// joined by a dot, one or two underscores, any number of minus signs, or a slash.
func nameLength(b []byte) int {
	b = b[:min(len(b), maxName)]
	end := 0
	for i := 0; ; {
		part := i
		for i < len(b) && isLower(b[i]) {
			i++
		}
		if i == part {
			return end
		}
		end = i
		join := joint(b[i:])
		if join == 0 {
			return end
		}
		i += join
	}
}

// joint is the length of what joins two parts of a name at the beginning of b.
func joint(b []byte) int {
	n := 0
	switch {
	case len(b) == 0:
	case b[0] == '.' || b[0] == '/':
		n = 1
	case b[0] == '_':
		if n = 1; len(b) > 1 && b[1] == '_' {
			n = 2
		}
	case b[0] == '-':
		for n < len(b) && b[n] == '-' {
			n++
		}
	}
	return n
}

// goesOn reports whether a name that ends before b goes on there: with a variable, a pattern, or what no name ends with.
// A dot may be the end of a sentence.
func goesOn(b []byte) bool {
	b = b[:min(len(b), maxAhead)]
	rest := bytes.TrimLeft(b, ".")
	switch {
	case len(rest) == 0:
		return len(b) == maxAhead
	case isAlphanumeric(rest[0]), bytes.IndexByte([]byte("-_/"), rest[0]) >= 0:
		return true
	case rest[0] == '\\':
		return len(rest) > 1 && (rest[1] == '/' || rest[1] == '.') // of an expression
	}
	return isVariable(rest)
}

// isVariable reports whether b begins with a variable, a placeholder or a pattern, rather than with what closes a tag of
// XML or bold text of Markdown.
func isVariable(b []byte) bool {
	switch {
	case len(b) == 0:
		return false
	case b[0] == '<':
		return len(b) > 1 && b[1] != '/'
	case b[0] == '*':
		return len(b) == 1 || b[1] != '*'
	}
	return bytes.IndexByte([]byte("$%{"), b[0]) >= 0
}

// version reads the tag and the digest that b begins with, and says how long they are. Of a tag that is, or holds, a
// variable, nothing is known.
func version(b []byte) (tag string, d digest.Digest, size int) {
	if n := tagLength(b); n > 0 {
		if isVariable(b[n:]) || n == 1+maxTag && n < len(b) && isTag(b[n]) {
			return "", "", 0
		}
		tag, size = string(b[1:n]), n
	}
	d, n := digestAt(b[size:])
	return tag, d, size + n
}

func isTag(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '.' || c == '-' }

// tagLength is the length of a colon and a tag at the beginning of b. Dots at its end are those of a sentence.
func tagLength(b []byte) int {
	if len(b) < 2 || b[0] != ':' || b[1] == '.' || b[1] == '-' || !isTag(b[1]) {
		return 0
	}
	n := 2
	for n < len(b) && n < 1+maxTag && isTag(b[n]) {
		n++
	}
	if isVariable(b[n:]) {
		return n
	}
	for b[n-1] == '.' {
		n--
	}
	return n
}

// digestAt reads an at sign and a digest at the beginning of b.
func digestAt(b []byte) (digest.Digest, int) {
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		prefix := "@" + algorithm.String() + ":"
		n := len(prefix) + 2*algorithm.Size()
		if len(b) < n || !bytes.HasPrefix(b, []byte(prefix)) || n < len(b) && isAlphanumeric(b[n]) {
			continue
		}
		if d := digest.Digest(b[1:n]); d.Validate() == nil {
			return d, n
		}
	}
	return "", 0
}
