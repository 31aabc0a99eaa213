package references

import (
	"bytes"
	"iter"
	"strings"

	"transship/internal/ref"
)

// Host is a place that names an ECR registry, whichever it is.
type Host struct {
	Registry   ref.Registry
	Form       ref.HostForm
	Start, End int // the span of the host alone
}

// maxHost is more than the bytes of any host's name behind its account.
const maxHost = 96

// Hosts yields the ECR hosts in b, in order, those of references too.
func Hosts(b []byte) iter.Seq[Host] {
	return func(yield func(Host) bool) {
		for from := 0; ; {
			i := bytes.Index(b[from:], []byte(".dkr"))
			if i < 0 {
				return
			}
			h, ok := hostAt(b, from, from+i)
			from += i + len(".dkr")
			if !ok {
				continue
			}
			if !yield(h) {
				return
			}
			from = max(from, h.End)
		}
	}
}

// hostAt reads the host that goes on at b[dot:], after an account that begins at b[least:] or later.
func hostAt(b []byte, least, dot int) (Host, bool) {
	start := dot - account
	if start < least || !leftEdge(b[:start]) {
		return Host{}, false
	}
	end := dot
	for end < len(b) && end < dot+maxHost && (isLower(b[end]) || b[end] == '.' || b[end] == '-') {
		end++
	}
	name := strings.TrimRight(string(b[start:end]), ".-") // the end of a sentence
	r, form, err := ref.ParseRegistry(name)
	if err != nil {
		return Host{}, false
	}
	return Host{Registry: r, Form: form, Start: start, End: start + len(name)}, true
}

// Continuation is what follows a host or a prefix of names.
type Continuation int

// The continuations.
const (
	Nothing  Continuation = iota // it stands alone
	Literal                      // a slash and a name
	Variable                     // a slash and a variable, a placeholder or a pattern
	Escaped                      // a slash that an expression or a string escapes
)

// After says what b goes on with behind a host.
func After(b []byte) Continuation {
	switch {
	case bytes.HasPrefix(b, []byte(`\/`)), bytes.HasPrefix(b, []byte("%2F")), bytes.HasPrefix(b, []byte("%2f")):
		return Escaped
	case len(b) < 2 || b[0] != '/':
		return Nothing
	case isVariable(b[1:]):
		return Variable
	case nameLength(b[1:]) > 1:
		return Literal
	}
	return Nothing
}
