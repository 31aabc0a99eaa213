// Package proved knows which images are at the target: from what verify found, or from a list that a person vouches for.
//
// Vocabulary: Known is the oracle of the rewriter. A repository is whole when nothing of it is missing, differs or was left
// out, so that whatever a variable tag stands for is there. It is stale when it was copied again after verify looked. The
// way Back leads from a name at the target to the source repository.
//
//	verify.json, results.json ─ FromVerification ─┐
//	--migrated FILE ─ ReadList ─ FromList ────────┴─→ Known ─ Ask ─→ Answer
//	                                                    └──── Back ─→ source repository
package proved

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// Options say where names lead.
type Options struct {
	// RewriteTo takes the place of the migration's default target in every name; the zero value changes none. What rules
	// map elsewhere stays there.
	RewriteTo ref.TargetImage
}

// Copy is one that ended, and what it was of.
type Copy struct {
	EndedAt time.Time
	Match   func(ref.Repository) bool
}

// Known is what is known to be at the target. It implements mention.Oracle and is safe for concurrent use.
type Known struct {
	sources      []ref.Registry
	repositories map[ref.Repository]*repository
	back         map[string][]*repository // by the name at the target
	extra        map[string]*extras       // likewise, of what is only there
	looked       time.Time                // when verify looked last; zero where a list vouches
	general      ref.TargetImage          // where all repositories lead; the zero value where rules lead some elsewhere
}

// repository is what is known of one source repository.
type repository struct {
	source   ref.Repository
	target   ref.TargetImage
	listed   bool // a person vouches for all of it
	copied   time.Time
	verified time.Time
	tags     []document.VerifiedTag // sorted
	digests  []digest.Digest        // sorted
	cases    []document.Case
	partial  string // why it is not whole; empty where it is
}

// extras are the tags and digests that only the target has.
type extras struct {
	tags    map[string]bool
	digests map[digest.Digest]bool
}

// errNoDefault says why a prefix cannot be replaced.
var errNoDefault = errors.New("the migration has no default target, whose place another prefix could take")

