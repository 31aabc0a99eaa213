package access

import (
	"cmp"
	"maps"
	"slices"

	"transship/internal/document"
	"transship/internal/ref"
)

// Input is what Suggest looks at: all repositories of a migration, those without a policy too, since a grant on a
// target repository is about everything that is mapped into it.
type Input struct {
	Repositories []Repository
	Registries   []Registry
	Principals   Principals // the user's file; the zero value maps nobody
	AllowPublic  bool       // everyone may read what ECR lets everyone read
}

// Repository is one source repository, with its policy as ECR gave it.
type Repository struct {
	Source ref.Repository
	Target ref.TargetRepository
	Policy string // empty where there is none
	Unread bool   // whether there is one is not known
}

// Registry is one source registry, with its policy.
type Registry struct {
	Source ref.Registry
	Policy string
	Unread bool
}

// Suggestions are what Suggest makes. Nothing of it is ever applied by itself.
type Suggestions struct {
	Grants       []document.Grant                          // sorted by target, role, principal, member
	Repositories map[ref.Repository][]document.Translation // of each statement; none where there is no policy
	Registries   map[ref.Registry][]document.Translation   // likewise
	Principals   []Principal                               // whom a member can stand for, of all that is allowed to; sorted
	Dead         []string                                  // entries of the user's file that are about nobody, with their lines
}

// FromSettings makes the input of the settings as they were read. target says where a repository goes; what goes nowhere
// is left out. What is among the failures, and has no policy in the settings, is taken for unread.
func FromSettings(s document.Settings, target func(ref.Repository) (ref.TargetRepository, bool)) Input {
	var in Input
	unread := map[string]bool{}
	for _, f := range s.Failures {
		unread[f.Source] = true
	}
	for _, r := range s.Registries {
		in.Registries = append(in.Registries, Registry{Source: r.Registry, Policy: r.Policy, Unread: r.Policy == "" && unread[r.Registry.String()]})
		delete(unread, r.Registry.String())
	}
	add := func(r ref.Repository, policy string) {
		if to, ok := target(r); ok {
			in.Repositories = append(in.Repositories, Repository{Source: r, Target: to, Policy: policy, Unread: policy == "" && unread[r.String()]})
		}
	}
	for _, r := range s.Repositories {
		add(r.URI, r.Policy)
	}
	for _, r := range s.Repositories {
		delete(unread, r.URI.String())
	}
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		var r ref.Repository
		if r.UnmarshalText([]byte(name)) == nil && r.Name != "" {
			add(r, "")
		} else if g, _, err := ref.ParseRegistry(name); err == nil {
			in.Registries = append(in.Registries, Registry{Source: g, Unread: true})
		}
	}
	return in
}

// Suggest turns policies into grants, and says of every statement what became of it.
func Suggest(in Input) Suggestions {
	e := newEvidence(in)
	out := Suggestions{
		Repositories: map[ref.Repository][]document.Translation{}, Registries: map[ref.Registry][]document.Translation{},
		Principals: e.found(), Grants: []document.Grant{},
	}
	for _, target := range slices.SortedFunc(maps.Keys(e.targets), ref.TargetRepository.Compare) {
		for _, p := range e.principals(e.targets[target]) {
			out.Grants = append(out.Grants, e.grants(target, p)...)
		}
	}
	slices.SortFunc(out.Grants, func(a, b document.Grant) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(rung(a.Role), rung(b.Role)), cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Member, b.Member))
	})
	r := newReport(in.AllowPublic, out.Grants)
	for _, s := range e.sources {
		if t := r.policy(s.own, s.arn); len(t) > 0 {
			out.Repositories[s.Source] = t
		}
	}
	for _, g := range e.registries {
		if t := r.policy(g, ""); len(t) > 0 {
			out.Registries[g.registry] = t
		}
	}
	out.Dead = in.Principals.dead(out.Principals)
	return out
}

// rung is the place of a role in the ladder, -1 where it has none.
func rung(role string) int { return slices.Index(ladder[:], role) }

// reading is one policy, as far as it could be read.
type reading struct {
	name     string       // of the repository or registry
	registry ref.Registry // set where it is a registry's
	bytes    int
	unread   bool
	err      error
	policy   Policy
}

func readPolicy(name, text string, unread bool) reading {
	r := reading{name: name, bytes: len(text), unread: unread}
	if text != "" {
		r.policy, r.err = ParsePolicy(text)
	}
	return r
}

// dark reports whether a policy may say what is not known.
func (r reading) dark() bool { return r.unread || r.err != nil }

// source is one source repository with all that is said about it.
type source struct {
	Repository
	arn      string
	own      reading
	registry *reading          // nil where the input has none
	allowed  map[Principal]set // by its own policy
	shared   map[Principal]set // by the registry's
	denies   []deny            // of both
}

// deny is a statement that denies something of the ladder.
type deny struct {
	Statement
	actions set
}

// evidence is an input that was read.
type evidence struct {
	in         Input
	sources    []*source // sorted
	registries []reading // sorted by registry
	targets    map[ref.TargetRepository][]*source
}

