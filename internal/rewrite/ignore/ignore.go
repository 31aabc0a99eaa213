// Package ignore knows which files git ignores, by the rules of .gitignore files and of .git/info/exclude.
//
// Vocabulary: a pattern is one line of such a file; a set of Rules are the patterns of one file, above those of the
// folders around it. The last pattern that matches decides, and what is in an ignored folder is ignored with it: whoever
// asks goes down from the top and never enters one.
package ignore

import (
	"bytes"
	"strings"
)

// Rules are the patterns of one file, with those that they are laid over. A nil *Rules ignores nothing.
type Rules struct {
	below    *Rules
	base     string // the folder of the file: empty, or with a slash at its end
	patterns []pattern
}

// pattern is one line.
type pattern struct {
	segments []string // between slashes; one where the name alone is compared
	literal  string   // the only segment, where it has no wildcard
	suffix   string   // of the only segment, where all before it is a star
	name     bool     // the name alone is compared
	folder   bool     // only folders match
	negated  bool     // what matches is not ignored
}

// With lays the patterns of a file in the folder base over r. Paths have slashes, and are relative to the same root as
// those that Ignored is asked for.
func (r *Rules) With(base string, text []byte) *Rules {
	if base != "" {
		base += "/"
	}
	over := &Rules{below: r, base: base}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for line := range bytes.Lines(text) {
		if p, ok := parse(string(line)); ok {
			over.patterns = append(over.patterns, p)
		}
	}
	if len(over.patterns) == 0 {
		return r
	}
	return over
}

func parse(line string) (pattern, bool) {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if strings.HasPrefix(line, "#") {
		return pattern{}, false
	}
	line = trimSpaces(line)
	var p pattern
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.folder = strings.CutSuffix(line, "/")
	if line == "" {
		return pattern{}, false
	}
	p.name = !strings.Contains(line, "/")
	p.segments = strings.Split(strings.TrimPrefix(line, "/"), "/")
	if p.name {
		switch {
		case !strings.ContainsAny(line, `*?[\`):
			p.literal = line
		case line[0] == '*' && !strings.ContainsAny(line[1:], `*?[\`):
			p.suffix = line[1:]
		}
	}
	return p, true
}

// trimSpaces cuts off spaces at the end that no backslash keeps.
func trimSpaces(s string) string {
	n := len(s)
	for n > 0 && s[n-1] == ' ' {
		slashes := 0
		for slashes < n-1 && s[n-2-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 1 {
			break
		}
		n--
	}
	return s[:n]
}

// Ignored reports whether git ignores the file or folder at path, given that it ignores no folder above it.
func (r *Rules) Ignored(path string, folder bool) bool {
	for ; r != nil; r = r.below {
		rest, ok := strings.CutPrefix(path, r.base)
		if !ok {
			continue
		}
		for i := len(r.patterns) - 1; i >= 0; i-- {
			if p := &r.patterns[i]; (folder || !p.folder) && p.match(rest) {
				return !p.negated
			}
		}
	}
	return false
}

func (p *pattern) match(path string) bool {
	if !p.name {
		return matchPath(p.segments, path)
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case p.literal != "":
		return name == p.literal
	case p.suffix != "":
		return strings.HasSuffix(name, p.suffix)
	}
	return matchName(p.segments[0], name)
}

// matchPath compares a path with segments, of which ** stands for any number of them; at the end for one or more.
func matchPath(segments []string, path string) bool {
	names := strings.Split(path, "/")
	s, n := 0, 0
	star, from := -1, 0 // the last ** that was passed, and what it has taken up to
	for n < len(names) {
		switch {
		case s < len(segments) && segments[s] == "**":
			if s == len(segments)-1 {
				return true
			}
			star, from = s, n
			s++
			continue
		case s < len(segments) && matchName(segments[s], names[n]):
			s, n = s+1, n+1
			continue
		case star < 0:
			return false
		}
		from++
		s, n = star+1, from
	}
	return s == len(segments)
}
