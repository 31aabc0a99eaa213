package layout

import (
	"cmp"
	"slices"

	"transship/internal/ref"
)

// Input is what a layout is made of.
type Input struct {
	// Base is the target of --to. Groups are in its location and project, with its path below each, and its repository
	// takes those that have no name in common.
	Base    ref.TargetImage
	Sources []Source
	// Frozen are the rules of an earlier layout. They stay in front, in their order; those that no longer decide about
	// any of the sources are dropped.
	Frozen []ref.Rule
}

// Source is one repository of ECR.
type Source struct {
	Repository ref.Repository
	Traits     Traits
	// Content tells apart repositories of one name, in different registries: where it is equal they share an image path,
	// as replicas do.
	Content string
	// Settled says that the earlier layout had it already: it stays where Frozen or Base leads it, whatever its traits
	// are now.
	Settled bool
}

// Proposal is a layout. The same input in any order makes the same one.
type Proposal struct {
	Base    ref.TargetImage
	Groups  []Group          // sorted by target
	Rules   []ref.Rule       // the first match wins; what none matches goes below Base
	Dropped []ref.Rule       // frozen rules that decide about none of the sources
	Left    []ref.Repository // with names that ECR does not allow: they are in no group
}

// Group is one Artifact Registry repository with what goes there.
type Group struct {
	Target  ref.TargetRepository
	Members []ref.Repository // sorted
	Traits  []Traits         // one, or several where settled members came to differ
	Shares  string           // what the members share, in words
	Differs string           // how they differ from other groups, in words; empty for the only one
}

// Mapping is what the rules and Base say together.
func (p Proposal) Mapping() ref.Mapping { return ref.Mapping{Default: p.Base, Rules: p.Rules} }

// Propose returns the layout with the fewest groups.
func Propose(in Input) Proposal {
	p := Proposal{Base: in.Base}
	var sources []Source
	for _, s := range in.Sources {
		if ref.ValidRepositoryName(s.Repository.Name) {
			sources = append(sources, s)
		} else {
			p.Left = append(p.Left, s.Repository)
		}
	}
	slices.SortFunc(p.Left, ref.Repository.Compare)
	slices.SortFunc(sources, func(a, b Source) int {
		return cmp.Or(a.Repository.Compare(b.Repository), a.Traits.compare(b.Traits), cmp.Compare(a.Content, b.Content), compareBool(a.Settled, b.Settled))
	})
	sources = slices.CompactFunc(sources, func(a, b Source) bool { return a.Repository == b.Repository })

	l := &layout{
		base: in.Base, frozen: ref.Mapping{Default: in.Base, Rules: in.Frozen}, led: ref.Mapping{Rules: in.Frozen}.Targets(),
		named: map[ref.TargetRepository]*place{}, numbered: map[string]int{},
	}
	l.settle(sources)
	l.join()
	l.open()
	l.paths()
	p.Rules = slices.Concat(l.exceptions(), in.Frozen, l.patterns())
	p.Rules, p.Dropped = withoutDead(p.Mapping(), sources)
	p.Groups = l.groups()
	return p
}

// withoutDead parts the rules that decide about some of the sources from those that do not.
func withoutDead(m ref.Mapping, sources []Source) (rules, dropped []ref.Rule) {
	repositories := make([]ref.Repository, 0, len(sources))
	for _, s := range sources {
		repositories = append(repositories, s.Repository)
	}
	dead := map[int]bool{}
	for _, d := range m.Dead(repositories) {
		dead[d.Index] = true
	}
	for i, u := range m.Rules {
		if dead[i] {
			dropped = append(dropped, u)
		} else {
			rules = append(rules, u)
		}
	}
	return rules, dropped
}

// layout is a proposal in the making.
type layout struct {
	base     ref.TargetImage
	frozen   ref.Mapping
	led      []ref.TargetRepository // where frozen rules lead
	places   []*place               // the target repositories so far
	named    map[ref.TargetRepository]*place
	numbered map[string]int // the last number behind each name
	all      []*placed
}

