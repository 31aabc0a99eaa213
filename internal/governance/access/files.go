package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"transship/internal/document"
	"transship/internal/ref"
)

// File is one file for review.
type File struct {
	Name    string // without .yaml
	Target  ref.TargetRepository
	Content []byte
}

// PrincipalsName is the name of the file that says who stands for whom, without .yaml.
const PrincipalsName = "principals"

// Files are the files for review, one a target repository for which there is a suggestion, sorted by name. A name is
// LOCATION-PROJECT-REPOSITORY; where two repositories would have the same one, each has a sum behind it.
func Files(grants []document.Grant) []File {
	byTarget := map[ref.TargetRepository][]document.Grant{}
	byName := map[string]int{}
	for _, g := range grants {
		if len(byTarget[g.Target]) == 0 {
			byName[fileName(g.Target)]++
		}
		byTarget[g.Target] = append(byTarget[g.Target], g)
	}
	out := make([]File, 0, len(byTarget))
	for target, of := range byTarget {
		f := File{Name: fileName(target), Target: target}
		if byName[f.Name] > 1 || f.Name == PrincipalsName {
			f.Name += "-" + sum([]byte(target.ResourceName()))[:8]
		}
		f.Content = seal(review(f.Name, target, of))
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func fileName(r ref.TargetRepository) string {
	return strings.ReplaceAll(r.Location+"-"+r.Project+"-"+r.ID, ":", "_")
}

// sealed is the first line of what Transship writes.
var sealed = regexp.MustCompile(`^# Written by Transship, sum ([0-9a-f]{16}): .*\n`)

// seal puts a line before a content that says whether it is still as it was written.
func seal(content string) []byte {
	return fmt.Appendf(nil, "# Written by Transship, sum %s: once you change this file, it is left as it is.\n%s", sum([]byte(content)), content)
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

// Ours reports whether Transship wrote a file, whatever became of it since.
func Ours(b []byte) bool { return sealed.Match(b) }

// Untouched reports whether a file is as Transship wrote it.
func Untouched(b []byte) bool {
	m := sealed.FindSubmatchIndex(b)
	return m != nil && string(b[m[2]:m[3]]) == sum(b[m[1]:])
}

// SameOrigin reports whether two files, whatever became of them since, were written with the same content.
func SameOrigin(a, b []byte) bool {
	m, n := sealed.FindSubmatch(a), sealed.FindSubmatch(b)
	return m != nil && n != nil && string(m[1]) == string(n[1])
}

func review(name string, target ref.TargetRepository, grants []document.Grant) string {
	var b strings.Builder
	fmt.Fprintf(&b, `#
# Who may do what in %s,
# as the policies of ECR suggest. Nothing of it is granted before you say so:
#
#   transship provision --iam DIR --apply %s
#
# gives what has "apply: true", after a question, and never takes anything away. What has "decide:" is open:
# read it, and set "apply: true" only if that is what you want. Members come from %s.yaml.
# A role is for everything that the repository holds, also for what is pushed later.
repository: %s
grants:
`, target, name, PrincipalsName, target)
	for _, g := range grants {
		fmt.Fprintf(&b, "  # %s: %s\n", comment(findPrincipal(g.Principal).String()), strings.Join(g.Actions, ", "))
		for i, s := range g.Sources {
			if i == maxSources {
				fmt.Fprintf(&b, "  #   and by %d more policies\n", len(g.Sources)-i)
				break
			}
			fmt.Fprintf(&b, "  #   by the policy of %s\n", comment(s))
		}
		if hint := Hint(g.Principal); g.Member == "" && hint != "" {
			fmt.Fprintf(&b, "  # a member might be %s\n", comment(hint))
		}
		fmt.Fprintf(&b, "  - role: %s\n    member: %s\n    aws: %s\n", g.Role, quote(g.Member), quote(g.Principal))
		if g.Decide != "" {
			fmt.Fprintf(&b, "    decide: %s\n", quote(g.Decide))
		}
		fmt.Fprintf(&b, "    apply: %t\n", g.Decide == "")
	}
	return b.String()
}

// maxSources is how many policies are named for a grant.
const maxSources = 20

// comment is a text that cannot end the comment that it stands in.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// PrincipalsFile is the file in which the user says who stands for whom: everybody who was found, with what the user has
// said already.
func PrincipalsFile(found []Principal, known Principals) []byte {
	var b strings.Builder
	b.WriteString(`#
# Who at Google stands for whom at AWS. Fill in google: with a member or a list of members, such as
#   user:NAME@DOMAIN, group:NAME@DOMAIN, serviceAccount:NAME@PROJECT.iam.gserviceaccount.com,
#   principal://… and principalSet://… of workload identity federation.
# Then run the same command again. Whoever has no member is given nothing. The first entry that matches counts;
# in aws, * and ? are wildcards.
principals:
`)
	for _, p := range found {
		fmt.Fprintf(&b, "  # %s", p.Kind)
		if hint := Hint(p.ID); hint != "" {
			fmt.Fprintf(&b, "; %s", comment(hint))
		}
		fmt.Fprintf(&b, "\n  - aws: %s\n    google:%s\n", quote(p.ID), memberList(known.Members(p)))
	}
	return seal(b.String())
}

func memberList(members []string) string {
	switch len(members) {
	case 0:
		return ""
	case 1:
		return " " + quote(members[0])
	}
	var out string
	for _, m := range members {
		out += "\n      - " + quote(m)
	}
	return out
}
