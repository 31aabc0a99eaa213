package cutover

import (
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
)

// found is what a comparison of the verification with both sides of now comes to. Lists name things for people.
type found struct {
	images         int       // in scope
	references     int       // proved, and in place
	repositories   int       //
	newest, oldest time.Time // the last push, and the verification that is longest ago
	shallow        int       // repositories of which not every blob was asked for
	excluded       int       // images
	unproved       []string  // repositories that were never verified
	incomplete     []string  // of which something was missing or different
	since          []string  // references pushed or moved since
	stale          []string  // images of which it is not known any more whether they were left out
	gone           []string  // references proved once, and not at the target any more
	moved          []string  // tags that have moved on at the target
}

// verified is whether everything was proved to be at the target, after the last push, and still is there.
func (j *judge) verified() document.GateCheck {
	c := document.GateCheck{Name: CheckVerified, Title: "Everything arrived, and was verified after the last push", State: document.CheckPass}
	if j.Verification == nil {
		c.State, c.Evidence, c.Do = document.CheckFail, []string{"Nothing was verified yet."}, []string{"transship verify"}
		return c
	}
	f, u := j.found, j.Units
	if f.images == 0 && len(j.unlisted()) == 0 {
		c.State, c.Evidence, c.Do = document.CheckUnknown, []string{"There is no image in scope at the source."}, []string{"look whether the scope is the right one"}
		return c
	}
	fail := func(names []string, noun, text string, do ...string) {
		if len(names) > 0 {
			c.State, c.Do = document.CheckFail, do
			c.Evidence = append(c.Evidence, u.Count(len(names), noun)+" "+text+": "+j.some(names)+".")
		}
	}
	fail(f.unproved, "repository", "never verified", "transship verify")
	fail(f.stale, "image", "of repositories that a later verification of another part left out", "transship verify")
	fail(f.since, "reference", "pushed or moved in ECR since the verification", "transship migrate")
	fail(f.incomplete, "repository", "with something missing or different", "transship copy", "transship verify")
	fail(f.gone, "reference", "proved once, and not at the target any more", "find out who deletes there", "transship copy", "transship verify")
	c.Evidence = append(c.Evidence, fmt.Sprintf("%s of %s verified, the first at %s; the last push was at %s.",
		u.Count(f.references, "reference"), u.Count(f.repositories, "repository"), moment(f.oldest), moment(f.newest)))
	c.Evidence = append(c.Evidence, j.asides(f)...)
	if n := len(j.unlisted()); n > 0 {
		c.Evidence = append(c.Evidence, fmt.Sprintf("%s could not be listed now: %s.", u.Count(n, "repository"), j.some(j.unlisted())))
		if c.State == document.CheckPass {
			c.State, c.Do = document.CheckUnknown, []string{"transship inventory"}
		}
	}
	return c
}

// asides is what does not decide.
func (j *judge) asides(f found) []string {
	u := j.Units
	var out []string
	if f.shallow == 0 && f.repositories > 0 {
		out = append(out, "Every blob of every image was asked for.")
	} else if f.shallow > 0 {
		out = append(out, `Not every blob was asked for: "transship verify --deep" does so.`)
	}
	if n := len(f.moved); n > 0 {
		out = append(out, u.Count(n, "tag")+" moved on at the target since the switch: "+j.some(f.moved)+". What they pointed at is there.")
	}
	if f.excluded > 0 {
		out = append(out, u.Count(f.excluded, "image")+" left out by rules, and known: see verify.json.")
	}
	return out
}

// unlisted are the repositories in scope that could not be listed now.
func (j *judge) unlisted() []string {
	var out []string
	for _, f := range j.Inventory.Failures {
		out = append(out, f.Source)
	}
	return out
}

// compare compares what was verified with what both sides hold now.
func (j *judge) compare() found {
	var f found
	for _, s := range j.repositories {
		f.images += len(s.images)
		for _, i := range s.images {
			f.newest = later(f.newest, i.PushedAt)
		}
		v := s.verified
		if v == nil {
			if len(s.images) > 0 && s.excluded == "" {
				f.unproved = append(f.unproved, s.repository.String())
			}
			continue
		}
		f.repositories++
		if f.oldest.IsZero() || v.VerifiedAt.Before(f.oldest) {
			f.oldest = v.VerifiedAt
		}
		if !v.Deep {
			f.shallow++
		}
		j.compareSide(s, &f)
	}
	return f
}

