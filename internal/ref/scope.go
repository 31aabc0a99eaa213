package ref

import "fmt"

// Scope is the part of a migration that a command works on. The zero value is all of it.
type Scope struct {
	Include []Glob // empty means all
	Exclude []Glob // wins over Include
	Wave    Wave   // what is in scope must be in the wave, too; the zero value is no wave
	// Part is what one of several machines looks after, of what is in scope otherwise; nil is all of it.
	Part func(Repository) bool
}

// Wave is a named part of a migration that moves together.
type Wave struct {
	Name    string
	Include []Glob // a wave without patterns is empty
	Exclude []Glob // wins over Include
}

// ParseScope reads the patterns of --include and --exclude.
func ParseScope(include, exclude []string) (Scope, error) {
	var s Scope
	var err error
	if s.Include, err = parseGlobs(include); err != nil {
		return Scope{}, fmt.Errorf("include: %w", err)
	}
	if s.Exclude, err = parseGlobs(exclude); err != nil {
		return Scope{}, fmt.Errorf("exclude: %w", err)
	}
	return s, nil
}

// ParseWave reads a wave's patterns.
func ParseWave(name string, include, exclude []string) (Wave, error) {
	s, err := ParseScope(include, exclude)
	if err != nil {
		return Wave{}, fmt.Errorf("the wave %s: %w", name, err)
	}
	return Wave{Name: name, Include: s.Include, Exclude: s.Exclude}, nil
}

func parseGlobs(texts []string) (globs []Glob, err error) {
	for _, text := range texts {
		g, err := ParseGlob(text)
		if err != nil {
			return nil, err
		}
		globs = append(globs, g)
	}
	return globs, nil
}

// Match reports whether r is in the scope.
func (s Scope) Match(r Repository) bool {
	if s.Wave.Name != "" && !s.Wave.Match(r) || matchAny(s.Exclude, r) || s.Part != nil && !s.Part(r) {
		return false
	}
	return len(s.Include) == 0 || matchAny(s.Include, r)
}

// Match reports whether r is in the wave.
func (w Wave) Match(r Repository) bool { return matchAny(w.Include, r) && !matchAny(w.Exclude, r) }

func matchAny(globs []Glob, r Repository) bool {
	for _, g := range globs {
		if g.MatchRepository(r) {
			return true
		}
	}
	return false
}

// Texts returns the patterns of --include and --exclude as they were written.
func (s Scope) Texts() (include, exclude []string) { return globTexts(s.Include), globTexts(s.Exclude) }

// Texts returns the patterns as they were written.
func (w Wave) Texts() (include, exclude []string) { return globTexts(w.Include), globTexts(w.Exclude) }

func globTexts(globs []Glob) (texts []string) {
	for _, g := range globs {
		texts = append(texts, g.String())
	}
	return texts
}
