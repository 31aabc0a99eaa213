package stage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/plan"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/transfer"
)

// Look names an image at the source to look at: by a tag, by a digest, or by both, as an event does. What is there now is
// what counts, not what was there when somebody said so.
type Look struct {
	Repository ref.Repository
	Tag        string
	Digest     digest.Digest
}

// Outcome is what came of a Look.
type Outcome string

// The outcomes. After all but the last two there is nothing left to do.
const (
	Arrived Outcome = "arrived"  // the target holds what the source holds, as it says itself
	Gone    Outcome = "gone"     // the source does not hold it any more
	LeftOut Outcome = "left-out" // a rule leaves it out, or somebody else's tag is kept
	Waiting Outcome = "waiting"  // only a run over everything can bring it
	Failed  Outcome = "failed"
)

// Brought is what came of one Look.
type Brought struct {
	Look
	Outcome  Outcome
	Copied   bool      // it was not there before
	PushedAt time.Time // of the image, as ECR says; the zero value where there is none
	Reason   string    // of all but Arrived and Gone
}

// Bring copies what looks name, without a look at anything else, and asks the target afterwards whether it is there. It
// takes a request a repository and some more for children and for tags that point elsewhere, a request a hundred
// manifests, two a reference before the copy and one after it. It may run beside the other stages, and writes no document
// but the journal. It is for a pipeline that follows. The error is that of ctx.
func (p *Pipeline) Bring(ctx context.Context, looks []Look, h Hooks) ([]Brought, document.Results, error) {
	b := &bring{p: p.snapshot(), hooks: h, images: map[ref.Repository]map[digest.Digest]document.SourceImage{}, failed: map[ref.Repository]error{}}
	for _, l := range looks {
		b.out = append(b.out, b.admit(l))
	}
	b.describe(ctx)
	if err := b.closure(ctx); err != nil {
		return nil, document.Results{}, err
	}
	b.copy(ctx)
	if err := ctx.Err(); err != nil {
		return nil, b.results, err
	}
	for n := range b.out {
		if b.out[n].Outcome == "" {
			b.settle(&b.out[n])
		}
	}
	return b.out, b.results, nil
}

// bring is one Bring.
type bring struct {
	p       *Pipeline
	hooks   Hooks
	out     []Brought
	images  map[ref.Repository]map[digest.Digest]document.SourceImage // what the source holds, of what was asked for
	failed  map[ref.Repository]error                                  // why a repository could not be looked at
	content document.Content
	unread  []document.Failure

	made    document.Plan
	results document.Results
	right   map[Reference]bool // as the target says; true where it was so before
	wrong   map[Reference]error
}

// admit says at once what becomes of a look that only a rule decides about.
func (b *bring) admit(l Look) Brought {
	out := Brought{Look: l}
	say := func(o Outcome, reason string) Brought {
		out.Outcome, out.Reason = o, reason
		return out
	}
	if b.p.source(l.Repository.Registry) == nil {
		return say(LeftOut, "its registry is no source of this migration")
	}
	if !b.p.Rules.Scope.Match(l.Repository) {
		return say(LeftOut, "the scope leaves it out")
	}
	t, err := b.p.Rules.Mapping.Map(l.Repository)
	if err != nil {
		return say(LeftOut, err.Error())
	}
	s := b.p.Rules.Selection
	if s.Newest > 0 || s.OlderVersions > 0 || s.WithoutExpired {
		return say(Waiting, "what is selected depends on the whole repository")
	}
	if _, ok := b.p.repository(l.Repository, t); !ok {
		return say(Waiting, "the repository is new, or shares its target")
	}
	return out
}

// maxShownTags is how many tags of an image that has more are looked at where nobody named it by one of them.
const maxShownTags = 32

// describe asks the source for what the looks name.
func (b *bring) describe(ctx context.Context) {
	tags, ds, named := map[ref.Repository][]string{}, map[ref.Repository][]digest.Digest{}, map[ref.Repository]map[string]bool{}
	for _, o := range b.out {
		if o.Outcome != "" {
			continue
		}
		r := o.Repository
		if named[r] == nil {
			named[r] = map[string]bool{}
		}
		if o.Tag != "" && !named[r][o.Tag] {
			named[r][o.Tag] = true
			tags[r] = append(tags[r], o.Tag)
		}
		if o.Digest != "" && !slices.Contains(ds[r], o.Digest) {
			ds[r] = append(ds[r], o.Digest)
		}
	}
	for r := range named {
		b.ask(ctx, r, tags[r], ds[r], func(tag string) bool { return named[r][tag] })
	}
}

// ask describes images of one repository. Of one that has very many tags, only those that were named are looked at.
func (b *bring) ask(ctx context.Context, r ref.Repository, tags []string, ds []digest.Digest, named func(string) bool) {
	var source interface {
		Describe(context.Context, ref.Repository, []string, []digest.Digest) ([]document.SourceImage, error)
	}
	for _, s := range b.p.Sources {
		if s.Registry() == r.Registry {
			source = s
		}
	}
	found, err := source.Describe(ctx, r, tags, ds)
	if registry.IsClass(err, registry.NoRepository) { // it is gone, and all that was in it
		return
	}
	if err != nil {
		b.failed[r] = err
		return
	}
	if b.images[r] == nil {
		b.images[r] = map[digest.Digest]document.SourceImage{}
	}
	for _, i := range found {
		if len(i.Tags) > maxShownTags {
			some := slices.DeleteFunc(slices.Clone(i.Tags), func(tag string) bool { return !named(tag) })
			if len(some) == 0 {
				some = i.Tags[:maxShownTags]
			}
			i.Tags = some
		}
		b.images[r][i.Digest] = i
	}
}