// FromVerification knows what verify found. It is an error where every repository was copied again since.
func FromVerification(v document.Verification, copies []Copy, o Options) (*Known, error) {
	place, err := o.place(v.Migration.Target)
	if err != nil {
		return nil, err
	}
	k := newKnown(v.Migration.Sources)
	if t, err := ref.ParseTarget(v.Migration.Target); err == nil && v.Migration.Mapping == "" {
		k.general = place(t)
	}
	stale := 0
	var copied time.Time
	for _, r := range v.Repositories {
		if old := k.repositories[r.Source]; old != nil && old.verified.After(r.VerifiedAt) {
			continue
		}
		known := &repository{source: r.Source, target: place(r.Target), verified: r.VerifiedAt, tags: r.Tags, digests: r.Digests}
		if n := r.Missing + r.Mismatched; n > 0 {
			known.partial = fmt.Sprintf("verify found %d of its images missing or different at the target", n)
		} else if r.Excluded > 0 {
			known.partial = fmt.Sprintf("the copy left out %d of its images", r.Excluded)
		}
		for _, c := range copies {
			if c.EndedAt.After(r.VerifiedAt) && c.Match(r.Source) {
				known.copied = c.EndedAt
			}
		}
		if !known.copied.IsZero() {
			stale++
			copied = known.copied
		}
		k.repositories[r.Source] = known
		if r.VerifiedAt.After(k.looked) {
			k.looked = r.VerifiedAt
		}
	}
	if stale > 0 && stale == len(v.Repositories) {
		return nil, fmt.Errorf(`it is of %s, and older than the last copy, which ended %s: run "transship verify"`, day(k.looked), day(copied))
	}
	k.addCases(v, place)
	k.turn()
	return k, nil
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func newKnown(sources []ref.Registry) *Known {
	return &Known{
		sources: slices.Clone(sources), repositories: map[ref.Repository]*repository{}, back: map[string][]*repository{}, extra: map[string]*extras{},
	}
}

// addCases adds what is not verified to the repositories that it is of, and keeps apart what is only at the target.
func (k *Known) addCases(v document.Verification, place func(ref.TargetImage) ref.TargetImage) {
	for _, c := range v.Cases {
		if c.Kind == document.CaseExtra {
			if t, err := ref.ParseTarget(c.Target); err == nil {
				k.addExtra(place(t).String(), c)
			}
			continue
		}
		r := k.repositories[c.Source]
		if r == nil { // nothing of it is at the target
			r = &repository{source: c.Source, partial: "verify found nothing of it at the target"}
			k.repositories[c.Source] = r
		}
		r.cases = append(r.cases, c)
	}
	for _, f := range v.Failures {
		for _, r := range k.repositories {
			if name := r.source.String(); f.Source == name || strings.HasPrefix(f.Source, name+":") || strings.HasPrefix(f.Source, name+"@") {
				r.partial = "verify could not look at all of it"
			}
		}
	}
}

func (k *Known) addExtra(name string, c document.Case) {
	e := k.extra[name]
	if e == nil {
		e = &extras{tags: map[string]bool{}, digests: map[digest.Digest]bool{}}
		k.extra[name] = e
	}
	if c.Tag != "" {
		e.tags[c.Tag] = true
	} else {
		e.digests[c.TargetDigest] = true
	}
}

// turn makes the way back.
func (k *Known) turn() {
	for _, r := range k.repositories {
		if r.target != (ref.TargetImage{}) {
			k.back[r.target.String()] = append(k.back[r.target.String()], r)
		}
	}
	for _, list := range k.back {
		slices.SortFunc(list, func(a, b *repository) int { return a.source.Compare(b.source) })
	}
}

// place is how a target is written: with the other prefix, where there is one.
func (o Options) place(target string) (func(ref.TargetImage) ref.TargetImage, error) {
	if o.RewriteTo == (ref.TargetImage{}) {
		return func(t ref.TargetImage) ref.TargetImage { return t }, nil
	}
	old, err := ref.ParseTarget(target)
	if err != nil {
		return nil, errNoDefault
	}
	return func(t ref.TargetImage) ref.TargetImage {
		rest, ok := strings.CutPrefix(t.Path+"/", old.Path+"/")
		if old.Path == "" {
			rest, ok = t.Path+"/", true
		}
		if t.Repository != old.Repository || !ok {
			return t
		}
		return o.RewriteTo.Join(strings.TrimSuffix(rest, "/"))
	}, nil
}

// Sources are the registries of the migration.
func (k *Known) Sources() []ref.Registry { return k.sources }

// Ask says what became of a name.
func (k *Known) Ask(n references.Name) mention.Answer {
	r := k.repositories[n.Repository]
	if r == nil {
		a := mention.Answer{Verdict: mention.NotMoved, Why: "its repository is not part of what was copied and verified"}
		if k.general != (ref.TargetImage{}) {
			a.Target = k.general.Join(n.Repository.Name)
		}
		return a
	}
	a := mention.Answer{Verdict: mention.Unverified, Target: r.target}
	switch {
	case r.listed:
		a.Verdict = mention.Proved
		return a
	case r.target == (ref.TargetImage{}):
		a.Why = cmp.Or(r.cause(n), r.partial)
		return a
	case !r.copied.IsZero():
		a.Why = fmt.Sprintf("its repository was copied again, until %s, after verify looked at it on %s", day(r.copied), day(r.verified))
		return a
	}
	switch {
	case n.Digest != "":
		a.Digest = n.Digest
		if _, ok := slices.BinarySearch(r.digests, n.Digest); !ok {
			a.Why = cmp.Or(r.cause(n), fmt.Sprintf("the digest was not at the source when verify looked on %s", day(r.verified)))
			return a
		}
	case n.Tag != "":
		i, ok := slices.BinarySearchFunc(r.tags, n.Tag, func(t document.VerifiedTag, tag string) int { return cmp.Compare(t.Tag, tag) })
		if !ok {
			a.Why = cmp.Or(r.cause(n), fmt.Sprintf("the source had no such tag when verify looked on %s", day(r.verified)))
			return a
		}
		a.Digest = r.tags[i].Digest
	case r.partial != "":
		a.Why = "it has no fixed tag, and " + r.partial
		return a
	}
	a.Verdict = mention.Proved
	return a
}

// cause is why a tag or a digest is not verified, where verify said so.
func (r *repository) cause(n references.Name) string {
	for _, c := range r.cases {
		if n.Digest != "" && c.SourceDigest == n.Digest || n.Digest == "" && n.Tag != "" && c.Tag == n.Tag {
			return "verify says that it is " + string(c.Kind) + ": " + c.Cause
		}
	}
	return ""
}
