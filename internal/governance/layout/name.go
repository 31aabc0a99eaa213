package layout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"transship/internal/ref"
)

// maxID is how long a repository id may be. FACTS B1 [U].
const maxID = 63

// open gives a place of its own to each of the traits that have none. Where that is a single one and nothing was there
// before, it is Base itself: everything is compatible, and the user has named a repository for it.
func (l *layout) open() {
	byTraits := map[Traits][]*placed{}
	for _, x := range l.all {
		if x.place == nil {
			byTraits[x.Traits] = append(byTraits[x.Traits], x)
		}
	}
	var fresh [][]*placed
	for _, list := range byTraits {
		fresh = append(fresh, list)
	}
	// The largest chooses its name first.
	slices.SortFunc(fresh, func(a, b []*placed) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), a[0].Repository.Compare(b[0].Repository))
	})
	only := len(fresh) == 1 && len(l.places) == 0
	for _, list := range fresh {
		target := l.base.Repository
		if !only {
			target = l.name(list)
		}
		p := l.at(target)
		p.traits = []Traits{list[0].Traits}
		for _, x := range list {
			p.take(x)
		}
	}
}

// name finds a name for a new place that no other has: what the members have in common, where that is taken what
// differs behind it, and else a number.
func (l *layout) name(members []*placed) ref.TargetRepository {
	most := l.room(members)
	stem := strings.Join(stem(members), "-")
	if stem == "" {
		if p := l.find(l.base.Repository); p == nil {
			return l.base.Repository
		}
		stem = lawful(l.base.Repository.ID)
	} else if first := stem[0]; first >= '0' && first <= '9' {
		stem = lawful(l.base.Repository.ID) + "-" + stem
	}
	id := shorten(stem, "", most)
	holder := l.find(l.target(id))
	if holder == nil {
		return l.target(id)
	}
	var words []string
	if len(holder.traits) == 1 {
		for _, t := range differing(members[0].Traits, holder.traits[0]) {
			words = append(words, t.word(members[0].Traits))
		}
	}
	suffixes := words
	if len(words) > 1 {
		suffixes = append(slices.Clone(words), strings.Join(words, "-"))
	}
	for _, s := range suffixes {
		if t := l.target(shorten(stem, "-"+s, most)); l.find(t) == nil {
			return t
		}
	}
	word := ""
	if len(words) > 0 {
		word = "-" + words[0]
	}
	for l.numbered[stem+word] = max(l.numbered[stem+word], 1); ; {
		l.numbered[stem+word]++
		t := l.target(shorten(stem, fmt.Sprintf("%s-%d", word, l.numbered[stem+word]), most))
		if l.find(t) == nil {
			return t
		}
	}
}

func (l *layout) target(id string) ref.TargetRepository {
	t := l.base.Repository
	t.ID = id
	return t
}

// find is the place that holds the name t: one that has members, or that a frozen rule leads to.
func (l *layout) find(t ref.TargetRepository) *place {
	if p := l.named[t]; p != nil {
		return p
	}
	if slices.Contains(l.led, t) {
		return &place{target: t}
	}
	return nil
}

// room is how long an id may be for the longest image name below it to stay lawful, or maxID where no id would help.
func (l *layout) room(members []*placed) int {
	most := maxID
	for _, x := range members {
		t := l.target("x").Image(l.base.Path).Join(x.Repository.Name)
		most = min(most, ref.MaxTargetName-len(t.Name())+1)
	}
	if most < 1 {
		return maxID
	}
	return most
}

// stem is the words that the names of all members begin with.
func stem(members []*placed) []string {
	common := words(members[0].Repository.Name)
	for _, x := range members[1:] {
		common = commonPrefix(common, words(x.Repository.Name))
	}
	return common
}

// words are the parts of a name of ECR between slashes, dots, underscores and hyphens.
func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("/._-", r) })
}

func commonPrefix(a, b []string) []string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// lawful makes a repository id of the id of a legacy host, such as gcr.io; all others are ones.
func lawful(id string) string { return strings.ReplaceAll(id, ".", "-") }

// shorten cuts the stem so that it has no more than most characters with its suffix, and at least one in any case.
func shorten(stem, suffix string, most int) string {
	n := max(1, min(len(stem), most-len(suffix)))
	if n+len(suffix) > maxID {
		n = max(1, maxID-len(suffix))
	}
	return strings.TrimRight(stem[:n], "-") + suffix
}
