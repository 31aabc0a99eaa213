package rewrite

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// What is said of the mentions that are found by value.
const (
	whyVariableName = "A variable, a pattern or a sign that no name ends with continues the name of the repository, so which one is meant is not known."
	doVariableName  = "See which repositories the variable stands for. If all of them moved, replace the host and its slash by the target's prefix by hand."
	whyHostOnly     = "The host of ECR stands here without a repository: what is joined to it is not known."
	doHostOnly      = "See what is joined to it. If all of that moved, replace it by the target's prefix by hand; a login wants another command."
	whyEscaped      = "The slash behind the host is escaped, as in a pattern or an address."
	doEscaped       = "See what the pattern matches. If those references move, write the new name into it as well, escaped in the same way."
	doUnproved      = `Copy it and run "transship verify", then run this command again; or see whether the reference is still needed.`
	doNotMoved      = "Add the repository to the migration, or leave the reference in ECR on purpose."
	doOther         = "Nothing, if this registry stays. Otherwise make it a source of the migration and run it."
	doAmbiguous     = "Write by hand the one that is meant."
	doTargetOnly    = "Push the image to ECR before this reference goes back, or keep it in Artifact Registry."
	whyVariableBack = "A variable or a pattern continues the name at the target, so which repository it came from is not known."
	doVariableBack  = "Write the reference to ECR by hand."
	whyHuge         = "The file has more than 8 MiB: only whole references were looked for, not what else may name ECR."
	doHuge          = "Look through it by hand, or make it anew if a tool writes it."
	whyHalf         = "One part of this reference must stay as it is, so the other part was left as well."
	doHalf          = "Change both parts or none, by hand."
	whyOutgrown     = "This was replaced by an earlier run, and the file has changed since, so that the place is not certain."
	doOutgrown      = "Take it back by hand; rewrite.json has what was there before."
	whyTwins        = "Several files held this text after an earlier run and were different before, and which of them this one is, is not known."
	doTwins         = "Take it back by hand, or with the version control of the files."
)

func whyOther(r ref.Registry) string {
	return fmt.Sprintf("The registry of account %s in %s is not a source of this migration.", r.Account, r.Region)
}

// sentence begins s with a capital letter and ends it with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// unopened is the finding about a path that was named and cannot be looked at.
func unopened(path string, err error) mention.Finding {
	return mention.Finding{
		File: path, Kind: mention.Unreadable, Why: sentence("it cannot be looked at: " + err.Error()),
		Do: "Name a path that exists and can be read, and run the command again.",
	}
}

// unread is the finding about a file that cannot be read.
func unread(path string, err error) mention.Finding {
	return mention.Finding{
		File: path, Kind: mention.Unreadable, Why: sentence("it cannot be read: " + err.Error()),
		Do: "Make it readable and run the command again, or ignore it.",
	}
}

// unknown is the finding about a file whose letters are not known.
func unknown(path string, err error) mention.Finding {
	return mention.Finding{
		File: path, Kind: mention.Unreadable, Why: sentence(err.Error()),
		Do: "Save it as UTF-8 and run the command again, or ignore it if no person wrote it.",
	}
}

// unwritten is the finding about a file that was not changed.
func unwritten(path string, line int, err error) mention.Finding {
	return mention.Finding{
		File: path, Line: line, Kind: mention.Unwritten, Why: sentence("it was not changed: " + err.Error()),
		Do: "See to it and run the command again: it does what is left.",
	}
}

// awsAccounts are accounts in which AWS itself keeps images for its customers: add-ons of EKS, deep learning containers,
// SageMaker. There are more, a region at a time; one that is not here is told of like any other account.
var awsAccounts = []string{
	"013241004608", "066635153087", "121021644041", "151742754352", "174872318107", "246618743249", "257758044811", "296578399912",
	"382416733822", "404615174143", "455263428931", "520713654638", "558608220178", "590381155156", "602401143452", "683313688378",
	"727897471807", "746614075791", "759879836304", "763104351884", "800184023465", "811284229777", "877085696533", "900889452093",
	"918309763551", "961992271922",
}

func awsOwned(r ref.Registry) bool {
	_, ok := slices.BinarySearch(awsAccounts, r.Account)
	return ok
}

// OfAWS reports whether a host is one of those from which AWS serves images of its own.
func OfAWS(h references.Host) bool { return awsOwned(h.Registry) }
