package stage

import (
	"context"
	"fmt"
	"slices"

	"transship/internal/document"
	"transship/internal/inventory"
	"transship/internal/ref"
)

// targets are the repositories that a plan writes to.
func targets(made document.Plan) []ref.TargetRepository {
	out := make([]ref.TargetRepository, 0, len(made.Repositories))
	for _, r := range made.Repositories {
		out = append(out, r.URI)
	}
	return slices.Compact(out)
}

// paths are the image paths that a plan writes to.
func paths(made document.Plan) []ref.TargetImage {
	out := make([]ref.TargetImage, len(made.Images))
	for n, i := range made.Images {
		out[n] = i.Target
	}
	return out
}

// exist says which repository of the plan is not there, if any: copying into it could only fail.
func exist(made document.Plan, listing document.TargetInventory) error {
	there := map[ref.TargetRepository]bool{}
	for _, r := range listing.Repositories {
		there[r.URI] = true
	}
	for _, r := range made.Repositories {
		if !there[r.URI] {
			return fmt.Errorf("the Artifact Registry repository %q does not exist in %s of the project %s: run %q, or ask an administrator to create it",
				r.URI.ID, r.URI.Location, r.URI.Project, "transship provision")
		}
	}
	return nil
}

// listing is what the target holds of a plan.
func (p *Pipeline) listing(ctx context.Context, made document.Plan, o CopyOptions, h Hooks) (document.TargetInventory, error) {
	if o.Listing != nil {
		return *o.Listing, nil
	}
	return inventory.ListTarget(ctx, inventory.Config{Target: p.Target, Progress: h.Inventory, Logger: p.Logger}, targets(made), paths(made))
}

// planned is the plan to copy.
func (p *Pipeline) planned(o CopyOptions) (document.Plan, error) {
	if o.Plan != nil {
		return *o.Plan, nil
	}
	return p.ReadPlan()
}

// possible is the plan where all its repositories are there. A pipeline that follows leaves out those that are not, which
// provision has told of, and brings the rest.
func (p *Pipeline) possible(made document.Plan, listing document.TargetInventory) (document.Plan, error) {
	err := exist(made, listing)
	if err == nil || p.memory == nil {
		return made, err
	}
	p.Logger.Warn("images are left out of the copy", "error", err)
	there := map[ref.TargetRepository]bool{}
	for _, r := range listing.Repositories {
		there[r.URI] = true
	}
	made.Images = slices.DeleteFunc(slices.Clone(made.Images), func(i document.PlannedImage) bool { return !there[i.Target.Repository] })
	return made, nil
}
