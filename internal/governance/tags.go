package governance

import (
	"fmt"
	"strings"

	"transship/internal/document"
)

// The modes of tag mutability. FACTS A5 [S].
const (
	mutable                = "MUTABLE"
	immutable              = "IMMUTABLE"
	immutableWithExclusion = "IMMUTABLE_WITH_EXCLUSION"
	mutableWithExclusion   = "MUTABLE_WITH_EXCLUSION"
)

// immutability sets immutable tags where all members have them. Artifact Registry knows no exclusions, and one setting
// for all that a repository holds; where tags of some must move, those of none can be held. FACTS C4.
func (g *governor) immutability(group *group) {
	movable := movable(group)
	group.planned.Settings.ImmutableTags = len(group.members) > 0 && len(movable) == 0
	for _, m := range group.members {
		t := document.Translation{Setting: document.SettingImmutability}
		switch m.TagMutability {
		case immutable:
			t.Was = "tags are immutable"
			if len(movable) == 0 {
				t.Fate, t.Becomes = document.FateLater, "immutable tags"
				t.Reason = "it is set at the end, since it would hold up tags that move until then"
				t.Decide = `run "transship provision --finish" when nothing is pushed to ECR any more`
				break
			}
			t.Fate = document.FateRefused
			t.Reason = fmt.Sprintf("%s holds %s too, whose tags may move, and Artifact Registry has one setting for all", group.planned.URI, list(movable))
			t.Decide = "map it to a repository with others that are immutable (layout: grouped does), or accept that its tags can be moved"
		case immutableWithExclusion, mutableWithExclusion:
			t.Was = fmt.Sprintf("tags are %s but for %s", map[string]string{immutableWithExclusion: "immutable", mutableWithExclusion: "mutable"}[m.TagMutability],
				strings.Join(m.TagExclusions, ", "))
			t.Fate = document.FateRefused
			t.Reason = "Artifact Registry knows no exclusions"
			t.Decide = "decide which matters more: set immutable tags on the repository by hand, or accept that all tags can be moved"
		case mutable, "":
			t.Was, t.Fate, t.Becomes = "tags may move", document.FateExact, "tags may move"
		default:
			t.Was, t.Fate = "tag mutability is "+m.TagMutability, document.FateRefused
			t.Reason = "this Transship does not know that mode"
			t.Decide = "look up what it means, and set immutable tags by hand where it is right"
		}
		m.tell(t)
	}
}

// movable are the members whose tags may move.
func movable(group *group) (names []string) {
	for _, m := range group.members {
		if m.TagMutability != immutable {
			names = append(names, m.Name)
		}
	}
	return names
}

// list names the first few of names.
func list(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
