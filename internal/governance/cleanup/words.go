package cleanup

import (
	"fmt"
	"strings"

	"transship/internal/document"
)

// Words says what a policy does, for people. It does not say to which packages.
func Words(p document.CleanupPolicy) string {
	verb := strings.ToLower(p.Action)
	if p.MostRecent != nil {
		return fmt.Sprintf("%s the newest %d versions", verb, p.MostRecent.KeepCount)
	}
	c := p.Condition
	if c == nil {
		return verb + " nothing"
	}
	out := verb + " all images"
	switch c.TagState {
	case document.Tagged:
		out = verb + " tagged images"
	case document.Untagged:
		out = verb + " untagged images"
	}
	if len(c.TagPrefixes) > 0 {
		out = verb + " images tagged " + strings.Join(c.TagPrefixes, "* or ") + "*"
	}
	if len(c.VersionPrefixes) > 0 {
		out += " with digests " + strings.Join(c.VersionPrefixes, "* or ") + "*"
	}
	if c.OlderThan != 0 {
		out += " older than " + Age(c.OlderThan)
	}
	if c.NewerThan != 0 {
		out += " until they are older than " + Age(c.NewerThan)
	}
	return out
}

// Age says a number of seconds to people: in days where it is some.
func Age(s document.Seconds) string {
	switch {
	case s == document.Day:
		return "1 day"
	case s%document.Day == 0:
		return fmt.Sprintf("%d days", s/document.Day)
	default:
		return fmt.Sprintf("%d seconds", s)
	}
}
