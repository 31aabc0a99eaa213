package verify

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// counts are how many cases there are of each kind.
type counts map[document.CaseKind]int

// verification puts everything together.
func (l *look) verification() document.Verification {
	refused := l.refused()
	v := document.Verification{
		Header: document.NewHeader(document.KindVerification, l.Plan.Migration), Scope: l.Plan.Scope, Deep: l.Deep,
		Cases: append([]document.Case{}, refused...), Blobs: l.blobs,
		Failures: slices.Concat([]document.Failure{}, l.failures, l.Inventory.Failures, l.unlisted()),
	}
	for _, i := range l.images {
		v.Cases = append(v.Cases, i.cases...)
		v.Verified += len(i.verified)
	}
	n := counts{}
	for _, c := range v.Cases {
		n[c.Kind]++
	}
	v.Missing, v.Mismatched = n[document.CaseMissing], n[document.CaseMismatched]
	v.Excluded, v.Extra = n[document.CaseExcluded], n[document.CaseExtra]
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
		cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.SourceDigest, b.SourceDigest), cmp.Compare(a.TargetDigest, b.TargetDigest),
		cmp.Compare(a.Blob, b.Blob), cmp.Compare(a.Cause, b.Cause),
	)
}

// kindOrder puts what must be looked at first.
func kindOrder(k document.CaseKind) int {
	return slices.Index([]document.CaseKind{document.CaseMissing, document.CaseMismatched, document.CaseExcluded, document.CaseExtra}, k)
}

// refused are the cases of what the plan leaves out. What rules leave out is excluded; what could not be read, nobody
// decided: it is missing. A digest that has tags is refused with each of them, and those are the references.
func (l *look) refused() []document.Case {
	type image struct {
		source ref.Repository
		digest digest.Digest
		rule   string
	}
	tagged, archived := map[image]bool{}, map[string][]digest.Digest{}
	for _, r := range l.Plan.Refused {
		if r.Tag != "" {
			tagged[image{r.Source, r.Digest, r.Rule}] = true
		} else if r.Rule == document.RuleArchived {
			archived[r.Target] = append(archived[r.Target], r.Digest)
		}
	}
	var out []document.Case
	for _, r := range l.Plan.Refused {
		if r.Rule == document.RuleUnavailable || r.Tag == "" && r.Digest != "" && tagged[image{r.Source, r.Digest, r.Rule}] {
			continue
		}
		c := document.Case{
			Kind: document.CaseExcluded, Source: r.Source, Target: r.Target, Tag: r.Tag, SourceDigest: r.Digest, Rule: r.Rule, Cause: r.Reason,
		}
		if r.Rule == document.RuleUnreadable || r.Rule == document.RuleIncomplete && !names(r.Reason, archived[r.Target]) {
			c.Kind = document.CaseMissing
		}
		out = append(out, c)
	}
	return out
}

// names reports whether a reason names one of ds: what is incomplete for the sake of an archived image was left out by
// a rule, what is incomplete otherwise was not.
func names(reason string, ds []digest.Digest) bool {
	return slices.ContainsFunc(ds, func(d digest.Digest) bool { return strings.Contains(reason, d.String()) })
}

// unlisted are failures for the sources that the plan calls unavailable and the inventory does not tell of.
func (l *look) unlisted() []document.Failure {
	told := map[string]bool{}
	for _, f := range l.Inventory.Failures {
		told[f.Source] = true
	}
	var out []document.Failure
	for _, r := range l.Plan.Refused {
		source := r.Source.String()
		if r.Rule == document.RuleUnavailable && !told[source] {
			out = append(out, document.Failure{Source: source, Class: string(registry.Unavailable), Error: r.Reason})
		}
	}
	return out
}

