package lifecycle

import "strings"

// Pattern is a tag pattern; * stands for anything.
type Pattern string

// Match tells whether a tag fits.
func (p Pattern) Match(tag string) bool {
	head, rest, wild := strings.Cut(string(p), "*")
	if !wild {
		return tag == head
	}
	tag, ok := strings.CutPrefix(tag, head)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	for _, part := range parts[:len(parts)-1] {
		_, after, found := strings.Cut(tag, part)
		if !found {
			return false
		}
		tag = after
	}
	return strings.HasSuffix(tag, parts[len(parts)-1])
}

func (p Pattern) matchAny(tags []string) bool {
	for _, t := range tags {
		if p.Match(t) {
			return true
		}
	}
	return false
}

// Head is what every tag that fits begins with.
func (p Pattern) Head() string {
	head, _, _ := strings.Cut(string(p), "*")
	return head
}

// Prefix tells whether the tags that fit are those that begin with Head: whether the pattern has one * and ends in it.
func (p Pattern) Prefix() bool { return p != "" && strings.IndexByte(string(p), '*') == len(p)-1 }

// Follows tells whether every tag that fits o fits p, too. It may miss that it is so. No tag holds a *, so only a * of
// p stands for one of o.
func (p Pattern) Follows(o Pattern) bool { return p.Match(string(o)) }

// tidy makes one * of several in a row, which mean the same.
func tidy(s string) Pattern {
	for strings.Contains(s, "**") {
		s = strings.ReplaceAll(s, "**", "*")
	}
	return Pattern(s)
}
