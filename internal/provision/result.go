package provision

import (
	"transship/internal/governance/desired"
	"transship/internal/ref"
)

// Result is what became of each repository, in the plan's order. Each that was not tried or failed is in none of the first
// three.
type Result struct {
	Created   []ref.TargetRepository `json:"created"`
	Changed   []Changed              `json:"changed"`
	Unchanged []ref.TargetRepository `json:"unchanged"` // there, and as planned but for what is left out
	LeftOut   []LeftOut              `json:"leftOut"`
	// DryRun are those whose clean-up policies of ours delete nothing yet.
	DryRun []ref.TargetRepository `json:"dryRun"`
	// Unfinished are those whose tags are to be immutable and are not yet.
	Unfinished []ref.TargetRepository `json:"unfinished"`
}

// Changed is a repository that was there and now differs.
type Changed struct {
	Repository ref.TargetRepository `json:"repository"`
	Steps      []desired.Step       `json:"steps"`
}

// LeftOut is what a repository could not have.
type LeftOut struct {
	Repository ref.TargetRepository `json:"repository"`
	desired.LeftOut
}

// newResult has empty lists rather than none, for those who read JSON.
func newResult() Result {
	return Result{
		Created: []ref.TargetRepository{}, Changed: []Changed{}, Unchanged: []ref.TargetRepository{}, LeftOut: []LeftOut{},
		DryRun: []ref.TargetRepository{}, Unfinished: []ref.TargetRepository{},
	}
}

// Nothing reports whether nothing was done.
func (r Result) Nothing() bool { return len(r.Created)+len(r.Changed) == 0 }

func (r *Result) created(c desired.Change) {
	r.Created = append(r.Created, c.Repository)
	r.note(c)
}

func (r *Result) changed(c desired.Change) {
	r.Changed = append(r.Changed, Changed{c.Repository, c.Steps})
	r.note(c)
}

func (r *Result) unchanged(c desired.Change) {
	r.Unchanged = append(r.Unchanged, c.Repository)
	r.note(c)
}

// note keeps what is still to be done about a repository.
func (r *Result) note(c desired.Change) {
	for _, l := range c.LeftOut {
		r.LeftOut = append(r.LeftOut, LeftOut{c.Repository, l})
	}
	if c.Rehearses() {
		r.DryRun = append(r.DryRun, c.Repository)
	}
	if c.Unfinished {
		r.Unfinished = append(r.Unfinished, c.Repository)
	}
}