// repositories says for each source repository what was verified. Those that could not be looked at keep what was said
// of them before.
func (l *look) repositories(refused []document.Case) []document.VerifiedRepository {
	excluded, targets := map[ref.Repository]counts{}, map[ref.Repository]string{}
	for _, c := range refused {
		if excluded[c.Source] == nil {
			excluded[c.Source] = counts{}
		}
		excluded[c.Source][c.Kind]++
		if c.Rule != document.RuleOutOfScope {
			targets[c.Source] = c.Target
		}
	}
	covered := map[ref.Repository]bool{}
	out := []document.VerifiedRepository{}
	for _, i := range l.images {
		for n, source := range i.planned.Sources {
			covered[source] = true
			out = append(out, l.repository(i, n, excluded[source]))
		}
	}
	for source, target := range targets { // of which nothing is planned
		t, err := ref.ParseTarget(target)
		if covered[source] || err != nil || t.Path == "" {
			continue
		}
		covered[source] = true
		out = append(out, document.VerifiedRepository{
			Source: source, Target: t, VerifiedAt: l.Now().UTC(), Deep: l.Deep, Tags: []document.VerifiedTag{}, Digests: []digest.Digest{},
			Missing: excluded[source][document.CaseMissing], Excluded: excluded[source][document.CaseExcluded],
		})
	}
	for source, old := range l.before {
		if !covered[source] && l.unseen(source) {
			out = append(out, *old)
		}
	}
	slices.SortFunc(out, func(a, b document.VerifiedRepository) int {
		return cmp.Or(a.Source.Compare(b.Source), a.Target.Compare(b.Target))
	})
	return out
}

// repository is what was verified of source n of an image path. Of several sources, each has what it holds.
func (l *look) repository(i *image, n int, excluded counts) document.VerifiedRepository {
	v := document.VerifiedRepository{
		Source: i.planned.Sources[n], Target: i.planned.Target, VerifiedAt: l.Now().UTC(), Deep: l.Deep,
		Tags: []document.VerifiedTag{}, Digests: []digest.Digest{},
		Missing: excluded[document.CaseMissing], Excluded: excluded[document.CaseExcluded],
	}
	for _, t := range i.verified {
		if t.Tag != "" && i.belongs(n, t.Digest, t.Tag) {
			v.Tags = append(v.Tags, t)
		}
	}
	slices.SortFunc(v.Tags, func(a, b document.VerifiedTag) int { return cmp.Compare(a.Tag, b.Tag) })
	for _, d := range slices.Sorted(maps.Keys(i.digests)) {
		if i.belongs(n, d, "") {
			v.Digests = append(v.Digests, d)
		}
	}
	for _, c := range i.cases {
		switch {
		case c.Kind == document.CaseExtra:
			v.Extra++
		case !i.belongs(n, c.SourceDigest, c.Tag):
		case c.Kind == document.CaseMissing:
			v.Missing++
		default:
			v.Mismatched++
		}
	}
	return v
}

// belongs reports whether a reference is one of source n: it holds it, or no source lists it (a child of an index).
func (i *image) belongs(n int, d digest.Digest, tag string) bool {
	if len(i.planned.Sources) == 1 {
		return true
	}
	s := i.held()[n][d]
	return s != nil && (tag == "" || slices.Contains(s.Tags, tag)) || i.holder(d, tag) < 0
}

// unseen reports whether this look could not see a source: the scope leaves it out, it could not be listed, or it is
// gone, so that nobody can verify it again.
func (l *look) unseen(source ref.Repository) bool {
	if scope, err := l.Plan.Scope.Parse(); err != nil || !scope.Match(source) {
		return true
	}
	return slices.ContainsFunc(l.Plan.Refused, func(r document.Refusal) bool {
		return r.Rule == document.RuleUnavailable && r.Source.Registry == source.Registry && (r.Source.Name == source.Name || r.Source.Name == "")
	}) || !slices.ContainsFunc(l.Inventory.Source.Repositories, func(r document.SourceRepository) bool { return r.URI == source })
}
