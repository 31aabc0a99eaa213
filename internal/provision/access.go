package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"transship/internal/document"
	"transship/internal/governance/access"
	"transship/internal/ref"
	"transship/internal/registry"
)

// AccessTarget is where Artifact Registry keeps who may do what.
type AccessTarget interface {
	// GetIamPolicy reads who may do what with a repository; registry.NoRepository where it does not exist.
	GetIamPolicy(ctx context.Context, r ref.TargetRepository) (document.AccessPolicy, error)
	// SetIamPolicy replaces it, if it is still what was read; registry.Conflict otherwise.
	SetIamPolicy(ctx context.Context, r ref.TargetRepository, p document.AccessPolicy) error
}

// AccessChange is what is missing on one repository of what a reviewed file wants.
type AccessChange struct {
	File       string               `json:"file"` // its name, as --apply has it
	Repository ref.TargetRepository `json:"repository"`
	Missing    []access.Wish        `json:"missing"`
	Present    []access.Wish        `json:"present"` // what is there already
	Left       int                  `json:"left"`    // grants of the file that are not to be applied
}

// PreviewAccess compares reviewed files with what is there now, in their order, at the cost of one request each. It
// changes nothing.
func PreviewAccess(ctx context.Context, t AccessTarget, files []Reviewed) ([]AccessChange, error) {
	out := make([]AccessChange, 0, len(files))
	var failed []error
	for _, f := range files {
		p, err := t.GetIamPolicy(ctx, f.Review.Repository)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		c := AccessChange{File: f.Name, Repository: f.Review.Repository, Missing: []access.Wish{}, Present: []access.Wish{}, Left: f.Review.Left}
		for _, w := range f.Review.Wanted {
			if holds(p, w) {
				c.Present = append(c.Present, w)
			} else {
				c.Missing = append(c.Missing, w)
			}
		}
		out = append(out, c)
	}
	return out, errors.Join(failed...)
}

// AccessResult is what became of the changes.
type AccessResult struct {
	Applied []AccessChange `json:"applied"` // what is there now; Missing is what was added
}

// The pauses before a change is tried again that somebody else's came before.
const (
	conflictPause = 500 * time.Millisecond
	conflictTries = 6
)

// ApplyAccess adds the members that are missing, and takes none away: not a member, not a binding, not a condition. Each
// repository is read anew and written with the etag that was read, again where somebody else was faster. One that fails
// does not stop the others; the error names them all.
func ApplyAccess(ctx context.Context, t AccessTarget, changes []AccessChange) (AccessResult, error) {
	result := AccessResult{Applied: []AccessChange{}}
	var failed []error
	for _, c := range changes {
		added, err := grant(ctx, t, c.Repository, c.Missing)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		c.Present, c.Missing = slices.Concat(c.Present, without(c.Missing, added)), added
		result.Applied = append(result.Applied, c)
	}
	return result, errors.Join(failed...)
}

// grant adds what is missing and returns what that was.
func grant(ctx context.Context, t AccessTarget, r ref.TargetRepository, wanted []access.Wish) ([]access.Wish, error) {
	pause := conflictPause
	for try := 1; ; try++ {
		if len(wanted) == 0 {
			return []access.Wish{}, nil
		}
		p, err := t.GetIamPolicy(ctx, r)
		if err != nil {
			return nil, err
		}
		next, added := with(p, wanted)
		if len(added) == 0 {
			return added, nil
		}
		err = t.SetIamPolicy(ctx, r, next)
		if err == nil {
			return added, nil
		}
		if !registry.IsClass(err, registry.Conflict) || try == conflictTries {
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("change access to %s: %w", r, ctx.Err())
		}
		pause *= 2
	}
}

// with returns a policy that has the wishes too, and which of them it did not have. p stays as it is.
func with(p document.AccessPolicy, wanted []access.Wish) (document.AccessPolicy, []access.Wish) {
	added := []access.Wish{}
	p.Bindings = slices.Clone(p.Bindings)
	for _, w := range wanted {
		if holds(p, w) {
			continue
		}
		added = append(added, w)
		i := slices.IndexFunc(p.Bindings, func(b document.AccessBinding) bool { return b.Role == w.Role && b.Condition == nil })
		if i < 0 {
			p.Bindings = append(p.Bindings, document.AccessBinding{Role: w.Role, Members: []string{w.Member}})
			continue
		}
		p.Bindings[i].Members = append(slices.Clone(p.Bindings[i].Members), w.Member)
	}
	return p, added
}

// holds reports whether a member has a role without a condition. Google keeps e-mails in lower case, however they were
// written.
func holds(p document.AccessPolicy, w access.Wish) bool {
	return slices.ContainsFunc(p.Bindings, func(b document.AccessBinding) bool {
		return b.Role == w.Role && b.Condition == nil && slices.ContainsFunc(b.Members, func(m string) bool { return sameMember(m, w.Member) })
	})
}

func sameMember(a, b string) bool {
	kind, _, _ := strings.Cut(a, ":")
	switch kind {
	case "user", "group", "serviceAccount", "domain":
		return strings.EqualFold(a, b)
	}
	return a == b
}

func without(all, some []access.Wish) []access.Wish {
	return slices.DeleteFunc(slices.Clone(all), func(w access.Wish) bool { return slices.Contains(some, w) })
}
