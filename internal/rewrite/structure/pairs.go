package structure

import (
	"fmt"
	"slices"
	"strings"

	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// pair is a registry in one field and a repository in another one.
type pair struct {
	mapping              *node
	registry, repository *node
	place                place
	name                 references.Name // what they name together
	size                 int             // how much of the repository's text is the repository's name
	answer               mention.Answer
	trouble              string // a sentence: why their join is not known
}

// maxFields is how many fields a mapping may have to be looked at for pairs; that of an image has a dozen.
const maxFields = 2000

// registries looks for registries among the fields of a mapping. All are the mappings around it.
func (j *judge) registries(m *node, under string, all []*node) {
	if len(m.fields) > maxFields {
		return
	}
	for _, f := range m.fields {
		stem, ok := strings.CutSuffix(strings.TrimSuffix(strings.TrimSuffix(plainKey(f.key), "url"), "host"), "registry")
		if !ok || f.value.kind != scalar || f.key == strings.ToUpper(f.key) {
			continue // upper case is for variables, whose use is elsewhere: in a login, perhaps
		}
		p, ok := j.hosts.place(f.value.text)
		if !ok {
			continue
		}
		if m.get("username") != nil || m.get("password") != nil {
			j.tell(f.value)
			j.find(f.value.where(), mention.Login, "It is a login to ECR.",
				"Log in to Artifact Registry instead, with credentials of Google, when the images are taken from there.")
			continue
		}
		if more := repeated(m, f.key); more {
			j.lone = append(j.lone, loner{f.value, under, nil, fmt.Sprintf("%q is there more than once", f.key)})
			continue
		}
		if m == j.variables || slices.Contains(variableKeys, under) {
			j.lone = append(j.lone, loner{f.value, under, nil, "it is a variable, and is used elsewhere, in a login perhaps"})
			continue
		}
		found, trouble := j.partner(m, stem, p)
		if found == nil {
			j.lone = append(j.lone, loner{f.value, under, all, trouble})
			continue
		}
		found.mapping, found.registry, found.place = m, f.value, p
		j.pairs = append(j.pairs, *found)
	}
}

// variableKeys are the keys of mappings that hold variables, or arguments of a pipeline's steps.
var variableKeys = []string{"env", "environment", "variables", "with", "inputs", "params", "parameters", "locals"}

func repeated(m *node, key string) bool {
	n := 0
	for _, f := range m.fields {
		if f.key == key {
			n++
		}
	}
	return n > 1
}

// partnerKeys are the keys, behind the stem of the registry's key, under which the repository may be.
var partnerKeys = []string{"repository", "repo", "imagerepository", "imagename", "image", "name"}

// plainStems are what may stand before registry where the repository's key has no stem of its own.
var plainStems = []string{"", "image", "docker", "container", "ecr", "oci"}

// partner finds the repository that belongs to a registry: by the order of the keys, whatever the Oracle says of it.
func (j *judge) partner(m *node, stem string, p place) (*pair, string) {
	f, ok := partnerField(m, stem)
	if !ok {
		return nil, thirdPart(m)
	}
	text := f.value.text
	if repeated(m, f.key) {
		return nil, fmt.Sprintf("%q is there more than once", f.key)
	}
	if j.hosts.in([]byte(text)) {
		return nil, fmt.Sprintf("%q beside it has a registry too", f.key)
	}
	c := pair{repository: f.value}
	if c.name, c.size = j.name(p, text); c.size == 0 {
		if text != "" {
			return nil, fmt.Sprintf("%q beside it is not a plain name: %s", f.key, clean(text))
		}
		return nil, thirdPart(m)
	}
	c.name = withVersion(c.name, m, stem)
	c.answer = j.oracle.Ask(c.name)
	c.trouble = j.joined(m, p, f)
	if c.answer.Verdict == mention.NotMoved && !strings.Contains(plainKey(f.key), "repo") {
		return nil, c.trouble // a name of something else, perhaps
	}
	return &c, ""
}

// partnerField is the field beside a registry that the repository is in.
func partnerField(m *node, stem string) (field, bool) {
	best, rank := field{}, len(partnerKeys)
	for _, f := range m.fields {
		if f.value.kind != scalar {
			continue
		}
		key := plainKey(f.key)
		r := -1
		if rest, ok := strings.CutPrefix(key, stem); ok {
			r = slices.Index(partnerKeys, rest)
		}
		if r < 0 && slices.Contains(plainStems, stem) {
			r = slices.Index(partnerKeys, key)
		}
		if r < 0 && key == stem && strings.HasSuffix(stem, "image") {
			r = slices.Index(partnerKeys, "image")
		}
		if r >= 0 && r < rank {
			best, rank = f, r
		}
	}
	return best, rank < len(partnerKeys)
}

// thirdPart names a field that takes part in the join in a way that only the template knows.
func thirdPart(m *node) string {
	for _, f := range m.fields {
		key := plainKey(f.key)
		part := (strings.Contains(key, "prefix") || strings.Contains(key, "suffix")) && !strings.Contains(key, "tag")
		if part && f.value.kind == scalar && f.value.text != "" {
			return fmt.Sprintf("%q is beside it, and how they are joined only the template knows", f.key)
		}
	}
	return ""
}

// joined says what speaks against a plain join of registry and repository: a third part.
func (j *judge) joined(m *node, p place, repository field) string {
	if third := thirdPart(m); third != "" {
		return third
	}
	for _, f := range m.fields {
		if f.value.kind != scalar || f.value.text == "" || f.value == repository.value || !slices.Contains(pathKeys, plainKey(f.key)) {
			continue
		}
		for _, text := range []string{f.value.text + "/" + repository.value.text, repository.value.text + "/" + f.value.text} {
			if n, size := j.name(p, text); size > 0 && j.oracle.Ask(n).Verdict != mention.NotMoved {
				return fmt.Sprintf("%q is beside it, and %s exists as well", f.key, n.Repository.Name)
			}
		}
	}
	return ""
}

// pathKeys are the keys of what may be a part of a repository's path.
var pathKeys = []string{
	"namespace", "organization", "organisation", "org", "owner", "team", "project", "path", "repository", "repo", "group", "image", "name", "imagename",
}

// clean is a text for a sentence.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// change is what a pair becomes. The two are the new text of the registry's part and of the repository's name.
func (p pair) change() (registry, repository string, ok bool) {
	t := p.answer.Target
	if t.Path == "" {
		return "", "", false
	}
	name := p.repository.text[:p.size]
	if p.place.path != "" {
		if prefix, found := strings.CutSuffix(t.String(), "/"+name); found {
			return prefix, name, true
		}
	}
	return t.Repository.Host(), t.Name(), true
}

// settlePairs edits the pairs. Those that share a registry or a repository go together or not at all.
func (j *judge) settlePairs() {
	j.count()
	for _, group := range j.connected() {
		why := j.against(group)
		if why == "" {
			number := j.group()
			for _, p := range group {
				registry, repository, _ := p.change()
				j.edit(p.registry.part(p.place.part), registry, p.name, p.answer, number)
				j.tell(p.registry)
				if repository != p.repository.text[:p.size] {
					j.edit(p.repository.part(mention.Span{End: p.size}), repository, p.name, p.answer, number)
				}
			}
			continue
		}
		j.refuse(group, why)
	}
}

// refuse keeps what a group of pairs consists of, and tells of it where the registry is.
func (j *judge) refuse(group []pair, why string) {
	p := group[0]
	kind, do := mention.SplitUnknown, byHand
	if len(group) == 1 && p.trouble == "" && p.answer.Verdict != mention.Proved {
		kind, do = mention.Unproved, "Copy and verify it, then run transship rewrite again."
		if p.answer.Verdict == mention.NotMoved {
			do = "Add its repository to the migration, or leave it here."
		}
	}
	for _, p := range group {
		j.keep(p.registry.span)
		j.keep(p.repository.span)
		j.tell(p.registry)
	}
	j.find(p.registry.where(), kind, why, do)
}

// connected are the pairs that share a value, directly or by another pair.
func (j *judge) connected() [][]pair {
	owner := map[*node]int{}
	var out [][]pair
	for _, p := range j.pairs {
		to := len(out)
		out = append(out, []pair{p})
		for _, n := range []*node{p.registry, p.repository} {
			from, shared := owner[n]
			if !shared || from == to {
				continue
			}
			for _, q := range out[from] {
				owner[q.registry], owner[q.repository] = to, to
			}
			out[to] = append(out[from], out[to]...)
			out[from] = nil
		}
		owner[p.registry], owner[p.repository] = to, to
	}
	return slices.DeleteFunc(out, func(g []pair) bool { return len(g) == 0 })
}

// against says why a group of pairs cannot be rewritten, if anything speaks against it.
func (j *judge) against(group []pair) string {
	written := map[*node]string{}
	var unproved []string
	for _, p := range group {
		registry, repository, ok := p.change()
		switch {
		case p.trouble != "":
			return "The registry is in a field of its own: " + p.trouble + "."
		case p.answer.Verdict != mention.Proved || !ok:
			unproved = append(unproved, p.name.String())
			continue
		case p.registry.span == mention.Span{} || p.repository.span == mention.Span{}:
			return fmt.Sprintf("%s is in two fields, and one of them is not written to the letter.", p.name)
		}
		for n, text := range map[*node]string{p.registry: registry, p.repository: repository + p.repository.text[p.size:]} {
			if before, ok := written[n]; ok && before != text {
				return "The values are used in several places, for which they would have to become different ones."
			}
			written[n] = text
		}
	}
	if len(unproved) > 0 {
		return unprovedWhy(group, unproved)
	}
	for _, p := range group {
		if why := j.elsewhere(p); why != "" {
			return why
		}
	}
	for n := range written {
		if j.usedElsewhere(n) {
			return "The value is an anchor, and is also used where it is not known what for."
		}
	}
	return ""
}

func unprovedWhy(group []pair, unproved []string) string {
	if len(group) > 1 {
		slices.Sort(unproved)
		unproved = slices.Compact(unproved)
		return fmt.Sprintf("One registry serves several repositories, of which some are not proved: %s.", enumerate(unproved))
	}
	why := group[0].answer.Why
	if why == "" {
		why = "verify did not prove that it arrived"
	}
	return fmt.Sprintf("%s is in two fields: %s", unproved[0], sentence(why))
}

// elsewhere says where the repository of a pair is used, by a merge key, without the pair's registry.
func (j *judge) elsewhere(p pair) string {
	holders := j.holders[p.repository]
	if len(holders) < 2 {
		return ""
	}
	for _, m := range holders {
		if !j.paired[[2]*node{m, p.repository}] {
			return "The repository is merged into several mappings, not all of which have this registry."
		}
	}
	return ""
}

// count notes which values are in pairs, and how often.
func (j *judge) count() {
	j.paired, j.inPairs = map[[2]*node]bool{}, map[*node]int{}
	for _, p := range j.pairs {
		j.paired[[2]*node{p.mapping, p.repository}] = true
		j.inPairs[p.registry]++
		j.inPairs[p.repository]++
	}
}

// usedElsewhere reports whether an anchor is used where there is no pair. Where it is defined does not count, when that is
// under a key that is there for anchors alone.
func (j *judge) usedElsewhere(n *node) bool {
	places := n.uses + 1
	for _, m := range j.holders[n] {
		for _, f := range m.fields {
			if f.value == n && (strings.HasPrefix(f.key, "x-") || strings.HasPrefix(f.key, ".")) {
				places--
			}
		}
	}
	return n.uses > 0 && places > j.inPairs[n]
}

// enumerate names a few of many.
func enumerate(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// sentence gives a text the dot that ends it.
func sentence(s string) string { return strings.TrimSuffix(s, ".") + "." }
