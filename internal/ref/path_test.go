package ref

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// The pattern of ECR's API model says the same.
func TestPathsAreThoseOfThePattern(t *testing.T) {
	pattern := regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a0._/-]{0,9}.?`).Draw(t, "path")
		if isPath(s) != pattern.MatchString(s) {
			t.Errorf("%q: %v", s, isPath(s))
		}
	})
}

func TestTagsAreThoseOfThePattern(t *testing.T) {
	pattern := regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z0-9_.-]{0,3}`), rapid.StringMatching(`v[0-9._-]{126,129}`)).Draw(t, "tag")
		if got := ValidTag(s); got != pattern.MatchString(s) {
			t.Errorf("%q: %t", s, got)
		}
	})
}
