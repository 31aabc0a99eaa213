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

// Deletion is when a version is deleted, and by which policy.
type Deletion struct {
	At     image.Moment
	Policy string // its id; empty where the version stays
}

// Evaluate says of each version when the policies delete it, if nothing else is uploaded. FACTS B2 [D], B6 [I]:
//
//   - What any policy keeps stays. Of a condition all that is set must hold; of a list of prefixes, one is enough.
//   - Of versions that are equally old, any may be the one that most recent versions leave out.
//   - A version that an index holds stays until its indexes are deleted.
//   - A version that describes another one goes with it, and never alone unless the variant says so.
//
// Where that leaves doubts, Artifact Registry is taken for deleting more and earlier.
func (p Package) Evaluate(policies []document.CleanupPolicy, v Variant) []Deletion {
	out := make([]Deletion, len(p.versions))
	moments := make([]image.Moment, len(p.versions))
	policies = Covering(policies, p.Name)
	recent := p.recent(policies, v)
	for n, version := range p.versions {
		moments[n] = image.Never
		if (v.Immutable && len(version.Tags) > 0) || (p.counts(n, v) && recent.keeps(v.stamp(version))) {
			continue
		}
		moments[n], out[n].Policy = first(policies, version, v)
	}
	p.graph.Settle(moments, v.LooseReferrers)
	for n, m := range moments {
		out[n].At = m
	}
	for n := range out {
		switch {
		case moments[n] == image.Never:
			out[n].Policy = ""
		case p.graph.Referrer(n):
			p.follow(n, out)
		}
	}
	return out
}

// follow gives what goes with another version the policy that deletes that.
func (p Package) follow(n int, out []Deletion) {
	at := n
	for range out {
		if !p.graph.Referrer(at) || (out[at].Policy != "" && out[p.graph.Subject[at]].At != out[n].At) {
			break
		}
		at = p.graph.Subject[at]
	}
	out[n].Policy = out[at].Policy
}

// recent is what the policies of most recent versions keep: all, or what is younger than a limit; nothing where there
// is no such policy.
type recent struct {
	some  bool
	all   bool
	limit time.Time
}

func (r recent) keeps(stamp time.Time) bool { return r.some && (r.all || stamp.After(r.limit)) }

// recent finds the policy that keeps most.
func (p Package) recent(policies []document.CleanupPolicy, v Variant) (r recent) {
	keep := 0
	for _, policy := range policies {
		if policy.MostRecent != nil {
			r.some = true
			keep = max(keep, policy.MostRecent.KeepCount)
		}
	}
	if !r.some {
		return r
	}
	var stamps []time.Time
	for n, version := range p.versions {
		if p.counts(n, v) {
			stamps = append(stamps, v.stamp(version))
		}
	}
	if r.all = len(stamps) <= keep; !r.all {
		slices.SortFunc(stamps, func(a, b time.Time) int { return b.Compare(a) })
		r.limit = stamps[keep]
	}
	return r
}

// first is the first moment from its upload on at which a policy deletes a version and none keeps it. What most recent
// versions keep is left to the caller.
func first(policies []document.CleanupPolicy, version Version, v Variant) (image.Moment, string) {
	stamp, upload := image.At(v.stamp(version)), image.At(version.UploadedAt)
	var deletes, keeps []document.CleanupPolicy
	var changes []image.Moment
	for _, policy := range policies {
		c := policy.Condition
		if c == nil || !fits(c, version) {
			continue
		}
		if strings.EqualFold(policy.Action, document.CleanupDelete) {
			deletes = append(deletes, policy)
		} else {
			keeps = append(keeps, policy)
		}
		changes = append(changes, max(upload, stamp.Add(int64(c.OlderThan))), max(upload, stamp.Add(int64(c.NewerThan))))
	}
	if len(deletes) == 0 {
		return image.Never, ""
	}
	slices.Sort(changes)
	for _, m := range changes {
		holds := func(p document.CleanupPolicy) bool { return aged(p.Condition, stamp, m+1) }
		if slices.ContainsFunc(keeps, holds) {
			continue
		}
		if d := slices.IndexFunc(deletes, holds); d >= 0 {
			return m, deletes[d].ID
		}
	}
	return image.Never, ""
}

// counts tells whether a version takes a place among the most recent ones.
func (p Package) counts(n int, v Variant) bool {
	return (!v.SkipChildren || !p.graph.Child(n)) && (!v.SkipReferrers || !p.graph.Referrer(n))
}

// stamp is the time from which a version's age counts.
func (v Variant) stamp(version Version) time.Time {
	if v.FromPush {
		return version.PushedAt
	}
	return version.UploadedAt
}

// fits tells whether a condition covers a version at some age. That of packages is left to the caller.
func fits(c *document.CleanupCondition, version Version) bool {
	tagged := len(version.Tags) > 0
	switch {
	case strings.EqualFold(c.TagState, document.Tagged) && !tagged,
		strings.EqualFold(c.TagState, document.Untagged) && tagged,
		!covers(c.VersionPrefixes, version.Digest.String()):
		return false
	}
	return len(c.TagPrefixes) == 0 || slices.ContainsFunc(version.Tags, func(tag string) bool { return covers(c.TagPrefixes, tag) })
}

// aged tells whether a condition covers the age that counts from a stamp.
func aged(c *document.CleanupCondition, stamp, at image.Moment) bool {
	return (c.OlderThan == 0 || at > stamp.Add(int64(c.OlderThan))) && (c.NewerThan == 0 || at <= stamp.Add(int64(c.NewerThan)))
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
