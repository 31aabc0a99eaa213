package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// What to do. A copy does what the plan of the workspace says, which may be older than what this look expects.
const (
	copyAgain = `run "transship copy", or "transship migrate" where the source has changed since the plan`
	planAgain = `run "transship migrate", which makes a new plan and copies`
	overwrite = `"transship copy" keeps it there, "transship copy --overwrite" moves the tag`
)

// explain gives the cases that doubts became their likely causes.
func (i *image) explain(before map[ref.Repository]*document.VerifiedRepository) {
	for n := range i.cases {
		c := &i.cases[n]
		switch {
		case c.Cause != "":
		case c.Kind == document.CaseMissing:
			c.Cause = i.whyMissing(*c, before[c.Source])
		default:
			c.Cause = i.whyOther(*c, before[c.Source])
		}
	}
}

// whyMissing is the likely cause of an absence.
func (i *image) whyMissing(c document.Case, old *document.VerifiedRepository) string {
	switch {
	case !i.listed.exists:
		return `the repository does not exist at the target: run "transship provision", then "transship copy"`
	case holds(old, c.Tag, c.SourceDigest):
		return fmt.Sprintf("it was there %s, and was deleted at the target since: %s", at(old), copyAgain)
	case c.Tag != "" && i.digests[c.SourceDigest]:
		return "its image is there, the tag is not: it was deleted at the target, or set at the source since the copy: " + copyAgain
	}
	return "it was never copied, deleted at the target, or pushed to the source since the copy: " + copyAgain
}

// whyOther is the likely cause of a tag that points elsewhere.
func (i *image) whyOther(c document.Case, old *document.VerifiedRepository) string {
	what, known := i.known(c.TargetDigest)
	switch {
	case holds(old, c.Tag, c.TargetDigest):
		return fmt.Sprintf("the tag was moved at the source since %s, when it was %s on both sides: %s", at(old), c.TargetDigest, planAgain)
	case known && (i.digests[c.SourceDigest] || holds(old, c.Tag, c.SourceDigest)):
		return fmt.Sprintf("the tag was moved at the target to an image that the source repository also holds (%s), or moved at the source since the copy: %s", what, copyAgain)
	case known:
		return fmt.Sprintf("the tag was moved at the source since the copy: at the target it is still at an image that the source repository also holds (%s), and the new one is not there: %s", what, planAgain)
	case holds(old, c.Tag, c.SourceDigest):
		return fmt.Sprintf("somebody pushed another image there since %s: %s", at(old), overwrite)
	}
	return "somebody pushed another image there, or the source has since deleted what was copied: " + overwrite
}

// known describes an image of the sources: its digest and the first of its tags.
func (i *image) known(d digest.Digest) (string, bool) {
	var tags []string
	r := i.reference(d)
	if r != nil {
		tags = r.Tags
	}
	if n := i.holder(d, ""); n >= 0 && len(tags) == 0 {
		tags = i.held()[n][d].Tags
	} else if r == nil && n < 0 {
		return "", false
	}
	if len(tags) == 0 {
		return d.String() + ", untagged", true
	}
	return d.String() + ", tagged " + strings.Join(tags[:min(3, len(tags))], ", "), true
}

// holds reports whether the last verification found a reference.
func holds(old *document.VerifiedRepository, tag string, d digest.Digest) bool {
	switch {
	case old == nil:
		return false
	case tag == "":
		return slices.Contains(old.Digests, d)
	}
	return slices.Contains(old.Tags, document.VerifiedTag{Tag: tag, Digest: d})
}

func at(old *document.VerifiedRepository) string {
	return old.VerifiedAt.UTC().Format(time.DateOnly + " at 15:04 UTC")
}
