package ref

import "fmt"

// Scope is the part of a migration that a command works on. The zero value is all of it.
type Scope struct {
	Include []Glob // empty means all
	Exclude []Glob // wins over Include
}

// ParseScope reads the patterns of --include and --exclude.
func ParseScope(include, exclude []string) (Scope, error) {
	var s Scope
	for _, list := range []struct {
		name  string
		texts []string
		globs *[]Glob
	}{{"include", include, &s.Include}, {"exclude", exclude, &s.Exclude}} {
		for _, text := range list.texts {
			g, err := ParseGlob(text)
			if err != nil {
				return Scope{}, fmt.Errorf("%s: %w", list.name, err)
			}
			*list.globs = append(*list.globs, g)
		}
	}
	return s, nil
}

// Match reports whether r is in the scope.
func (s Scope) Match(r Repository) bool {
	for _, g := range s.Exclude {
		if g.MatchRepository(r) {
			return false
		}
	}
	for _, g := range s.Include {
		if g.MatchRepository(r) {
			return true
		}
	}
	return len(s.Include) == 0
}

// Texts returns the patterns as they were written.
func (s Scope) Texts() (include, exclude []string) {
	for _, g := range s.Include {
		include = append(include, g.String())
	}
	for _, g := range s.Exclude {
		exclude = append(exclude, g.String())
	}
	return include, exclude
}
