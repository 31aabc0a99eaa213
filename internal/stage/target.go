package stage

import (
	"fmt"
	"slices"

	"transship/internal/document"
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