func (j *judge) compareSide(s *side, f *found) {
	t := j.at(s)
	switched := !j.Switched(s.repository).IsZero()
	on := 0
	for _, i := range s.images {
		if s.rule(i) != "" {
			f.excluded++
			continue
		}
		if !s.digests[i.Digest] {
			j.unverified(s, i, f)
			continue
		}
		if len(i.Tags) == 0 {
			f.references++
		}
		if !t.digests[i.Digest] {
			f.gone = append(f.gone, name(s, "", i))
			continue
		}
		for _, tag := range i.Tags {
			at, there := t.tags[tag]
			switch {
			case there && at == i.Digest && s.tags[tag] == i.Digest:
				f.references++
			case switched && there && at != i.Digest && (s.tags[tag] == i.Digest || !s.holds(at)):
				on++
				f.moved = append(f.moved, name(s, tag, i))
			case s.tags[tag] != i.Digest:
				f.since = append(f.since, name(s, tag, i))
			default:
				f.gone = append(f.gone, name(s, tag, i))
			}
		}
	}
	// What was missing or different then, and of which only tags that have moved on are left, is nothing to bring.
	if s.verified.Missing > 0 || s.verified.Mismatched > on {
		f.incomplete = append(f.incomplete, s.repository.String())
	}
}

// holds reports whether the source has, or had when it was verified, an image of that digest.
func (s *side) holds(d digest.Digest) bool {
	return s.digests[d] || slices.ContainsFunc(s.images, func(i document.SourceImage) bool { return i.Digest == d })
}

// unverified says why an image that was not proved is not.
func (j *judge) unverified(s *side, i document.SourceImage, f *found) {
	switch covered, err := j.Verification.Scope.Parse(); {
	case s.verified.Excluded > 0 && !i.PushedAt.After(s.verified.VerifiedAt) && (err != nil || !covered.Match(s.repository)):
		f.stale = append(f.stale, name(s, "", i))
	case i.PushedAt.After(s.verified.VerifiedAt) || s.verified.Missing == 0:
		for _, tag := range i.Tags {
			f.since = append(f.since, name(s, tag, i))
		}
		if len(i.Tags) == 0 {
			f.since = append(f.since, name(s, "", i))
		}
	}
}

// name is what a reference is called: the repository with the tag, or with the digest.
func name(s *side, tag string, i document.SourceImage) string {
	if tag == "" && len(i.Tags) > 0 {
		tag = i.Tags[0]
	}
	if tag != "" {
		return s.repository.Name + ":" + tag
	}
	return s.repository.Name + "@" + i.Digest.String()
}

// sync is whether what is pushed follows.
func (j *judge) sync() document.GateCheck {
	c := document.GateCheck{Name: CheckSync, Title: "Nothing is behind, and the sync is alive", State: document.CheckPass}
	u, y, since := j.Units, j.Sync, j.found.since
	if y == nil {
		switch {
		case j.Verification == nil:
			c.State, c.Evidence, c.Do = document.CheckUnknown, []string{"No sync runs in this workspace, and nothing was verified."}, []string{"transship verify", "transship sync"}
		case len(since) > 0:
			c.State, c.Do = document.CheckFail, []string{"transship sync --once", "transship verify"}
			c.Evidence = []string{"No sync runs in this workspace, and " + u.Count(len(since), "reference") + " followed no push: " + j.some(since) + "."}
		default:
			c.Evidence = []string{"No sync runs in this workspace. Nothing was pushed since the verification; what is pushed from now on does not follow."}
		}
		return c
	}
	c.Evidence = []string{fmt.Sprintf("The last cycle ended at %s, with %s behind and %s.", moment(y.Cycle.EndedAt),
		u.Count(y.Cycle.Behind, "reference"), u.Count(len(y.Cycle.Failures), "failure"))}
	ended := j.At.Sub(y.LastSuccess) > j.Late
	switch {
	case y.Cycle.Behind > 0 || len(y.Cycle.Failures) > 0:
		c.State, c.Do = document.CheckFail, []string{"read what the sync logs, and sync.json"}
		if !y.OldestBehind.IsZero() {
			c.Evidence = append(c.Evidence, "Behind since "+moment(y.OldestBehind)+".")
		}
	case ended && len(since) == 0 && j.switched():
		c.Evidence = append(c.Evidence, "The sync has ended, and nothing was pushed since the verification.")
	case ended:
		c.State, c.Do = document.CheckFail, []string{"start the sync again", "transship sync"}
		c.Evidence = append(c.Evidence, "No cycle has looked at everything since "+moment(y.LastSuccess)+": the sync has stopped.")
	}
	return c
}

// switched reports whether all of the scope has been switched.
func (j *judge) switched() bool {
	for _, s := range j.repositories {
		if len(s.images) > 0 && j.Switched(s.repository).IsZero() {
			return false
		}
	}
	return len(j.repositories) > 0
}