func newEvidence(in Input) *evidence {
	e := &evidence{in: in, targets: map[ref.TargetRepository][]*source{}}
	in.Registries = slices.SortedFunc(slices.Values(in.Registries), func(a, b Registry) int { return cmp.Compare(a.Source.String(), b.Source.String()) })
	for _, g := range in.Registries {
		r := readPolicy(g.Source.String(), g.Policy, g.Unread)
		r.registry = g.Source
		e.registries = append(e.registries, r)
	}
	in.Repositories = slices.SortedFunc(slices.Values(in.Repositories), func(a, b Repository) int { return cmp.Compare(a.Source.String(), b.Source.String()) })
	for _, r := range in.Repositories {
		s := &source{
			Repository: r, arn: r.Source.Registry.ARN(r.Source.Name), own: readPolicy(r.Source.String(), r.Policy, r.Unread),
			allowed: map[Principal]set{}, shared: map[Principal]set{},
		}
		s.take(s.own.policy, s.allowed)
		for i := range e.registries {
			if g := &e.registries[i]; g.registry == r.Source.Registry {
				s.registry = g
				s.take(g.policy, s.shared)
			}
		}
		e.sources = append(e.sources, s)
		e.targets[r.Target] = append(e.targets[r.Target], s)
	}
	return e
}

// take adds what a policy says about the repository. An Allow counts only where it says exactly whom it allows what, and
// always.
func (s *source) take(p Policy, allowed map[Principal]set) {
	for _, st := range p.Statements {
		switch {
		case !st.Allow && !st.tls:
			actions := read(st.Actions).set
			if st.NotActions {
				actions = ^actions
			}
			s.denies = append(s.denies, deny{st, actions})
		case st.Allow && st.plain() && st.covers(s.arn) && !st.variable():
			actions := read(st.Actions).set
			for _, who := range st.Principals {
				if (who.nameable() || who.Kind == Everyone) && actions != 0 {
					allowed[who] |= actions
				}
			}
		}
	}
}

// rights are what somebody may do with one repository.
type rights struct {
	own      set // by statements that name exactly them
	has      set // by those that name everyone, too
	registry set // of has, what only the registry's policy says
	doubtful set // of has, what a Deny may take away
	taken    set // what a Deny has taken away; not in has
}

func (s *source) rights(p Principal) rights {
	everyone := Principal{Kind: Everyone, ID: "*"}
	mine := s.allowed[p] | s.allowed[everyone]
	r := rights{own: s.allowed[p] | s.shared[p], has: mine | s.shared[p] | s.shared[everyone]}
	if r.has == 0 {
		return r
	}
	for _, d := range s.denies {
		switch certain, touches := d.hits(p, s.arn); {
		case certain:
			r.taken |= d.actions & r.has
		case touches:
			r.doubtful |= d.actions & r.has
		}
	}
	r.own, r.has, r.doubtful = r.own&^r.taken, r.has&^r.taken, r.doubtful&^r.taken
	r.registry = r.has &^ mine
	return r
}

// hits says whether a Deny is about a principal and a resource: for certain, or perhaps.
func (s Statement) hits(p Principal, arn string) (certain, touches bool) {
	if !s.covers(arn) && !s.variable() {
		return false, false
	}
	certain = s.Condition == "" && !s.NotActions && !s.NotResources && !s.variable()
	if s.NotPrincipals {
		if s.spares(p) {
			return false, false
		}
		return certain && !slices.ContainsFunc(s.Principals, p.meets), true
	}
	within := slices.ContainsFunc(s.Principals, p.within)
	return certain && within, within || slices.ContainsFunc(s.Principals, p.meets)
}

// spares reports whether a Deny with NotPrincipal is for certain not about p. AWS wants the account of a user to be
// named beside the user, and of a role each session, which nobody can; so a role is never spared for certain.
func (s Statement) spares(p Principal) bool {
	if slices.ContainsFunc(s.Principals, func(o Principal) bool { return o.Kind == Everyone }) {
		return true
	}
	account := Principal{Kind: Account, ID: p.Account, Account: p.Account}
	switch p.Kind {
	case Account, Service:
		return slices.Contains(s.Principals, p)
	case User:
		return slices.Contains(s.Principals, p) && slices.Contains(s.Principals, account)
	}
	return false
}

// principals are those to whom the sources of a target allow something, sorted.
func (e *evidence) principals(sources []*source) []Principal {
	seen := map[Principal]bool{}
	for _, s := range sources {
		for _, allowed := range []map[Principal]set{s.allowed, s.shared} {
			for p := range allowed {
				if p.Kind != Everyone || e.in.AllowPublic {
					seen[p] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), comparePrincipals)
}

func comparePrincipals(a, b Principal) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind))
}

// found are all whom a member can stand for and some statement allows something, be it under a condition.
func (e *evidence) found() []Principal {
	seen := map[Principal]bool{}
	policies := slices.Clone(e.registries)
	for _, s := range e.sources {
		policies = append(policies, s.own)
	}
	for _, r := range policies {
		for _, st := range r.policy.Statements {
			for _, p := range st.Principals {
				if st.Allow && !st.NotPrincipals && p.nameable() {
					seen[p] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), comparePrincipals)
}
