package retention

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
)

// template is a clean-up policy without its packages. Those that are equal become one policy.
type template struct {
	action string
	selector
	older, newer document.Seconds
	newest       int // images to keep of each package, as the rule says it; 0 in a template with a condition
}

// id says what the policy does, in characters that any id may have. It stays the same whatever packages come and go.
func (t template) id() string {
	if t.newest > 0 {
		return fmt.Sprintf("%skeep-newest-%d", cleanup.Prefix, t.newest)
	}
	what := strings.ToLower(t.state)
	if t.prefix != "" {
		what = "tag-" + slug(t.prefix)
	}
	age := "always"
	if s := max(t.older, t.newer); s > 0 {
		age = fmt.Sprintf("%dd", s/document.Day)
	}
	return cleanup.Prefix + strings.ToLower(t.action) + "-" + what + "-" + age
}

var plain = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// slug writes a prefix of tags in lower-case letters, digits and hyphens. One that is changed gets a mark of its own.
func slug(s string) string {
	if plain.MatchString(s) {
		return s
	}
	out := strings.Map(func(r rune) rune {
		if plain.MatchString(string(r)) {
			return r
		}
		return '-'
	}, strings.ToLower(s))
	return fmt.Sprintf("%.40s-%x", out, sha256.Sum256([]byte(s)))[:min(len(out), 40)+9]
}

// policy is the template for packages whose names begin so. Keep is how many versions a template of the newest keeps.
func (t template) policy(packages []string, keep int) document.CleanupPolicy {
	p := document.CleanupPolicy{ID: t.id(), Action: t.action}
	if t.newest > 0 {
		p.MostRecent = &document.MostRecent{PackagePrefixes: packages, KeepCount: keep}
		return p
	}
	p.Condition = &document.CleanupCondition{TagState: t.state, PackagePrefixes: packages, OlderThan: t.older, NewerThan: t.newer}
	if t.prefix != "" {
		p.Condition.TagPrefixes = []string{t.prefix}
	}
	return p
}

func compareTemplates(a, b template) int { return cmp.Compare(a.id(), b.id()) }

// templatesOf is the templates of all parts, sorted, each once.
func templatesOf(parts []part) []template {
	var out []template
	for _, p := range parts {
		out = append(out, p.templates()...)
	}
	slices.SortFunc(out, compareTemplates)
	return slices.Compact(out)
}
