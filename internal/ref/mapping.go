package ref

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Glob matches names of repositories: * stands for anything within a path segment, ** for anything at all, ? for one
// character of a segment. The zero value matches nothing.
type Glob struct {
	text string
	re   *regexp.Regexp
	form form
}

// form is what a pattern can be matched by without its expression, which is a hundred times slower: a layout of
// thousands of repositories has as many rules.
type form uint8

const (
	anyForm form = iota
	literal      // no wildcards
	below        // /** at the end and no other wildcards
)

// ParseGlob reads a pattern.
func ParseGlob(s string) (Glob, error) {
	if s == "" {
		return Glob{}, errors.New("a pattern must not be empty")
	}
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "**"):
			b.WriteString("(.*)")
			i++
		case s[i] == '*':
			b.WriteString("([^/]*)")
		case s[i] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	if err != nil {
		return Glob{}, fmt.Errorf("%q is not a pattern: %w", s, err)
	}
	g := Glob{text: s, re: re}
	if prefix, ok := strings.CutSuffix(s, "/**"); ok && !strings.ContainsAny(prefix, "*?") {
		g.form = below
	} else if g.Literal() {
		g.form = literal
	}
	return g, nil
}

// String is the pattern as it was written.
func (g Glob) String() string { return g.text }

// Match reports whether g matches s as a whole.
func (g Glob) Match(s string) bool {
	switch g.form {
	case literal:
		return s == g.text
	case below:
		prefix := g.text[:len(g.text)-len("**")]
		return strings.HasPrefix(s, prefix) && !strings.Contains(s[len(prefix):], "\n")
	}
	return g.re != nil && g.re.MatchString(s)
}

// MatchRepository reports whether g matches r's name, or its host and name.
func (g Glob) MatchRepository(r Repository) bool {
	if g.Match(r.Name) {
		return true
	}
	if g.form != anyForm && !strings.HasPrefix(g.text, r.Registry.Account) {
		return false // host names begin with the account
	}
	return g.Match(r.String())
}

// Literal reports whether g has no wildcards.
func (g Glob) Literal() bool { return !strings.ContainsAny(g.text, "*?") }

// Rule maps the repositories that From matches.
type Rule struct {
	From  Glob   // on a repository's name or on HOST/NAME
	To    string // a target; see ParseRule
	Place string // where it was written, such as transship.yaml:7, for errors; may be empty
}

// ParseRule reads one entry of mappings. Where to ends in /**, what the ** of from matched takes its place (from needs
// exactly one ** then). Where from has no wildcard and to names an image, to is that image. Otherwise the repository's
// name is appended to to.
func ParseRule(from, to string) (Rule, error) {
	g, err := ParseGlob(from)
	if err != nil {
		return Rule{}, err
	}
	prefix, substitutes := strings.CutSuffix(to, "/**")
	if strings.ContainsAny(prefix, "*?") {
		return Rule{}, fmt.Errorf("%q: a target may hold a wildcard only as /** at its end", to)
	}
	if substitutes && (strings.Count(from, "**") != 1 || strings.Count(from, "*") != 2) {
		return Rule{}, fmt.Errorf("%q: a target that ends in /** needs a pattern with exactly one ** and no other *, not %q", to, from)
	}
	if _, err := ParseTarget(prefix); err != nil {
		return Rule{}, err
	}
	return Rule{From: g, To: to}, nil
}

// apply returns what r becomes, and whether the rule is about r.
func (u Rule) apply(r Repository) (TargetImage, bool) {
	if !u.From.MatchRepository(r) {
		return TargetImage{}, false
	}
	prefix, substitutes := strings.CutSuffix(u.To, "/**")
	t, _ := ParseTarget(prefix) // ParseRule has seen to it
	switch {
	case substitutes:
		m := u.From.re.FindStringSubmatch(r.Name)
		if m == nil {
			m = u.From.re.FindStringSubmatch(r.String())
		}
		return t.Join(m[1]), true
	case u.From.Literal() && t.Path != "":
		return t, true
	default:
		return t.Join(r.Name), true
	}
}

// Mapping is the pure function from a source repository to a target image. The zero value maps nothing.
type Mapping struct {
	Default TargetImage // where no rule matches, NAME becomes Default/NAME; the zero value maps nothing
	Rules   []Rule      // the first match wins
}

// ErrUnmapped says that no rule and no default covers a repository.
var ErrUnmapped = errors.New("no mapping covers this repository, and there is no default target")

// Rule returns which of the rules decides about r, counted from 0, and whether one does.
func (m Mapping) Rule(r Repository) (int, bool) {
	i := slices.IndexFunc(m.Rules, func(u Rule) bool { return u.From.MatchRepository(r) })
	return i, i >= 0
}

// Map returns the target image of r. The error says what Artifact Registry would refuse about it, or is ErrUnmapped.
func (m Mapping) Map(r Repository) (TargetImage, error) {
	for _, u := range m.Rules {
		if t, ok := u.apply(r); ok {
			return t, t.Validate()
		}
	}
	if m.Default == (TargetImage{}) {
		return TargetImage{}, ErrUnmapped
	}
	t := m.Default.Join(r.Name)
	return t, t.Validate()
}

// Targets returns every Artifact Registry repository that m can lead to, sorted. A rule's target has its repository in
// it, so that this does not depend on what the source holds.
func (m Mapping) Targets() []TargetRepository {
	var out []TargetRepository
	if m.Default != (TargetImage{}) {
		out = append(out, m.Default.Repository)
	}
	for _, u := range m.Rules {
		if t, err := ParseTarget(strings.TrimSuffix(u.To, "/**")); err == nil {
			out = append(out, t.Repository)
		}
	}
	slices.SortFunc(out, TargetRepository.Compare)
	return slices.Compact(out)
}
