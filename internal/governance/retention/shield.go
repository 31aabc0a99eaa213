package retention

import (
	"slices"

	"transship/internal/document"
)

// An image belongs to the first rule that selects it, and no rule behind that deletes it. Artifact Registry deletes what
// any policy deletes, unless one keeps it. So a rule must be shielded from each rule behind it that would delete its
// images earlier: by a narrower selection of the other rule where tags allow it, otherwise by a policy that keeps them
// until the rule itself has deleted them, or for good.

// threatened tells whether the images of p must be shielded from something that deletes.
func (p part) threatened(by *template) bool {
	return !p.inert && p.cover.overlaps(by.selector) && (p.days == 0 || document.Seconds(p.days)*document.Day > by.older)
}

// shieldFrom makes what the part deletes spare the images of the rules before it. Where nothing would be left, the part
// falls with the rule that is in its way.
func (p *part) shieldFrom(before []part) {
	if p.delete == nil {
		return
	}
	for _, o := range before {
		if o.threatened(p.delete) {
			p.narrow(o)
		}
	}
	for _, o := range before {
		if o.threatened(p.delete) && p.delete.within(o.cover) && (o.exact || o.days == 0) {
			p.fall(o)
			return
		}
	}
	for i := range before {
		if o := &before[i]; o.threatened(p.delete) {
			o.shield = &template{action: document.CleanupKeep, selector: o.cover, newer: document.Seconds(o.days) * document.Day}
		}
	}
}

// narrow leaves the untagged or the tagged images to the rule before, where that takes all of them.
func (p *part) narrow(o part) {
	if p.delete.selector != all || (!o.exact && o.days > 0) {
		return
	}
	switch o.cover {
	case untagged:
		p.delete.selector = tagged
	case tagged:
		p.delete.selector = untagged
		if !o.exact {
			p.longer = append(p.longer, o.rule.Priority)
		}
	}
}

// fall gives up what the part deletes because of a rule before it.
func (p *part) fall(o part) {
	p.outcome, p.by = fallen, o.rule.Priority
	switch {
	case len(p.longer) > 0: // some of its images were left to a rule that does not take all of them
		p.by = p.longer[0]
	case o.exact:
		p.outcome, p.inert = shadowed, true
	}
	p.delete, p.count, p.longer = nil, nil, nil
}

// settle notes which shields keep images of the part longer than it would, and what is left of a rule that keeps all.
func (p *part) settle(parts []part) {
	if p.outcome == keepsAll && p.shield == nil {
		p.outcome = keepsIdle
	}
	if p.delete == nil {
		return
	}
	before := true
	for _, o := range parts {
		if o.rule.Priority == p.rule.Priority {
			before = false
			continue
		}
		if o.shield == nil || !o.shield.overlaps(p.delete.selector) || (before && o.exact) {
			continue
		}
		if o.shield.newer == 0 || o.shield.newer > p.delete.older {
			p.longer = append(p.longer, o.rule.Priority)
		}
	}
	slices.Sort(p.longer)
	p.longer = slices.Compact(p.longer)
}
