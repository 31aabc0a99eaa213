package structure

import (
	"fmt"
	"slices"
	"strings"

	"transship/internal/rewrite/mention"
)

// loner is a registry that no repository is beside.
type loner struct {
	registry *node
	key      string // that its mapping is under
	all      []*node
	trouble  string
}

// settleLone tells of registries that no repository is beside.
func (j *judge) settleLone() {
	looked := 0
	for _, l := range j.lone {
		if j.isTold(l.registry) {
			continue // it is used elsewhere, with a repository
		}
		p, _ := j.hosts.place(l.registry.text)
		j.tell(l.registry)
		j.keep(l.registry.span)
		at := l.registry.where()
		if l.trouble != "" {
			j.find(at, mention.SplitUnknown, "The registry is in a field of its own: "+l.trouble+".",
				byHand)
			continue
		}
		why := "The registry is in a field of its own, and the repositories that it is joined with are not beside it."
		do := "Look where it is used, and write the new registry and repositories there."
		if looked++; looked <= maxLone {
			if served, prefix := j.served(l, p); len(served) > 0 {
				why = fmt.Sprintf("The registry is in a field of its own, and may serve several images, those of other charts too. Here: %s.", enumerate(served))
				if prefix != "" {
					do = fmt.Sprintf("When nothing else takes it, write %s here and leave the repositories as they are.", prefix)
				}
			}
		}
		j.find(at, mention.SplitUnknown, why, do)
	}
}

// What is looked at to say which images a registry serves.
const (
	maxLone     = 20 // registries of a file
	maxMappings = 500
)

// served are the images that a registry may serve which is not beside them, with what is known of them. The prefix is what
// the registry could become, with all of them as they are; empty where that would not do.
func (j *judge) served(l loner, p place) (out []string, prefix string) {
	fits := true
	for _, m := range l.all[:min(len(l.all), maxMappings)] {
		text := m.word("repository", "image", "imageName", "imageRepository")
		if text == "" || ownRegistry(m, l.registry) {
			continue
		}
		n, size := j.name(p, text)
		if size == 0 || j.hosts.in([]byte(text)) {
			continue
		}
		n = withVersion(n, m, "")
		a := j.oracle.Ask(n)
		out = append(out, fmt.Sprintf("%s (%s)", strings.TrimPrefix(n.String(), p.registry.Host()+"/"), a.Verdict))
		before, ok := strings.CutSuffix(a.Target.String(), "/"+text[:size])
		fits = fits && ok && a.Verdict == mention.Proved && (prefix == "" || prefix == before)
		prefix = before
	}
	if !fits {
		prefix = ""
	}
	slices.Sort(out)
	return slices.Compact(out), prefix
}

// ownRegistry reports whether a mapping has a registry of its own, other than the one given.
func ownRegistry(m, other *node) bool {
	return slices.ContainsFunc(m.fields, func(f field) bool {
		return strings.HasSuffix(plainKey(f.key), "registry") && f.value != other && f.value.text != ""
	})
}
