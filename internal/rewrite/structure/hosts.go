package structure

import (
	"bytes"
	"iter"
	"strings"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// hosts are the names of the registries of the migration, in all their forms.
type hosts map[string]ref.Registry

func newHosts(sources []ref.Registry) hosts {
	h := hosts{}
	for _, r := range sources {
		for _, form := range []ref.HostForm{{}, {FIPS: true}, {DualStack: true}, {FIPS: true, DualStack: true}} {
			h[r.HostIn(form)] = r
		}
	}
	return h
}

// in reports whether b holds one of them.
func (h hosts) in(b []byte) bool {
	for range h.find(b) {
		return true
	}
	return false
}

const accountDigits = 12

// find yields the spans of the hosts in b, in order: those that are no part of a longer name.
func (h hosts) find(b []byte) iter.Seq[mention.Span] {
	return func(yield func(mention.Span) bool) {
		for from := 0; ; {
			i := bytes.Index(b[from:], []byte(".dkr"))
			if i < 0 {
				return
			}
			s := mention.Span{Start: from + i - accountDigits, End: from + i}
			from += i + len(".dkr")
			if s.Start < 0 || s.Start > 0 && isHostByte(b[s.Start-1]) && b[s.Start-1] != '-' && !escapedLineEnd(b[:s.Start]) {
				continue
			}
			for s.End < len(b) && isHostByte(b[s.End]) {
				s.End++
			}
			for s.End > from && b[s.End-1] == '.' { // of a sentence
				s.End--
			}
			if _, ok := h[string(b[s.Start:s.End])]; ok && !yield(s) {
				return
			}
		}
	}
}

func isHostByte(c byte) bool { return isAlphanumeric(c) || c == '.' || c == '-' || c == '_' }

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// escapedLineEnd reports whether b ends with a line end that is escaped, as in JSON that holds a text.
func escapedLineEnd(b []byte) bool {
	return bytes.HasSuffix(b, []byte(`\n`)) || bytes.HasSuffix(b, []byte(`\r`)) || bytes.HasSuffix(b, []byte(`\t`))
}

// place is a value that names a registry, and perhaps the beginning of a path in it: oci://HOST/charts/.
type place struct {
	registry ref.Registry
	scheme   string       // with the slashes
	path     string       // without slashes at its ends; empty where the host is all
	part     mention.Span // host and path, in the value
}

// place reads a value. Nothing may be variable in it.
func (h hosts) place(s string) (place, bool) {
	scheme := ""
	if i := strings.Index(s, "://"); i >= 0 {
		scheme = s[:i+len("://")]
	}
	rest := s[len(scheme):]
	rest = strings.TrimRight(rest, "/")
	name, path, _ := strings.Cut(rest, "/")
	r, ok := h[name]
	if !ok || path != "" && !ref.ValidRepositoryName(path+"/x") {
		return place{}, false
	}
	return place{registry: r, scheme: scheme, path: path, part: mention.Span{Start: len(scheme), End: len(scheme) + len(rest)}}, true
}

// name reads what a registry and a repository's name, with its tag or digest, make together. Size is how much of the text
// is the repository's name; it is 0 where that is not the whole of a name.
func (j *judge) name(p place, text string) (n references.Name, size int) {
	before := p.registry.Host() + "/"
	if p.path != "" {
		before += p.path + "/"
	}
	whole := before + text
	for r := range j.finder.Find([]byte(whole)) {
		rest := whole[r.NameEnd:]
		if r.Start != 0 || r.Open || r.NameEnd <= len(before) || rest != "" && rest[0] != ':' && rest[0] != '@' {
			break
		}
		return r.Name, r.NameEnd - len(before)
	}
	return references.Name{}, 0
}
