package proved

import (
	"fmt"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
)

// Fate says what a way back leads to.
type Fate string

// The fates.
const (
	Returns    Fate = "returns"     // the source has it, under this name
	TargetOnly Fate = "target-only" // only the target has it
	Ambiguous  Fate = "ambiguous"   // several source repositories lead to that name
)

// Origin is where a name at the target comes from.
type Origin struct {
	Fate   Fate
	Source ref.Repository // where it returns to
	Why    string         // a sentence, where it does not return
}

// Prefixes are what the names at the target begin with: their Artifact Registry repositories, without a slash at the end.
func (k *Known) Prefixes() []string {
	var out []string
	for _, r := range k.repositories {
		if r.target != (ref.TargetImage{}) {
			out = append(out, r.target.Repository.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Back says where a name at the target comes from.
func (k *Known) Back(p references.Path) Origin {
	all := k.back[p.Name]
	if len(all) == 0 {
		return Origin{Fate: TargetOnly, Why: "no repository of the source leads to this name"}
	}
	holders := slices.DeleteFunc(slices.Clone(all), func(r *repository) bool { return !r.holds(p) })
	switch len(holders) {
	case 0:
		return Origin{Fate: TargetOnly, Why: k.onlyThere(p)}
	case 1:
		return Origin{Fate: Returns, Source: holders[0].source}
	}
	names := make([]string, 0, len(holders))
	for _, r := range holders {
		names = append(names, r.source.String())
	}
	return Origin{Fate: Ambiguous, Why: "several repositories of the source lead to this name: " + strings.Join(names, ", ")}
}

func (k *Known) onlyThere(p references.Path) string {
	if e := k.extra[p.Name]; e != nil && (p.Digest != "" && e.digests[p.Digest] || p.Digest == "" && e.tags[p.Tag]) {
		return fmt.Sprintf("verify found it at the target alone, on %s", day(k.looked))
	}
	return fmt.Sprintf("the source did not have it when verify looked on %s", day(k.looked))
}

// holds reports whether the source has what a name at the target says: it is verified, or verify called it missing,
// different or left out at the target, all of which says that the source has it.
func (r *repository) holds(p references.Path) bool {
	switch {
	case r.listed, p.Tag == "" && p.Digest == "":
		return true
	case p.Digest != "":
		_, ok := slices.BinarySearch(r.digests, p.Digest)
		return ok || slices.ContainsFunc(r.cases, func(c document.Case) bool { return c.SourceDigest == p.Digest })
	}
	return slices.ContainsFunc(r.tags, func(t document.VerifiedTag) bool { return t.Tag == p.Tag }) ||
		slices.ContainsFunc(r.cases, func(c document.Case) bool { return c.Tag == p.Tag && c.SourceDigest != "" })
}
