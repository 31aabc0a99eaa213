package estimate

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// unusedDays is after how many days without a pull an image counts as not used.
const unusedDays = 180

// used is when an image was pushed and pulled last, wherever it is listed.
type used map[ref.Repository]map[digest.Digest]times

type times struct{ pushed, pulled time.Time }

func (e *estimator) used() (out used, recorded bool) {
	out = used{}
	for _, i := range e.Inventory.Source.Images {
		if out[i.URI] == nil {
			out[i.URI] = map[digest.Digest]times{}
		}
		out[i.URI][i.Digest] = times{i.PushedAt, i.LastPulledAt}
		recorded = recorded || !i.LastPulledAt.IsZero()
	}
	return out, recorded
}

// savings tells what each way to leave images out would save.
func (e *estimator) savings() {
	since := e.Now.AddDate(0, 0, -unusedDays)
	seen, recorded := e.used()
	unused := document.EstimatedSaving{Reason: document.SavingNotPulled, Flag: "--pulled-since 180d"}
	if !recorded && len(e.plan.Images) > 0 {
		unused.Unknown = "ECR has recorded no pull of any image"
	}
	e.saving(unused, func(p *group, r document.PlannedReference) bool { return e.stale(p, r, seen, since) })
	e.saving(document.EstimatedSaving{Reason: document.SavingUntagged, Flag: "--tagged-only"},
		func(_ *group, r document.PlannedReference) bool { return len(r.Tags) == 0 })
	expired := document.EstimatedSaving{Reason: document.SavingExpired, Flag: "--leave-out-expired"}
	if e.Expired == nil {
		expired.Unknown = "the lifecycle policies of ECR were not read"
	}
	e.saving(expired, func(p *group, r document.PlannedReference) bool {
		for _, from := range p.Sources {
			if _, listed := seen[from][r.Digest]; listed && !e.Expired[from][r.Digest] {
				return false
			}
		}
		return e.Expired[p.Sources[r.Source]][r.Digest]
	})
}

// stale reports whether r and all that it lists were neither pushed nor pulled since.
func (e *estimator) stale(p *group, r document.PlannedReference, seen used, since time.Time) bool {
	stale := true
	e.below(r.Digest, func(m *document.PlannedManifest) {
		for _, from := range p.Sources {
			at := seen[from][m.Digest]
			stale = stale && at.pushed.Before(since) && at.pulled.Before(since)
		}
	})
	return stale
}

// saving adds what is saved without those images that out says, unless it is not known.
func (e *estimator) saving(s document.EstimatedSaving, out func(*group, document.PlannedReference) bool) {
	defer func() { e.out.Savings = append(e.out.Savings, s) }()
	if s.Unknown != "" {
		return
	}
	w := make(without, len(e.groups))
	for n := range e.groups {
		w[n] = e.leave(&e.groups[n], out)
		for _, left := range w[n] {
			if left {
				s.Images++
			}
		}
	}
	if s.Images == 0 {
		return
	}
	kept := e.move(w)
	s.Bytes = e.all.UniqueBytes - kept.UniqueBytes
	for way, n := range e.all.bytes {
		s.Egress += cost(n-kept.bytes[way], e.Prices.egress(way.source).perGB)
	}
	before, after := e.stores(&e.Inventory, nil), e.stores(&e.Inventory, w)
	for r, all := range before {
		s.Monthly += cost(all.after-after[r].after, e.Prices.storage(r))
	}
}

// leave says which references of p can be left out: those that out says and that are not there already, but nothing that
// another one lists, and what only describes images goes where all of those go.
func (e *estimator) leave(p *group, out func(*group, document.PlannedReference) bool) []bool {
	left := make([]bool, len(p.References))
	var follows []int
	for n, r := range p.References {
		if p.describes(n) && p.listsAny(p.subjects[n]) {
			follows = append(follows, n)
			continue
		}
		left[n] = !p.there[r.Digest] && out(p, r)
	}
	for n, r := range p.References {
		if !left[n] {
			e.below(r.Digest, func(m *document.PlannedManifest) {
				if i, ok := p.listed[m.Digest]; ok {
					left[i] = false
				}
			})
		}
	}
	for changed := true; changed; {
		changed = false
		for _, n := range follows {
			if !left[n] && !p.there[p.References[n].Digest] && p.allLeft(p.subjects[n], left) {
				left[n], changed = true, true
			}
		}
	}
	return left
}

func (p *group) listsAny(subjects []digest.Digest) bool {
	for _, d := range subjects {
		if _, ok := p.listed[d]; ok {
			return true
		}
	}
	return false
}

// allLeft reports whether of subjects all that are listed are left out.
func (p *group) allLeft(subjects []digest.Digest, left []bool) bool {
	for _, d := range subjects {
		if n, ok := p.listed[d]; ok && !left[n] {
			return false
		}
	}
	return true
}
