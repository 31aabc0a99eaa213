// Package lifecycle reads lifecycle policies of ECR and says what they do to images.
//
// A policy has rules; each selects images by their tags and by their storage class, counts their age or their number,
// and expires or archives them. A rule that is not understood has a Problem and stands for whatever it may mean: it
// keeps the images that it selects, all of them where it does not say which, and shields them from the rules behind it.
// So ECR is never taken for deleting what it may keep. FACTS C1 [D] is what the package relies on.
package lifecycle

import (
	"fmt"
	"strings"
)

// Policy is a document as ECR keeps it.
type Policy struct {
	Rules []Rule // by priority; the first that selects an image decides over it
	// Problems are sentences: why the rules cannot be applied in an order. Such a policy expires nothing here.
	Problems []string
}

// Rule is one rule of a policy.
type Rule struct {
	Priority    int // 0 where it cannot be read
	Description string
	TagStatus   TagStatus
	Patterns    []Pattern // with Tagged: an image has a tag for each of them; prefixes are patterns, too
	Archive     bool      // it selects what lies in the archive; otherwise what does not
	Count       CountType
	Number      int // of days or images
	Transition  bool
	Problem     string // a sentence: why it is not understood; empty where it is
	// Blind is true where it is not even understood which images the rule selects. It may be any.
	Blind bool
}

// TagStatus is which images a rule looks at.
type TagStatus string

// The tag statuses. FACTS C1 [D].
const (
	Tagged   TagStatus = "tagged"
	Untagged TagStatus = "untagged"
	Any      TagStatus = "any"
)

// CountType is what a rule counts.
type CountType string

// The count types. FACTS C1 [D].
const (
	MoreThan          CountType = "imageCountMoreThan"
	SincePushed       CountType = "sinceImagePushed"
	SincePulled       CountType = "sinceImagePulled"       // with transition only
	SinceTransitioned CountType = "sinceImageTransitioned" // with expire and the archive only
)

// The limits of ECR. FACTS A1, A2, C1.
const (
	MaxText         = 30720 // characters
	MaxRules        = 50
	MaxWildcards    = 4  // in a pattern
	MinArchivedDays = 90 // before a rule may expire what is archived
)

// Select tells whether an image with those tags meets the tagging requirements of the rule.
func (r Rule) Select(tags []string) bool {
	if r.Blind {
		return true
	}
	switch r.TagStatus {
	case Any:
		return true
	case Untagged:
		return len(tags) == 0
	}
	for _, p := range r.Patterns {
		if !p.matchAny(tags) {
			return false
		}
	}
	return len(tags) > 0
}

// Words says what the rule does, for people.
func (r Rule) Words() string {
	if r.Problem != "" {
		return "a rule that is not understood"
	}
	what := r.Images()
	verb := "delete"
	if r.Transition {
		verb = "archive"
	}
	switch r.Count {
	case MoreThan:
		return fmt.Sprintf("of %s keep the newest %s, %s the rest", what, grouped(r.Number), verb)
	case SincePulled:
		return fmt.Sprintf("%s %s not pulled for %s", verb, what, days(r.Number))
	case SinceTransitioned:
		return fmt.Sprintf("%s %s archived for more than %s", verb, what, days(r.Number))
	default:
		return fmt.Sprintf("%s %s older than %s", verb, what, days(r.Number))
	}
}

// Images says which images the rule selects, for people.
func (r Rule) Images() string {
	switch {
	case r.Blind || r.TagStatus == Any:
		return "all images"
	case r.TagStatus == Untagged:
		return "untagged images"
	}
	texts := make([]string, len(r.Patterns))
	for i, p := range r.Patterns {
		texts[i] = string(p)
	}
	return "images tagged " + strings.Join(texts, " and ")
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return grouped(n) + " days"
}

// grouped writes a number with a comma between thousands.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
