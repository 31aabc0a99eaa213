package lifecycle

import (
	"encoding/json"
	"strings"
)

// parseRule reads one rule. FACTS C1 [D].
func parseRule(text json.RawMessage) Rule {
	o, err := readObject(text)
	if err != nil {
		return Rule{Problem: "It cannot be read: " + err.Error() + ".", Blind: true}
	}
	f := fields{object: o}
	r := Rule{Priority: f.number("rulePriority"), Description: f.word("description")}
	for _, name := range unknown(o, "rulePriority", "description", "selection", "action") {
		f.wrong("It has a field %q, which is not known.", name)
	}
	selection := f.part("selection")
	r.readTags(&selection)
	r.readClass(&selection)
	// What is wrong up to here may select any image; what follows only says when something happens to it.
	r.Blind = f.problem != "" || selection.problem != ""
	r.readCount(&selection)
	action := f.part("action")
	r.readAction(&action)
	for _, problem := range []string{f.problem, selection.problem, action.problem} {
		if r.Problem == "" {
			r.Problem = problem
		}
	}
	return r
}

// readTags reads which images are selected.
func (r *Rule) readTags(f *fields) {
	for _, name := range unknown(f.object, "tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber") {
		f.wrong("Its selection has a field %q, which is not known.", name)
	}
	r.TagStatus = TagStatus(f.oneOf("tagStatus", string(Tagged), string(Untagged), string(Any)))
	patterns, prefixes := f.words("tagPatternList"), f.words("tagPrefixList")
	switch {
	case patterns != nil && prefixes != nil:
		f.wrong("It has both a tagPatternList and a tagPrefixList.")
	case r.TagStatus == Tagged && patterns == nil && prefixes == nil:
		f.wrong("It selects tagged images and has neither a tagPatternList nor a tagPrefixList.")
	case r.TagStatus != Tagged && (patterns != nil || prefixes != nil):
		f.wrong("It has a list of tags and does not select tagged images.")
	}
	for _, p := range patterns {
		if strings.Count(p, "*") > MaxWildcards {
			f.wrong("Its pattern %q has more than %d *.", p, MaxWildcards)
		}
		r.Patterns = append(r.Patterns, tidy(p))
	}
	for _, p := range prefixes {
		if strings.Contains(p, "*") {
			f.wrong("Its prefix %q has a *, which belongs in a tagPatternList.", p)
		}
		r.Patterns = append(r.Patterns, Pattern(p+"*"))
	}
}

// readClass reads in which storage the images lie.
func (r *Rule) readClass(f *fields) {
	if _, ok := f.object["storageClass"]; ok {
		r.Archive = f.oneOf("storageClass", "standard", "archive") == "archive"
	}
}

// readCount reads what is counted.
func (r *Rule) readCount(f *fields) {
	r.Count = CountType(f.oneOf("countType", string(MoreThan), string(SincePushed), string(SincePulled), string(SinceTransitioned)))
	r.Number = f.number("countNumber")
	_, unit := f.object["countUnit"]
	switch {
	case r.Count == MoreThan && unit:
		f.wrong("It has a countUnit, which does not go with imageCountMoreThan.")
	case r.Count != MoreThan:
		f.oneOf("countUnit", "days")
	}
	switch archived := r.Count == SinceTransitioned; {
	case archived && !r.Archive:
		f.wrong("It counts from the archiving and does not select the archive.")
	case !archived && r.Archive:
		f.wrong("It selects the archive and does not count from the archiving.")
	case archived && r.Number < MinArchivedDays:
		f.wrong("It counts fewer than %d days from the archiving.", MinArchivedDays)
	}
}

// readAction reads what is done.
func (r *Rule) readAction(f *fields) {
	for _, name := range unknown(f.object, "type", "targetStorageClass") {
		f.wrong("Its action has a field %q, which is not known.", name)
	}
	r.Transition = f.oneOf("type", "expire", "transition") == "transition"
	_, class := f.object["targetStorageClass"]
	switch {
	case r.Transition:
		f.oneOf("targetStorageClass", "archive")
	case class:
		f.wrong("It has a targetStorageClass and does not archive.")
	}
	switch {
	case r.Transition && r.Count == SinceTransitioned:
		f.wrong("It archives what is archived.")
	case !r.Transition && r.Count == SincePulled:
		f.wrong("It expires images by their last pull, which ECR does only for archiving.")
	}
}
