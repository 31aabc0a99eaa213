package stage

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
)

// First is which images of a plan are copied before the rest, and in which order. The zero value names none.
type First struct {
	ranks map[place]int // from 1
}

// place is one image of the plan at one place of the target.
type place struct {
	target ref.TargetImage
	digest digest.Digest
}

// Len is how many images that are.
func (f First) Len() int { return len(f.ranks) }

// rank is the rank of an image, from 1; 0 for the rest.
func (f First) rank(t ref.TargetImage, d digest.Digest) int { return f.ranks[place{t, d}] }

// Unmatched is what a list names and a copy will not bring.
type Unmatched struct {
	Text   string // as the list has it
	Reason string // a few words
	Known  bool   // it is of this migration, which leaves it out
}

// Rank finds what lists name among the images of a plan: a digest, else what a tag points at, else all images of the
// repository. Their order is that of the lists. covered says which repositories the copy works on. It is pure.
func Rank(p document.Plan, covered func(ref.Repository) bool, lists ...references.List) (First, []Unmatched) {
	r := ranking{
		plan: p, covered: covered, images: map[ref.Repository][]int{}, refused: map[ref.Repository][]int{},
		known: map[ref.Repository]map[string][]place{}, first: First{ranks: map[place]int{}},
	}
	for i, image := range p.Images {
		for _, source := range image.Sources {
			r.images[source] = append(r.images[source], i)
		}
	}
	for i, refusal := range p.Refused {
		r.refused[refusal.Source] = append(r.refused[refusal.Source], i)
	}
	var unmatched []Unmatched
	for _, l := range lists {
		for _, e := range l.Entries {
			if u, ok := r.rank(e); !ok {
				unmatched = append(unmatched, u)
			}
		}
	}
	return r.first, unmatched
}

type ranking struct {
	plan    document.Plan
	covered func(ref.Repository) bool
	images  map[ref.Repository][]int // positions in the plan's Images
	refused map[ref.Repository][]int // positions in the plan's Refused
	known   map[ref.Repository]map[string][]place
	first   First
	next    int
}

// rank gives the images of one entry the next rank. Where there are none, it says why.
func (r *ranking) rank(e references.Entry) (Unmatched, bool) {
	r.next++
	matched := false
	u := Unmatched{Text: e.Text, Reason: "of another registry"}
	told := -1
	if e.Open {
		u.Reason = "put together from variables"
	}
	for _, n := range e.Names {
		if keys := r.find(n); len(keys) > 0 && r.covered(n.Repository) {
			matched = true
			for _, k := range keys {
				if r.first.ranks[k] == 0 {
					r.first.ranks[k] = r.next
				}
			}
		} else if reason, of := r.why(n, len(keys) > 0); of > told { // where n may be in several registries, what says most
			u.Reason, u.Known, told = reason, of == ofMigration, of
		}
	}
	return u, matched
}

// find returns the images that n names.
func (r *ranking) find(n references.Name) []place {
	known, ok := r.known[n.Repository]
	if !ok { // repositories that nobody names cost nothing
		known = map[string][]place{}
		for _, i := range r.images[n.Repository] {
			image := r.plan.Images[i]
			for _, reference := range image.References {
				k := place{image.Target, reference.Digest}
				for _, name := range slices.Concat(reference.Tags, []string{"", reference.Digest.String()}) {
					known[name] = append(known[name], k)
				}
			}
		}
		r.known[n.Repository] = known
	}
	if n.Digest != "" {
		return known[n.Digest.String()]
	}
	return known[n.Tag]
}

// How much of a name is known.
const (
	ofNothing = iota
	ofRepository
	ofMigration
)

// why says why n is not copied, and how much of it is known.
func (r *ranking) why(n references.Name, planned bool) (string, int) {
	if planned {
		return "not in the scope of this command", ofMigration
	}
	for _, i := range r.refused[n.Repository] {
		if refuses(r.plan.Refused[i], n) {
			return "left out: " + r.plan.Refused[i].Rule, ofMigration
		}
	}
	if len(r.images[n.Repository]) > 0 {
		return "no such image in the plan", ofRepository
	}
	return "no such repository in the plan", ofNothing
}

// refuses reports whether x, of the same repository, is why n is not in the plan.
func refuses(x document.Refusal, n references.Name) bool {
	switch {
	case x.Digest == "" && x.Tag == "", n.Digest == "" && n.Tag == "":
		return true
	case n.Digest != "":
		return x.Digest == n.Digest
	}
	return x.Tag == n.Tag
}

// First finds what lists name among the images of plan.json, and what they name that this command does not bring.
func (p *Pipeline) First(lists ...references.List) (First, []Unmatched, error) {
	made, err := p.ReadPlan()
	if err != nil || len(lists) == 0 {
		return First{}, nil, err
	}
	first, unmatched := Rank(made, p.Rules.Scope.Match, lists...)
	return first, unmatched, nil
}