// maxRounds bounds how far what belongs to an image is followed: indexes may be nested, and signatures signed.
const maxRounds = 16

// closure asks for what belongs to the images, until all is known. The error is that of ctx.
func (b *bring) closure(ctx context.Context) error {
	asked := map[Look]bool{}
	for range maxRounds {
		var err error
		b.content, b.unread, err = b.p.learn(ctx, b.inventory(), true, b.hooks)
		if err != nil {
			return err
		}
		missing := map[ref.Repository][]digest.Digest{}
		for r, images := range b.images {
			for _, d := range b.related(images) {
				if _, known := images[d]; !known && !asked[Look{Repository: r, Digest: d}] {
					asked[Look{Repository: r, Digest: d}] = true
					missing[r] = append(missing[r], d)
				}
			}
		}
		if len(missing) == 0 {
			return nil
		}
		for r, ds := range missing {
			b.ask(ctx, r, nil, ds, func(string) bool { return false })
		}
	}
	return nil
}

// related are the children and subjects of images.
func (b *bring) related(images map[digest.Digest]document.SourceImage) []digest.Digest {
	var out []digest.Digest
	add := func(ds ...digest.Digest) {
		for _, d := range ds {
			if d != "" {
				out = append(out, d)
			}
		}
	}
	for d, i := range images {
		add(i.Subject, b.content[d].Subject)
		for _, child := range b.content[d].Children {
			add(child.Digest)
		}
		for _, tag := range i.Tags {
			if subject, ok := registry.SubjectOfTag(tag); ok {
				add(subject)
			}
		}
	}
	return out
}

// inventory is the source as far as it was looked at.
func (b *bring) inventory() document.Inventory {
	inv := document.Inventory{
		Header: document.NewHeader(document.KindInventory, b.p.Rules.Migration), Scope: document.NewScope(b.p.Rules.Scope),
	}
	for r, images := range b.images {
		t, _ := b.p.Rules.Mapping.Map(r)
		if known, ok := b.p.repository(r, t); ok {
			inv.Source.Repositories = append(inv.Source.Repositories, known)
		}
		for _, i := range images {
			inv.Source.Images = append(inv.Source.Images, i)
		}
	}
	slices.SortFunc(inv.Source.Images, func(a, b document.SourceImage) int {
		return cmp.Or(a.URI.Compare(b.URI), cmp.Compare(a.Digest, b.Digest))
	})
	return inv
}

// copy plans for what was found, brings it, and asks whether it is there.
func (b *bring) copy(ctx context.Context) {
	inv := b.inventory()
	rules := b.p.Rules
	rules.Unread = b.unread
	b.made = plan.Make(rules, inv, b.content)
	b.right, b.wrong = map[Reference]bool{}, map[Reference]error{}
	var all []Reference
	for _, image := range b.made.Images {
		all = append(all, referencesOf(image, inv.Source.Images)...)
	}
	listing, left := b.look(ctx, all)
	if len(left) == 0 || ctx.Err() != nil {
		return
	}
	b.results = transfer.Run(ctx, transfer.Config{
		Plan: b.made, Listing: listing, Source: b.p.source, Target: b.p.Target, Holds: b.holds(ctx),
		Hints: b.p.memory.hints, Journal: b.p.memory.journal, Progress: b.hooks.Copy, Now: b.p.Now, Logger: b.p.Logger,
	})
	at, errs := b.p.Check(ctx, left)
	for n, r := range left {
		switch {
		case errs[n] != nil:
			b.wrong[r] = errs[n]
		case at[n] == r.Digest:
			b.right[r] = false
		default:
			b.wrong[r] = b.why(r)
		}
	}
}

// look asks the target for references, and returns what it holds, as a listing would say it, and which are to be copied.
func (b *bring) look(ctx context.Context, all []Reference) (document.TargetInventory, []Reference) {
	listing := document.TargetInventory{}
	var left []Reference
	have := map[Reference]bool{} // digests that a tag has shown already
	at, errs := b.p.Check(ctx, all)
	add := func(t ref.TargetImage, d digest.Digest, tags ...string) {
		listing.Images = append(listing.Images, document.TargetImage{URI: t, Digest: d, Tags: tags})
		have[Reference{Target: t, Digest: d}] = true
	}
	var doubts []Reference
	for n, r := range all {
		if errs[n] != nil {
			b.wrong[r] = errs[n]
			continue
		}
		if at[n] != "" {
			add(r.Target, at[n], tagsOf(r)...)
		}
		if at[n] == r.Digest {
			b.right[r] = true
			continue
		}
		left = append(left, r)
		if r.Tag != "" {
			doubts = append(doubts, Reference{Target: r.Target, Digest: r.Digest})
		}
	}
	doubts = slices.DeleteFunc(doubts, func(r Reference) bool { return have[r] })
	at, errs = b.p.Check(ctx, doubts)
	for n, r := range doubts {
		if errs[n] == nil && at[n] != "" {
			add(r.Target, at[n])
		}
	}
	return listing, left
}

func tagsOf(r Reference) []string {
	if r.Tag == "" {
		return nil
	}
	return []string{r.Tag}
}

// holds asks the source whether it holds what a tag at the target points at.
func (b *bring) holds(ctx context.Context) func(ref.TargetImage, digest.Digest) bool {
	return func(t ref.TargetImage, d digest.Digest) bool {
		for _, image := range b.made.Images {
			if image.Target != t {
				continue
			}
			for _, r := range image.Sources {
				b.ask(ctx, r, nil, []digest.Digest{d}, func(string) bool { return false })
				if _, ok := b.images[r][d]; ok {
					return true
				}
			}
		}
		return false
	}
}
