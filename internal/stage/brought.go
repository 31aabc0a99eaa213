package stage

import (
	"errors"
	"fmt"
	"slices"

	"transship/internal/document"
	"transship/internal/registry"
)

// why is what the copy says of a reference that is not there.
func (b *bring) why(r Reference) error {
	for _, f := range b.results.Failures {
		if f.Digest == r.Digest && (f.Tag == r.Tag || f.Tag == "") {
			return fmt.Errorf("%s (%s)", f.Error, f.Hint)
		}
	}
	for _, t := range b.results.Kept {
		if t.Target == r.Target && t.Tag == r.Tag {
			return errKept
		}
	}
	for _, t := range b.results.Gone {
		if t.Target == r.Target && t.Digest == r.Digest {
			return errGone
		}
	}
	return errors.New("the target does not show it after the copy (the next run looks again)")
}

var (
	errKept = errors.New("somebody else moved the tag at the target: it is kept")
	errGone = errors.New("it was deleted at the source meanwhile")
)

// settle says what became of a look.
func (b *bring) settle(o *Brought) {
	if err := b.failed[o.Repository]; err != nil {
		o.Outcome, o.Reason = Failed, err.Error()
		return
	}
	found := false
	for _, i := range b.images[o.Repository] {
		if i.Digest != o.Digest && (o.Tag == "" || !slices.Contains(i.Tags, o.Tag)) {
			continue
		}
		found = true
		if o.Tag == "" || slices.Contains(i.Tags, o.Tag) {
			o.PushedAt = i.PushedAt
		}
	}
	if !found {
		o.Outcome = Gone
		return
	}
	o.Outcome = LeftOut
	for r, before := range b.right {
		if b.names(*o, r) {
			o.Outcome, o.Copied = Arrived, o.Copied || !before
		}
	}
	for r, err := range b.wrong {
		switch {
		case !b.names(*o, r):
		case registry.IsClass(err, registry.NoRepository):
			o.Outcome, o.Reason = Waiting, err.Error()
			return
		case errors.Is(err, errKept), errors.Is(err, errGone):
			o.Outcome, o.Reason = LeftOut, err.Error()
			return
		default:
			o.Outcome, o.Reason = Failed, err.Error()
			return
		}
	}
	if o.Outcome == LeftOut {
		b.refused(o)
	}
}

// names reports whether r is what the look is about: of its digest, whatever the tag, or its tag, whatever the digest.
func (b *bring) names(o Brought, r Reference) bool {
	return r.Source == o.Repository && (r.Digest == o.Digest || o.Tag != "" && r.Tag == o.Tag)
}

// refused says why the plan has nothing of a look. What could not be read is a failure; the rest is a rule.
func (b *bring) refused(o *Brought) {
	for _, r := range b.made.Refused {
		if r.Source != o.Repository || r.Digest != "" && r.Digest != o.Digest && r.Tag != o.Tag {
			continue
		}
		o.Reason = r.Reason
		if r.Rule == document.RuleUnreadable || r.Rule == document.RuleUnavailable || r.Rule == document.RuleIncomplete {
			o.Outcome = Failed
		}
		return
	}
}