// place is one target repository.
type place struct {
	target  ref.TargetRepository
	members []*placed
	traits  []Traits // of the settled members, or else of those that made the place
}

// placed is a source on its way to its place.
type placed struct {
	Source
	led   ref.TargetImage // where the frozen rules and the base lead it
	ruled bool            // it is a frozen rule that does
	place *place
	image ref.TargetImage // where it goes
}

func (l *layout) at(t ref.TargetRepository) *place {
	p := l.named[t]
	if p == nil {
		p = &place{target: t}
		l.places, l.named[t] = append(l.places, p), p
	}
	return p
}

func (p *place) take(s *placed) {
	p.members = append(p.members, s)
	s.place = p
}

// settle places what stays where it was, and then what frozen rules lead to compatible company. Where those that a
// frozen rule leads are alone, the most frequent traits among them stay.
func (l *layout) settle(sources []Source) {
	ledAlone := map[*place][]*placed{}
	var order []*place
	for _, s := range sources {
		x := &placed{Source: s}
		x.led, _ = l.frozen.Map(s.Repository) // a name that is too long is the plan's matter
		_, x.ruled = l.frozen.Rule(s.Repository)
		l.all = append(l.all, x)
		if s.Settled {
			at := l.at(x.led.Repository)
			at.take(x)
			if !slices.Contains(at.traits, s.Traits) {
				at.traits = append(at.traits, s.Traits)
			}
		}
	}
	for _, x := range l.all {
		if x.place != nil || !x.ruled {
			continue
		}
		at := l.at(x.led.Repository)
		if len(ledAlone[at]) == 0 {
			order = append(order, at)
		}
		ledAlone[at] = append(ledAlone[at], x)
	}
	for _, at := range order {
		if len(at.traits) == 0 {
			at.traits = []Traits{mostFrequent(ledAlone[at])}
		}
		for _, x := range ledAlone[at] {
			if at.fits(x) {
				at.take(x)
			}
		}
	}
}

func (p *place) fits(x *placed) bool { return len(p.traits) == 1 && p.traits[0] == x.Traits }

func mostFrequent(list []*placed) (best Traits) {
	count, most := map[Traits]int{}, 0
	for _, x := range list {
		count[x.Traits]++
		if count[x.Traits] > most {
			best, most = x.Traits, count[x.Traits]
		}
	}
	return best
}

// join takes what has no place yet to one that is compatible: of several, to that with whose members it has most of its
// name in common.
func (l *layout) join() {
	compatible := map[Traits][]*place{}
	common := map[*place][]string{}
	for _, p := range l.places {
		if len(p.traits) == 1 {
			compatible[p.traits[0]] = append(compatible[p.traits[0]], p)
			common[p] = stem(p.members)
		}
	}
	for _, x := range l.all {
		if x.place != nil || len(compatible[x.Traits]) == 0 {
			continue
		}
		name := words(x.Repository.Name)
		slices.MaxFunc(compatible[x.Traits], func(a, b *place) int {
			return cmp.Or(cmp.Compare(len(commonPrefix(name, common[a])), len(commonPrefix(name, common[b]))), b.target.Compare(a.target))
		}).take(x)
	}
}

// groups are the places as others see them.
func (l *layout) groups() []Group {
	slices.SortFunc(l.places, func(a, b *place) int { return a.target.Compare(b.target) })
	own := l.owners()
	var out []Group
	for _, p := range l.places {
		if len(p.members) == 0 {
			continue
		}
		g := Group{Target: p.target, Traits: p.traits, Shares: shares(p, own), Differs: l.differs(p)}
		for _, m := range p.members {
			g.Members = append(g.Members, m.Repository)
		}
		slices.SortFunc(g.Members, ref.Repository.Compare)
		out = append(out, g)
	}
	return out
}
