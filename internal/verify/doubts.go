package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/registry"
)

// settle asks once for each doubt. Where the target's repository does not exist, there is nobody to ask.
func (l *look) settle(ctx context.Context) {
	var g errgroup.Group
	g.SetLimit(l.Concurrency)
	for _, d := range l.doubts {
		g.Go(func() error {
			l.ask(ctx, d)
			return nil
		})
	}
	_ = g.Wait() // what cannot be asked is noted
	if !l.Deep {
		l.step(len(l.images), 0)
	}
}

func (l *look) ask(ctx context.Context, d doubt) {
	if !d.image.listed.exists {
		l.missing(d, `the repository does not exist at the target: run "transship provision", then "transship copy"`)
		return
	}
	found, err := l.Target.HeadManifest(ctx, d.image.planned.Target, cmp.Or(d.tag, d.digest.String()))
	switch {
	case err == nil && found == d.digest:
		d.image.verified(d.digest, d.tag)
	case err == nil:
		l.add(d.image, document.Case{
			Kind: document.CaseMismatched, Tag: d.tag, SourceDigest: d.digest, TargetDigest: found, Cause: d.image.whyOther(found),
		})
	case registry.IsClass(err, registry.NotFound):
		l.missing(d, d.whyMissing())
	case registry.IsClass(err, registry.NoRepository):
		l.missing(d, `the repository does not exist at the target: run "transship provision", then "transship copy"`)
	default:
		l.fail(d.image, suffix(d.tag, d.digest), d.digest, err)
	}
}

func (l *look) missing(d doubt, cause string) {
	l.add(d.image, document.Case{Kind: document.CaseMissing, Tag: d.tag, SourceDigest: d.digest, Cause: cause})
}

// whyMissing is the likely cause of an absence.
func (d doubt) whyMissing() string {
	if d.tag != "" && d.image.listed.digests[d.digest] {
		return `its image is there, the tag is not: it was deleted at the target, or set at the source since the copy; run "transship plan" and "transship copy"`
	}
	return `it was never copied, deleted at the target, or pushed to the source since the copy: run "transship plan" and "transship copy"`
}

// whyOther is the likely cause of a tag that points at found.
func (i *image) whyOther(found digest.Digest) string {
	n := slices.IndexFunc(i.planned.References, func(r document.PlannedReference) bool { return r.Digest == found })
	if n < 0 {
		return `somebody pushed another image there: "transship copy" keeps it, "transship copy --overwrite" moves the tag`
	}
	also := "which has no tag there"
	if tags := i.planned.References[n].Tags; len(tags) > 0 {
		also = "tagged " + strings.Join(tags[:min(3, len(tags))], ", ")
	}
	return fmt.Sprintf(`it points at another image of the source repository (%s): it was moved at the target, or at the source since the copy; run "transship plan" and "transship copy"`, also)
}

func suffix(tag string, d digest.Digest) string {
	if tag != "" {
		return ":" + tag
	}
	return "@" + d.String()
}
