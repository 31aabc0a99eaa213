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
