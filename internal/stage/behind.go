package stage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Reference is a tag of an image, or an image without tags, that the target shall hold.
type Reference struct {
	Source   ref.Repository
	Target   ref.TargetImage
	Tag      string // empty for an image without tags
	Digest   digest.Digest
	PushedAt time.Time // of the image, as ECR says; the zero value where it does not
}

// Behind are the references of a plan that the target does not hold as they should be, as the inventory says that the plan
// was made from, in the plan's order. A tag that somebody else moved at the target is not among them: it is kept. It is for
// a pipeline that follows.
func (p *Pipeline) Behind(made document.Plan, inv document.Inventory) []Reference {
	listed := newTargetIndex(inv.Target)
	kept := map[document.Tag]bool{}
	for _, t := range made.Difference.ForeignTags {
		kept[t] = !p.memory.hints.Wrote(t.Target, t.Tag, t.Digest)
	}
	var out []Reference
	for _, image := range made.Images {
		for _, r := range referencesOf(image, inv.Source.Images) {
			at := listed.at(r)
			switch {
			case at == r.Digest:
			case r.Tag != "" && at != "" && kept[document.Tag{Target: image.Target, Tag: r.Tag, Digest: at}]:
			default:
				out = append(out, r)
			}
		}
	}
	return out
}

// referencesOf are those of one planned image.
func referencesOf(image document.PlannedImage, images []document.SourceImage) []Reference {
	var out []Reference
	for _, planned := range image.References {
		r := Reference{Target: image.Target, Digest: planned.Digest}
		if planned.Source >= 0 && planned.Source < len(image.Sources) {
			r.Source = image.Sources[planned.Source]
		}
		if i, ok := slices.BinarySearchFunc(images, r, func(i document.SourceImage, r Reference) int {
			return cmp.Or(i.URI.Compare(r.Source), cmp.Compare(i.Digest, r.Digest))
		}); ok {
			r.PushedAt = images[i].PushedAt
		}
		if len(planned.Tags) == 0 {
			out = append(out, r)
		}
		for _, tag := range planned.Tags {
			r.Tag = tag
			out = append(out, r)
		}
	}
	return out
}

// questions is how many references are asked for at once; the governor of the host may allow fewer.
const questions = 32

// Check asks the target for each reference, one HEAD each, and returns what it holds there: nothing where it holds
// nothing. The errors are of those that could not be asked for, each at its place.
func (p *Pipeline) Check(ctx context.Context, refs []Reference) ([]digest.Digest, []error) {
	at, errs := make([]digest.Digest, len(refs)), make([]error, len(refs))
	var g errgroup.Group
	g.SetLimit(questions)
	for n, r := range refs {
		g.Go(func() error {
			d, err := p.Target.HeadManifest(ctx, r.Target, cmp.Or(r.Tag, r.Digest.String()))
			if registry.IsClass(err, registry.NotFound) {
				d, err = "", nil
			}
			at[n], errs[n] = d, err
			return nil
		})
	}
	_ = g.Wait() // each keeps its own error
	return at, errs
}
