package cleanup

import (
	"slices"
	"strings"
	"time"

	"transship/internal/document"
	"transship/internal/governance/image"
)

// Variant is one way in which Artifact Registry may work where nobody has confirmed how it does. FACTS B6 [I], F3 [U].
// The zero value is what the documentation suggests: ages begin at the upload, everything counts.
type Variant struct {
	FromPush       bool // ages go on from the push into ECR
	SkipChildren   bool // what an index holds takes no place in keepCount
	SkipReferrers  bool // what describes another version takes no place in keepCount
	LooseReferrers bool // such a version is deleted like any other, though its subject stays
	Immutable      bool // the tags are immutable, and that keeps what has one
}

// Variants is all of them, from the zero value.
func Variants() []Variant {
	out := make([]Variant, 1<<5)
	for n := range out {
		bit := func(b int) bool { return n>>b&1 == 1 }
		out[n] = Variant{bit(0), bit(1), bit(2), bit(3), bit(4)}
	}
	return out
}

// Version is an image as Artifact Registry has it.
type Version struct {
	image.Image
	UploadedAt time.Time
}

// Package is one image path with its versions.
type Package struct {
	Name     string
	versions []Version
	graph    image.Graph
}

// NewPackage is a package with those versions.
func NewPackage(name string, versions []Version) Package {
	images := make([]image.Image, len(versions))
	for n, v := range versions {
		images[n] = v.Image
	}
	return Package{Name: name, versions: versions, graph: image.NewGraph(images)}
}

// Related tells whether any version holds or describes another one.
func (p Package) Related() (children, referrers bool) {
	return p.graph.Parents != nil, p.graph.Subject != nil
}

// Evaluate names, for each version, the policy that has deleted it by a time if nothing else is uploaded; it is empty
// where the version stays. FACTS B2 [D], B6 [I]:
//
//   - What any policy keeps stays. Of a condition all that is set must hold; of a list of prefixes, one is enough.
//   - Of versions that are equally old, any may be the one that most recent versions leave out.
//   - A version that an index holds stays until its indexes are deleted.
//   - A version that describes another one goes with it, and never alone unless the variant says so.
//
// Where that leaves doubts, Artifact Registry is taken for deleting more.
func (p Package) Evaluate(policies []document.CleanupPolicy, at time.Time, v Variant) []string {
	out := make([]string, len(p.versions))
	var deletes, keeps []document.CleanupPolicy
	for _, policy := range Covering(policies, p.Name) {
		switch {
		case strings.EqualFold(policy.Action, document.CleanupDelete):
			deletes = append(deletes, policy)
		default:
			keeps = append(keeps, policy)
		}
	}
	if len(deletes) == 0 {
		return out
	}
	kept := p.kept(keeps, at, v)
	marked := make([]bool, len(p.versions))
	for n, version := range p.versions {
		if kept[n] || (v.Immutable && len(version.Tags) > 0) {
			continue
		}
		for _, policy := range deletes {
			if policy.Condition != nil && holds(policy.Condition, version, v.stamp(version), at) {
				out[n], marked[n] = policy.ID, true
				break
			}
		}
	}
	p.graph.Fall(marked, v.LooseReferrers)
	for n := range out {
		switch {
		case !marked[n]:
			out[n] = ""
		case out[n] == "":
			out[n] = p.cause(n, out)
		}
	}
	return out
}

// kept is what the policies keep.
func (p Package) kept(keeps []document.CleanupPolicy, at time.Time, v Variant) []bool {
	kept := make([]bool, len(p.versions))
	for _, policy := range keeps {
		var limit time.Time
		if policy.MostRecent != nil {
			limit = p.limit(policy.MostRecent.KeepCount, v)
		}
		for n, version := range p.versions {
			switch stamp := v.stamp(version); {
			case kept[n]:
			case policy.Condition != nil:
				kept[n] = holds(policy.Condition, version, stamp, at)
			case policy.MostRecent != nil:
				kept[n] = p.counts(n, v) && (limit.IsZero() || stamp.After(limit))
			}
		}
	}
	return kept
}

// limit is the age of the youngest version that is not among the most recent ones; zero where all are.
func (p Package) limit(keep int, v Variant) time.Time {
	var stamps []time.Time
	for n, version := range p.versions {
		if p.counts(n, v) {
			stamps = append(stamps, v.stamp(version))
		}
	}
	if keep < 0 || len(stamps) <= keep {
		return time.Time{}
	}
	slices.SortFunc(stamps, func(a, b time.Time) int { return b.Compare(a) })
	return stamps[keep]
}

// counts tells whether a version takes a place among the most recent ones.
func (p Package) counts(n int, v Variant) bool {
	return (!v.SkipChildren || !p.graph.Child(n)) && (!v.SkipReferrers || !p.graph.Referrer(n))
}

// cause is the policy that deleted what a version describes, or what that describes, and so on.
func (p Package) cause(n int, ids []string) string {
	for range ids {
		if ids[n] != "" || !p.graph.Referrer(n) {
			break
		}
		n = p.graph.Subject[n]
	}
	return ids[n]
}

// stamp is the time from which a version's age counts.
func (v Variant) stamp(version Version) time.Time {
	if v.FromPush {
		return version.PushedAt
	}
	return version.UploadedAt
}

// holds tells whether a condition covers a version of that age. That of packages is left to the caller.
func holds(c *document.CleanupCondition, version Version, stamp, at time.Time) bool {
	tagged := len(version.Tags) > 0
	switch {
	case strings.EqualFold(c.TagState, document.Tagged) && !tagged,
		strings.EqualFold(c.TagState, document.Untagged) && tagged,
		c.OlderThan != 0 && !at.After(after(stamp, c.OlderThan)),
		c.NewerThan != 0 && at.After(after(stamp, c.NewerThan)),
		len(c.VersionPrefixes) > 0 && !covers(c.VersionPrefixes, version.Digest.String()):
		return false
	}
	return len(c.TagPrefixes) == 0 || slices.ContainsFunc(version.Tags, func(tag string) bool { return covers(c.TagPrefixes, tag) })
}

// covers tells whether a name begins with one of the prefixes; where there is none, all do.
func covers(prefixes []string, name string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// Covering is the policies that cover a package, without their prefixes of packages.
func Covering(policies []document.CleanupPolicy, name string) []document.CleanupPolicy {
	var out []document.CleanupPolicy
	for _, p := range policies {
		if !covers(Packages(p), name) {
			continue
		}
		switch {
		case p.MostRecent != nil:
			p.MostRecent = &document.MostRecent{KeepCount: p.MostRecent.KeepCount}
		case p.Condition != nil:
			c := *p.Condition
			c.PackagePrefixes = nil
			p.Condition = &c
		}
		out = append(out, p)
	}
	return out
}

// Packages is how the names of the packages begin that a policy covers; where there is none, it covers all.
func Packages(p document.CleanupPolicy) []string {
	switch {
	case p.MostRecent != nil:
		return p.MostRecent.PackagePrefixes
	case p.Condition != nil:
		return p.Condition.PackagePrefixes
	}
	return nil
}

func after(t time.Time, age document.Seconds) time.Time {
	return time.Unix(t.Unix()+int64(age), int64(t.Nanosecond()))
}
