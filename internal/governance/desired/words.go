package desired

import (
	"fmt"
	"strconv"
	"strings"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
)

// Words say what a clean-up policy does, such as "delete untagged images older than 14 days".
func Words(p document.CleanupPolicy) string {
	verb := "keep"
	if p.Action == document.CleanupDelete {
		verb = "delete"
	}
	if m := p.MostRecent; m != nil {
		return fmt.Sprintf("%s the newest %d of each image path%s", verb, m.KeepCount, beginning(" that begins with ", m.PackagePrefixes))
	}
	c := p.Condition
	if c == nil {
		return verb + " nothing"
	}
	var b strings.Builder
	b.WriteString(verb)
	switch {
	case c.TagState == document.Untagged:
		b.WriteString(" untagged images")
	case c.TagState == document.Tagged && len(c.TagPrefixes) == 0:
		b.WriteString(" tagged images")
	default:
		b.WriteString(" images")
	}
	b.WriteString(beginning(" tagged ", c.TagPrefixes))
	b.WriteString(beginning(" with a digest ", c.VersionPrefixes))
	b.WriteString(beginning(" in ", c.PackagePrefixes))
	if c.OlderThan > 0 {
		b.WriteString(" older than " + cleanup.Age(c.OlderThan))
	}
	if c.NewerThan > 0 {
		b.WriteString(" newer than " + cleanup.Age(c.NewerThan))
	}
	return b.String()
}

// beginning names prefixes, of which one is enough.
func beginning(with string, prefixes []string) string {
	if len(prefixes) == 0 {
		return ""
	}
	quoted := make([]string, 0, len(prefixes))
	for _, p := range prefixes {
		quoted = append(quoted, strconv.Quote(p+"*"))
	}
	return with + strings.Join(quoted, " or ")
}
