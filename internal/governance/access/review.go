package access

import (
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"

	"transship/internal/ref"
)

// Review is what a reviewed file says.
type Review struct {
	Repository ref.TargetRepository
	Wanted     []Wish // what has apply: true; each once, in the file's order
	Left       int    // how many have apply: false
}

// Wish is a role for a member.
type Wish struct {
	Role   string `json:"role"`
	Member string `json:"member"`
}

// ParseReview reads a file that was reviewed. It gives no other roles than those that are suggested, and nothing to the
// public without allowPublic. Errors name the line.
func ParseReview(b []byte, allowPublic bool) (Review, error) {
	root, err := parseYAML(b)
	if err != nil {
		return Review{}, err
	}
	if root == nil {
		return Review{}, errors.New("it is empty")
	}
	top, err := fields(root, "repository", "grants")
	if err != nil {
		return Review{}, err
	}
	name, err := text(top["repository"])
	if err != nil {
		return Review{}, err
	}
	if name == "" {
		return Review{}, wrong(root, "it has no repository: LOCATION-docker.pkg.dev/PROJECT/REPOSITORY")
	}
	var r Review
	if err := r.Repository.UnmarshalText([]byte(name)); err != nil {
		return Review{}, wrong(top["repository"], "%v", err)
	}
	items, err := list(top["grants"])
	if err != nil {
		return Review{}, err
	}
	for _, item := range items {
		if err := r.grant(item, allowPublic); err != nil {
			return Review{}, err
		}
	}
	return r, nil
}

func (r *Review) grant(n *yaml.Node, allowPublic bool) error {
	f, err := fields(n, "role", "member", "aws", "decide", "apply")
	if err != nil {
		return err
	}
	var w Wish
	if w.Role, err = text(f["role"]); err != nil {
		return err
	}
	if w.Member, err = text(f["member"]); err != nil {
		return err
	}
	apply := f["apply"]
	if apply == nil {
		return wrong(n, "apply is missing: true or false")
	}
	if apply.Kind != yaml.ScalarNode || apply.Tag != "!!bool" || apply.Value != "true" && apply.Value != "false" {
		return wrong(apply, "apply is neither true nor false")
	}
	if apply.Value == "false" {
		r.Left++
		return nil
	}
	if err := checkGrant(w.Role, w.Member, allowPublic); err != nil {
		return wrong(n, "%v", err)
	}
	if !slices.Contains(r.Wanted, w) {
		r.Wanted = append(r.Wanted, w)
	}
	return nil
}

// About says which repository a reviewed file is about, whatever else it says. False where it does not say.
func About(b []byte) (ref.TargetRepository, bool) {
	root, err := parseYAML(b)
	if err != nil || root == nil || root.Kind != yaml.MappingNode {
		return ref.TargetRepository{}, false
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		var r ref.TargetRepository
		if root.Content[i].Value == "repository" && r.UnmarshalText([]byte(root.Content[i+1].Value)) == nil {
			return r, true
		}
	}
	return ref.TargetRepository{}, false
}
