// Package verify proves that everything arrived. It trusts neither the plan that was copied from, nor the journal, nor
// the results: it is given a plan made afresh from what the source holds now, and a fresh listing of the target.
//
// Vocabulary: a reference is a tag, or a digest that has no tag. It is verified when the target has it with the right
// digest. A listing proves presence; only a direct question proves absence, so what a listing does not show is a doubt,
// settled by one HEAD. A case is a reference that is missing, mismatched, excluded by a rule, or extra (only at the
// target). A deep look reads every manifest back from the target and asks for every blob that it names.
//
//	fresh inventory + rules ─ plan.Make ─→ Run ─→ verify.json
//	                                        └─ HEAD a doubt; deep: GET a manifest, HEAD a blob
package verify

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Target is Artifact Registry's data plane, to read from.
type Target interface {
	// HeadManifest returns the digest of what a tag or digest names, or an error of class registry.NotFound.
	HeadManifest(ctx context.Context, t ref.TargetImage, reference string) (digest.Digest, error)
	// Manifest reads a manifest and checks it against its digest.
	Manifest(ctx context.Context, t ref.TargetImage, d digest.Digest) (registry.Manifest, error)
	// HeadBlob returns nil where the blob is there, else an error of class registry.NotFound.
	HeadBlob(ctx context.Context, t ref.TargetImage, b registry.Blob) error
}

// DefaultConcurrency is how many questions are asked at once; the governor of the host may allow fewer.
const DefaultConcurrency = 64

// Config is what Run needs to know.
type Config struct {
	Plan        document.Plan      // what the target must hold, made afresh
	Inventory   document.Inventory // the fresh look that Plan was made from
	Target      Target
	Deep        bool                   // ask for every blob
	Previous    *document.Verification // repositories that Plan does not cover keep their last verification; may be nil
	Concurrency int                    // 0 for DefaultConcurrency
	Progress    func(Progress)         // called one call at a time; may be nil
	Now         func() time.Time
	Logger      *slog.Logger
}

// Progress is how far the look has come.
type Progress struct {
	Done, Total int // images looked at, of all
	Blobs       int // blobs asked for
}

// OK reports whether everything that is not excluded by a rule was found, and everything could be looked at.
func OK(v document.Verification) bool {
	return v.Missing == 0 && v.Mismatched == 0 && len(v.Failures) == 0
}

// Run looks. The error says that the context ended; everything else is in the verification.
func Run(ctx context.Context, c Config) (document.Verification, error) {
	if c.Concurrency <= 0 {
		c.Concurrency = DefaultConcurrency
	}
	l := &look{Config: c, listed: newListings(c.Inventory.Target)}
	for i := range c.Plan.Images {
		l.compare(&c.Plan.Images[i])
	}
	l.settle(ctx)
	if c.Deep {
		l.deep(ctx)
	}
	l.exclude()
	if err := ctx.Err(); err != nil {
		return document.Verification{}, err
	}
	return l.verification(), nil
}

// look is one run.
type look struct {
	Config
	listed listings
	images []*image
	doubts []doubt

	mu       sync.Mutex
	cases    []document.Case
	failures []document.Failure
	blobs    int
	done     int
}

// image is one image path with what was found out about it.
type image struct {
	planned *document.PlannedImage
	listed  listing
	mu      sync.Mutex
	tags    []document.VerifiedTag // verified
	plain   int                    // digests without a tag that are verified
	digests map[digest.Digest]bool // found at the target
	counts  map[document.CaseKind]int
}

// doubt is a reference that the listing does not show as it should be.
type doubt struct {
	image  *image
	digest digest.Digest
	tag    string // empty for a digest that has no tag
}

// compare finds the references of an image in the listing.
func (l *look) compare(planned *document.PlannedImage) {
	i := &image{
		planned: planned, listed: l.listed.at(planned.Target),
		digests: map[digest.Digest]bool{}, counts: map[document.CaseKind]int{},
	}
	l.images = append(l.images, i)
	for _, r := range planned.References {
		if i.listed.digests[r.Digest] {
			i.digests[r.Digest] = true
		}
		for _, tag := range r.Tags {
			if i.listed.tags[tag] == r.Digest {
				i.verified(r.Digest, tag)
			} else {
				l.doubts = append(l.doubts, doubt{i, r.Digest, tag})
			}
		}
		if len(r.Tags) == 0 {
			if i.listed.digests[r.Digest] {
				i.verified(r.Digest, "")
			} else {
				l.doubts = append(l.doubts, doubt{i, r.Digest, ""})
			}
		}
	}
	l.extras(i)
}

func (i *image) verified(d digest.Digest, tag string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.digests[d] = true
	if tag == "" {
		i.plain++
	} else {
		i.tags = append(i.tags, document.VerifiedTag{Tag: tag, Digest: d})
	}
}

