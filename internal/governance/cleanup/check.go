// Package cleanup is the clean-up policies of Artifact Registry: whether it would take them, and what they do to
// versions.
//
// A version is a manifest of a package, which is an image path of the repository. A policy deletes or keeps what its
// condition covers; what any policy keeps stays. What nobody has confirmed of that is a Variant. FACTS B2, B6 and F3.
package cleanup

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"transship/internal/document"
)

// The limits of Artifact Registry. FACTS B2, B4; of durations, those of protobuf.
const (
	MaxPolicies = 10                       // of a repository
	MaxID       = 127                      // characters
	MaxAge      = 3_652_500 * document.Day // ten thousand years
	MaxKeep     = math.MaxInt32            // versions
)

// Prefix is how the ids of our own policies begin.
const Prefix = "transship-"

// Ours tells whether a policy is one that Transship made.
func Ours(p document.CleanupPolicy) bool { return strings.HasPrefix(p.ID, Prefix) }

// Check says what Artifact Registry would refuse of the policies of one repository, or what would make one of them
// cover nothing.
func Check(policies []document.CleanupPolicy) error {
	var all []error
	if len(policies) > MaxPolicies {
		all = append(all, fmt.Errorf("there are %d clean-up policies, and Artifact Registry takes no more than %d for a repository: "+
			"divide its images among several repositories", len(policies), MaxPolicies))
	}
	seen := map[string]bool{}
	for _, p := range policies {
		for _, wrong := range problems(p) {
			all = append(all, fmt.Errorf("clean-up policy %q: %s: change the policy, or leave it out", p.ID, wrong))
		}
		if seen[p.ID] {
			all = append(all, fmt.Errorf("clean-up policy %q stands there twice: give one another id", p.ID))
		}
		seen[p.ID] = true
	}
	return errors.Join(all...)
}

// problems is what is wrong with one policy.
func problems(p document.CleanupPolicy) (out []string) {
	wrong := func(is bool, format string, a ...any) {
		if is {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	wrong(p.ID == "" || len(p.ID) > MaxID, "an id has 1 to %d characters", MaxID)
	wrong(p.Action != document.CleanupDelete && p.Action != document.CleanupKeep, "the action is %q, not DELETE or KEEP", p.Action)
	wrong((p.Condition == nil) == (p.MostRecent == nil), "it has either a condition or most recent versions")
	if m := p.MostRecent; m != nil {
		wrong(p.Action != document.CleanupKeep, "most recent versions can only be kept")
		wrong(m.KeepCount < 1 || m.KeepCount > MaxKeep, "it keeps %d versions, not 1 to %d", m.KeepCount, MaxKeep)
		wrong(slices.Contains(m.PackagePrefixes, ""), "a prefix is empty")
	}
	c := p.Condition
	if c == nil {
		return out
	}
	prefixes := slices.Concat(c.TagPrefixes, c.VersionPrefixes, c.PackagePrefixes)
	wrong(len(prefixes) == 0 && c.TagState == "" && c.OlderThan == 0 && c.NewerThan == 0, "its condition is empty")
	wrong(slices.Contains(prefixes, ""), "a prefix is empty")
	states := []string{"", document.Tagged, document.Untagged, document.AnyTags}
	wrong(!slices.Contains(states, c.TagState), "the tag state is %q, not TAGGED, UNTAGGED or ANY", c.TagState)
	wrong(len(c.TagPrefixes) > 0 && c.TagState != document.Tagged, "only with the tag state TAGGED it can have prefixes of tags")
	for _, age := range []document.Seconds{c.OlderThan, c.NewerThan} {
		wrong(age < 0 || age > MaxAge, "an age of %d seconds is not between 0 and ten thousand years", age)
	}
	wrong(c.NewerThan != 0 && c.OlderThan >= c.NewerThan, "nothing is older and newer than that")
	return out
}
