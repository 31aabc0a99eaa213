package label

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/ref"
)

// Source is a repository of ECR with its tags.
type Source struct {
	Repository ref.Repository
	Tags       map[string]string
}

// Shared is what the repositories of one target have in common.
type Shared struct {
	Labels  map[string]string        // what all have with the same value
	Sources [][]document.Translation // what became of the tags of each, in the order of the sources
	Lost    []document.Translation   // one for each label that not all have alike; sorted by key
}

// Share returns the labels of a target repository to which all sources go: those that are true of all of them.
func Share(sources []Source) Shared {
	out := Shared{Labels: map[string]string{}, Sources: make([][]document.Translation, len(sources))}
	labels := make([]map[string]string, len(sources))
	all := map[string]bool{}
	for i, s := range sources {
		labels[i], out.Sources[i] = Translate(s.Tags)
		for key := range labels[i] {
			all[key] = true
		}
	}
	lost := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		value, shared := labels[0][key]
		for _, l := range labels {
			v, ok := l[key]
			shared = shared && ok && v == value
		}
		if shared {
			out.Labels[key] = value
			continue
		}
		lost[key] = differences(key, sources, labels)
		out.Lost = append(out.Lost, document.Translation{
			Setting: document.SettingLabel, Item: key, Was: lost[key], Fate: document.FateRefused,
			Reason: "a label belongs to the whole repository, and is not true of all that goes there",
			Decide: "map repositories with other tags to other targets if the label matters, or do without it",
		})
	}
	for i := range sources {
		for j := range out.Sources[i] {
			refuse(&out.Sources[i][j], lost)
		}
	}
	return out
}

// refuse takes back what became of a tag whose label is lost.
func refuse(s *document.Translation, lost map[string]string) {
	key, _, _ := strings.Cut(s.Becomes, "=")
	if how, ok := lost[key]; ok {
		s.Becomes, s.Fate = "", document.FateRefused
		s.Reason = fmt.Sprintf("the repositories that go to the same target differ in the label %s: %s", key, how)
	}
}

// maxValues is how many values of a label are named.
const maxValues = 4

// differences says which values a label has, in how many sources, the most frequent first.
func differences(key string, sources []Source, labels []map[string]string) string {
	type held struct {
		text  string
		count int
		first ref.Repository
	}
	found := map[string]*held{}
	for i, l := range labels {
		value, ok := l[key]
		text := "none"
		if ok {
			text = key + "=" + value
		}
		if found[text] == nil {
			found[text] = &held{text: text, first: sources[i].Repository}
		}
		h := found[text]
		h.count++
		if sources[i].Repository.Compare(h.first) < 0 {
			h.first = sources[i].Repository
		}
	}
	list := slices.SortedFunc(maps.Values(found), func(a, b *held) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.text, b.text))
	})
	var parts []string
	for i, h := range list {
		if i == maxValues {
			parts = append(parts, fmt.Sprintf("%d more values", len(list)-i))
			break
		}
		if h.count == 1 {
			parts = append(parts, fmt.Sprintf("%s in %s", h.text, h.first.Name))
		} else {
			parts = append(parts, fmt.Sprintf("%s in %d repositories such as %s", h.text, h.count, h.first.Name))
		}
	}
	return strings.Join(parts, ", ")
}
