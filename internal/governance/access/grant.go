package access

import (
	"fmt"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/ref"
)

// grants are the roles for one principal on one target repository, for each member that stands for it.
func (e *evidence) grants(target ref.TargetRepository, p Principal) []document.Grant {
	sources := e.targets[target]
	all := make([]rights, len(sources))
	for i, s := range sources {
		all[i] = s.rights(p)
	}
	var out []document.Grant
	for _, rung := range rungs(p, all) {
		g := suggestion(sources, all, rung)
		g.Target, g.Role, g.Principal = target, ladder[rung], p.ID
		for _, member := range e.members(p) {
			g := g
			g.Member = member
			if member == "" {
				g.Decide = join(g.Decide, "say in principals.yaml which member stands for "+p.String())
			} else if public(member) && rung > 0 {
				g.Member = ""
				g.Decide = join(g.Decide, "principals.yaml names "+member+", to whom no more than "+RoleReader+" is given: name another member")
			}
			out = append(out, g)
		}
	}
	return out
}

// members are those that stand for p; one that is empty where nobody does.
func (e *evidence) members(p Principal) []string {
	if p.Kind == Everyone {
		return []string{allUsers}
	}
	if members := e.in.Principals.Members(p); len(members) > 0 {
		return members
	}
	return []string{""}
}

// rungs are the roles that are worth a suggestion, from the least: what the principal needs for each of the
// repositories; and the highest that opens nothing, where those would.
func rungs(p Principal, all []rights) []int {
	var out []int
	most, clean := -1, len(ladder)-1
	for _, r := range all {
		if rung := r.own.rung(); rung >= 0 {
			out, most = append(out, rung), max(most, rung)
		}
		for clean >= 0 && powers(clean)&^r.has.powers() != 0 {
			clean--
		}
	}
	if clean >= 0 && most >= 0 {
		out = append(out, min(clean, most))
	}
	if p.Kind == Everyone && most >= 0 { // never more than reader
		return []int{0}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// suggestion is the grant of a role, with what stands against it.
func suggestion(sources []*source, all []rights, rung int) document.Grant {
	var g document.Grant
	covered, actions := within(rung), set(0)
	var open, other power
	var lists objections
	for i, s := range sources {
		r := all[i]
		missing := powers(rung) &^ r.has.powers()
		gives := r.own.rung() >= rung
		if gives {
			g.Sources = append(g.Sources, s.origins(r)...)
			actions |= r.own & covered
			open |= missing
		} else {
			other |= missing
		}
		lists.add(more, s, missing != 0 && gives)
		lists.add(opens, s, missing != 0 && !gives)
		lists.add(denied, s, r.taken != 0 && r.own != 0)
		lists.add(doubtful, s, r.doubtful&covered != 0)
		lists.add(byRegistry, s, r.registry&covered != 0)
		lists.add(dark, s, (gives || missing == 0) && s.registry != nil && s.registry.dark())
	}
	slices.Sort(g.Sources)
	g.Sources, g.Actions = slices.Compact(g.Sources), actions.names()
	g.Decide = lists.text(open, other)
	return g
}

// objections are the sources of which something speaks against a grant, by what it is.
type objections [6][]string

const (
	more       = iota // the role allows more there than the policies
	opens             // they are opened by what others allow
	denied            // a Deny takes part of it away
	doubtful          // a Deny may
	byRegistry        // only the registry's policy allows it
	dark              // the registry's policy could not be read
)

func (o *objections) add(what int, s *source, found bool) {
	if found {
		o[what] = append(o[what], s.own.name)
	}
}

// text is what a person must decide, empty where nothing speaks against it. extra is what the role allows beyond the
// policies where these allow something, other what it allows elsewhere.
func (o *objections) text(extra, other power) (out string) {
	for what, names := range o {
		if len(names) == 0 {
			continue
		}
		text := ""
		switch what {
		case more:
			text = fmt.Sprintf("the role also lets them %s, which ECR does not: ", extra)
		case opens:
			text = fmt.Sprintf("opens %s to them (%s) in the same target repository, unless you use layout: grouped: ", counted(len(names), "other repository"), other)
		case denied:
			text = "a Deny takes away part of what they are allowed: "
		case doubtful:
			text = "a Deny may take it away: "
		case byRegistry:
			text = "only the registry's policy allows it, which ECR heeds where the account setting REGISTRY_POLICY_SCOPE is V2: "
		case dark:
			text = "the registry's policy could not be read and may deny it: "
		}
		out = join(out, text+few(names))
	}
	return out
}

// origins are the policies from which somebody's own rights come.
func (s *source) origins(r rights) (out []string) {
	if r.own&^r.registry != 0 {
		out = append(out, s.Source.String())
	}
	if r.own&r.registry != 0 {
		out = append(out, s.Source.Registry.String())
	}
	return out
}

// join puts what is open into one line.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// few are the first of many, and how many more there are.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %s", n, strings.TrimSuffix(what, "y")+"ies")
}
