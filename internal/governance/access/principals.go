package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Principals say which members of Google stand for which principals of AWS. The zero value says nothing.
type Principals struct {
	entries []entry
}

type entry struct {
	aws     string // an ARN, an account, a service, or a pattern of them
	members []string
	line    int
}

// ParsePrincipals reads the user's file:
//
//	principals:
//	  - aws: arn:aws:iam::123456789012:role/deploy
//	    google: serviceAccount:deploy@my-gcp-project.iam.gserviceaccount.com
//	  - aws: "123456789012"
//	    google: [group:platform@example.com]
//
// The first entry that matches wins; * and ? in aws are wildcards. An entry without members is one that is still to be
// filled in. The public needs allowPublic. Errors name the line.
func ParsePrincipals(b []byte, allowPublic bool) (Principals, error) {
	root, err := parseYAML(b)
	if err != nil || root == nil || isNone(root) {
		return Principals{}, err
	}
	top, err := fields(root, "principals")
	if err != nil {
		return Principals{}, err
	}
	items, err := list(top["principals"])
	if err != nil {
		return Principals{}, err
	}
	var out Principals
	for _, item := range items {
		e, err := principalEntry(item, allowPublic)
		if err == nil && slices.ContainsFunc(out.entries, func(o entry) bool { return o.aws == e.aws }) {
			err = wrong(item, "there is another entry for %s", e.aws)
		}
		if err != nil {
			return Principals{}, err
		}
		out.entries = append(out.entries, e)
	}
	return out, nil
}

func principalEntry(n *yaml.Node, allowPublic bool) (entry, error) {
	f, err := fields(n, "aws", "google")
	if err != nil {
		return entry{}, err
	}
	e := entry{line: n.Line}
	if e.aws, err = text(f["aws"]); err != nil {
		return entry{}, err
	}
	if err := checkAWS(e.aws); err != nil {
		return entry{}, wrong(n, "%v", err)
	}
	if p := findPrincipal(e.aws); p.Kind != Unknown {
		e.aws = p.ID
	}
	google := f["google"]
	if google == nil || isNone(google) || google.Kind == yaml.ScalarNode && google.Value == "" {
		return e, nil
	}
	members := []*yaml.Node{google}
	if google.Kind == yaml.SequenceNode {
		members = google.Content
	}
	for _, m := range members {
		member, err := text(m)
		if err != nil {
			return entry{}, err
		}
		if err := checkMember(member, allowPublic); err != nil {
			return entry{}, wrong(m, "%v", err)
		}
		if slices.Contains(e.members, member) {
			return entry{}, wrong(m, "%s is there twice", member)
		}
		e.members = append(e.members, member)
	}
	return e, nil
}

// checkAWS says why no principal is known by a text, or nothing.
func checkAWS(s string) error {
	switch p := findPrincipal(s); {
	case s == "":
		return errors.New("aws is missing: an ARN, an account of 12 digits or a service")
	case strings.Trim(s, "*?") == "":
		return fmt.Errorf("%q would be everybody: name whom you mean", s)
	case strings.ContainsAny(s, "*?"), p.nameable():
		return nil
	}
	return fmt.Errorf("%q is no principal that a member can stand for: want an ARN of a role, a user or a session, an account of 12 digits or a service", short(s))
}

// Members are those who stand for p, by the first entry about it.
func (ps Principals) Members(p Principal) []string {
	if e := ps.find(p); e >= 0 {
		return ps.entries[e].members
	}
	return nil
}

// find is the place of the entry that counts for p, or -1.
func (ps Principals) find(p Principal) int {
	return slices.IndexFunc(ps.entries, func(e entry) bool { return e.aws == p.ID || wild(e.aws, p.ID) })
}

// Covers reports whether there is an entry for each of them, be it one that is still to be filled in.
func (ps Principals) Covers(found []Principal) bool {
	return !slices.ContainsFunc(found, func(p Principal) bool { return ps.find(p) < 0 })
}

// dead are the entries that count for nobody.
func (ps Principals) dead(found []Principal) (out []string) {
	used := map[int]bool{}
	for _, p := range found {
		used[ps.find(p)] = true
	}
	for i, e := range ps.entries {
		if used[i] {
			continue
		}
		why := "no policy allows anything to it"
		for _, p := range found {
			if e.aws == p.ID || wild(e.aws, p.ID) {
				why = fmt.Sprintf("the entry in line %d comes first", ps.entries[ps.find(p)].line)
			}
		}
		out = append(out, fmt.Sprintf("principals.yaml:%d: %s: %s", e.line, e.aws, why))
	}
	return out
}
