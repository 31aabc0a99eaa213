package retention

import (
	"fmt"
	"strings"

	"transship/internal/document"
)

// outcome is what a rule comes to.
type outcome int

// The outcomes. FACTS C2.
const (
	byAge       outcome = iota // deletes what is older
	byCount                    // keeps the newest of all, and is the only rule that deletes
	keepsAll                   // keeps so many that nothing is deleted; other rules need to know
	keepsIdle                  // the same, and no other rule touches its images
	transitions                // archives
	leaves                     // deletes from the archive
	unknown                    // is not understood
	shadowed                   // selects only what a rule before it selects
	severalTags                // wants several tags of one image
	wholeTag                   // wants a tag and not a prefix
	wildcard                   // wants what no prefix says
	tooOld                     // counts more days than Artifact Registry can
	countTags                  // keeps the newest of some images
	countMixed                 // keeps the newest of all, and other rules delete or archive
	fallen                     // falls with a rule that shields its images
)

// row is what people are told of an outcome. In the texts, names in braces stand for what the rule is about.
type row struct {
	fate   document.Fate // by the documentation
	rests  []*assumption // on what that rests; as long as one is not confirmed, exact is approximate
	reason string
	decide string
}

// assumption is what nobody has confirmed. FACTS F3 [U].
type assumption struct {
	confirmed bool
	doubt     string
}

var (
	agesFromUpload = &assumption{doubt: "that ages count from the upload"}
	referrersStay  = &assumption{doubt: "that what describes another image is spared"}
)

const (
	restart = "Ages begin anew with the copy: the rule deletes nothing until {days} after it, and later than in ECR what is older."
	byHand  = "Nothing is deleted by this rule. Decide whether you can do without it."
)

// table is FACTS C2. It is a reading of the documentation: correct it where that proves wrong.
var table = map[outcome]row{
	byAge: {fate: document.FateExact, rests: []*assumption{agesFromUpload, referrersStay}, reason: restart},
	byCount: {fate: document.FateApproximate,
		reason: "Artifact Registry counts versions, of which an image here has up to {family}, and does not know which of the {copied} " +
			"that are copied is newer. So it keeps the newest {keep}: more than ECR, never fewer.",
		decide: "Lower keepCount to {steady} when the rule's number of newer images ({count}) has been pushed into Artifact Registry."},
	keepsAll:  {fate: document.FateExact, reason: "So few images meet it that it deletes none: it only shields them."},
	keepsIdle: {fate: document.FateNeedless, reason: "It deletes none of the images here, and nothing else does."},
	transitions: {fate: document.FateRefused, reason: "Artifact Registry has no archive: the images stay as they are.",
		decide: "Nothing is archived. Decide whether some of these images should be deleted instead."},
	leaves: {fate: document.FateNeedless, reason: "Artifact Registry has no archive, and what is archived is not copied."},
	unknown: {fate: document.FateRefused, reason: "{problem} What is not understood is not guessed.",
		decide: "Look up what the rule does, and set it in Artifact Registry by hand if you need it."},
	shadowed: {fate: document.FateNeedless, reason: "It never applies: rule {rule} selects all its images before it."},
	severalTags: {fate: document.FateRefused, decide: byHand,
		reason: "It wants images that have all of several tags; Artifact Registry would delete what has any of them."},
	wholeTag: {fate: document.FateRefused, decide: byHand,
		reason: "It wants one tag; Artifact Registry would delete all whose tags begin with it."},
	wildcard: {fate: document.FateRefused, decide: byHand,
		reason: "Artifact Registry knows tags only by how they begin."},
	tooOld: {fate: document.FateRefused, decide: byHand, reason: "Artifact Registry takes no age of more than ten thousand years."},
	countTags: {fate: document.FateRefused, decide: byHand,
		reason: "Artifact Registry keeps the newest versions of all, not of some: it could delete more."},
	countMixed: {fate: document.FateRefused, decide: byHand + " The preset \"standard\" is what people often write instead; it is no translation.",
		reason: "Artifact Registry would also count images that other rules have deleted or archived in ECR: it could delete more."},
	fallen: {fate: document.FateRefused, decide: byHand,
		reason: "Rule {rule} comes before it and keeps images that Artifact Registry cannot tell from those of this rule."},
}

// fill puts what a rule is about into a text.
func fill(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// judge is the fate of an outcome with what is not confirmed of it.
func (r row) judge() (fate document.Fate, doubts string) {
	var open []string
	for _, a := range r.rests {
		if !a.confirmed {
			open = append(open, a.doubt)
		}
	}
	if len(open) > 0 {
		doubts = " Not confirmed: " + strings.Join(open, ", and ") + "."
	}
	if doubts != "" && r.fate == document.FateExact {
		return document.FateApproximate, doubts
	}
	return r.fate, doubts
}

func days(n int) string { return plural(n, "day", "days") }

// plural is a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