// extras notes what is only at the target.
func (l *look) extras(i *image) {
	planned := map[digest.Digest]bool{}
	tags := map[string]bool{}
	for _, r := range i.planned.References {
		planned[r.Digest] = true
		for _, tag := range r.Tags {
			tags[tag] = true
		}
	}
	extra := func(d digest.Digest, tag string) {
		l.add(i, document.Case{Kind: document.CaseExtra, Tag: tag, TargetDigest: d, Cause: "no source holds it: it was pushed to the target, or deleted at the source since"})
	}
	for d := range i.listed.digests {
		if !planned[d] && !i.listed.tagged[d] {
			extra(d, "")
		}
	}
	for tag, d := range i.listed.tags {
		if !tags[tag] {
			extra(d, tag)
		}
	}
}

// add notes a case of an image.
func (l *look) add(i *image, c document.Case) {
	c.Source, c.Target = i.planned.Sources[0], i.planned.Target.String()
	i.mu.Lock()
	i.counts[c.Kind]++
	i.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cases = append(l.cases, c)
}

// fail notes what could not be looked at.
func (l *look) fail(i *image, reference string, d digest.Digest, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, document.Failure{
		Target: i.planned.Target.String() + reference, Digest: d,
		Class: string(registry.ClassOf(err)), Error: err.Error(), Hint: registry.HintOf(err),
	})
}

// step tells the progress.
func (l *look) step(images, blobs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done += images
	l.blobs += blobs
	if l.Progress != nil {
		l.Progress(Progress{Done: l.done, Total: len(l.images), Blobs: l.blobs})
	}
}

// exclude notes what rules left out. What could not be read or listed, nobody decided: it is missing.
func (l *look) exclude() {
	type image struct {
		source ref.Repository
		digest digest.Digest
	}
	tagged := map[image]bool{}
	for _, r := range l.Plan.Refused {
		if r.Tag != "" {
			tagged[image{r.Source, r.Digest}] = true
		}
	}
	for _, r := range l.Plan.Refused {
		if r.Tag == "" && r.Digest != "" && tagged[image{r.Source, r.Digest}] {
			continue // its tags are the references
		}
		c := document.Case{
			Kind: document.CaseExcluded, Source: r.Source, Target: r.Target, Tag: r.Tag, SourceDigest: r.Digest, Rule: r.Rule, Cause: r.Reason,
		}
		switch r.Rule {
		case document.RuleUnreadable:
			c.Kind = document.CaseMissing
		case document.RuleUnavailable: // among the failures of the inventory
			continue
		}
		l.cases = append(l.cases, c)
	}
}

// verification puts everything together.
func (l *look) verification() document.Verification {
	v := document.Verification{
		Header: document.NewHeader(document.KindVerification, l.Plan.Migration), Scope: l.Plan.Scope, Deep: l.Deep,
		Cases: l.cases, Failures: append(l.failures, l.Inventory.Failures...), Blobs: l.blobs,
	}
	if v.Cases == nil {
		v.Cases = []document.Case{}
	}
	if v.Failures == nil {
		v.Failures = []document.Failure{}
	}
	refused := map[ref.Repository]map[document.CaseKind]int{}
	for _, c := range v.Cases {
		switch c.Kind {
		case document.CaseMissing:
			v.Missing++
		case document.CaseMismatched:
			v.Mismatched++
		case document.CaseExcluded:
			v.Excluded++
		case document.CaseExtra:
			v.Extra++
		}
		if c.Rule != "" {
			if refused[c.Source] == nil {
				refused[c.Source] = map[document.CaseKind]int{}
			}
			refused[c.Source][c.Kind]++
		}
	}
	for _, i := range l.images {
		v.Verified += len(i.tags) + i.plain
	}
	v.Repositories = l.repositories(refused)
	slices.SortFunc(v.Cases, compareCases)
	slices.SortFunc(v.Failures, func(a, b document.Failure) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Error, b.Error))
	})
	return v
}

func compareCases(a, b document.Case) int {
	return cmp.Or(
		cmp.Compare(kindOrder(a.Kind), kindOrder(b.Kind)), a.Source.Compare(b.Source), cmp.Compare(a.Target, b.Target),
		cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.SourceDigest, b.SourceDigest), cmp.Compare(a.TargetDigest, b.TargetDigest), cmp.Compare(a.Blob, b.Blob),
	)
}

// kindOrder puts what must be looked at first.
func kindOrder(k document.CaseKind) int {
	return slices.Index([]document.CaseKind{document.CaseMissing, document.CaseMismatched, document.CaseExcluded, document.CaseExtra}, k)
}
