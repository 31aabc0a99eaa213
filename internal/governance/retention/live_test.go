package retention

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/image"
	"transship/internal/governance/lifecycle"
)

// thing is an image in a world that goes on.
type thing struct {
	image.Image
	uploaded time.Time
	ecr, ar  bool // it is there
}

// live plays both sides day by day, with new images and moving tags, by a simpler reading of the facts than that of the
// evaluators.
type live struct {
	things   []*thing
	rules    []lifecycle.Rule
	policies []document.CleanupPolicy
	variant  cleanup.Variant
}

// held tells whether something that is there holds a thing.
func (l *live) held(t *thing, there func(*thing) bool) bool {
	for _, o := range l.things {
		if there(o) && (slices.Contains(o.Children, t.Digest) || (t.Subject == o.Digest)) {
			return true
		}
	}
	return false
}

// related tells how a thing hangs on others. A referrer that an index held when its subject went goes after the index.
func (l *live) related(t *thing, there func(*thing) bool) (child, referrer bool) {
	for _, o := range l.things {
		child = child || (there(o) && slices.Contains(o.Children, t.Digest))
		referrer = referrer || t.Subject == o.Digest
	}
	return child, referrer
}

func inECR(t *thing) bool { return t.ecr }
func inAR(t *thing) bool  { return t.ar }

// marked tells whether ECR's rules want to delete an image.
func (l *live) marked(t *thing, at time.Time) bool {
	for _, r := range l.rules {
		if !r.Select(t.Tags) {
			continue
		}
		switch {
		case r.Problem != "" || r.Transition:
			return false
		case r.Count == lifecycle.SincePushed:
			return at.Sub(t.PushedAt) > time.Duration(r.Number)*24*time.Hour
		}
		younger := 0
		for _, o := range l.things {
			if child, referrer := l.related(o, inECR); o.ecr && !child && !referrer && r.Select(o.Tags) && o.PushedAt.After(t.PushedAt) {
				younger++
			}
		}
		return younger >= r.Number
	}
	return false
}

// covered tells whether a clean-up policy covers a version.
func (l *live) covered(p document.CleanupPolicy, t *thing, at time.Time) bool {
	stamp := func(t *thing) time.Time {
		if l.variant.FromPush {
			return t.PushedAt
		}
		return t.uploaded
	}
	if p.MostRecent != nil {
		before := 0
		for _, o := range l.things {
			child, _ := l.related(o, inAR)
			if o.ar && o != t && (!child || !l.variant.SkipChildren) && !stamp(o).Before(stamp(t)) {
				before++
			}
		}
		child, _ := l.related(t, inAR)
		return before < p.MostRecent.KeepCount && (!child || !l.variant.SkipChildren)
	}
	c, age := p.Condition, document.Seconds(at.Sub(stamp(t))/time.Second)
	ok := c.TagState == document.AnyTags || (c.TagState == document.Tagged) == (len(t.Tags) > 0)
	ok = ok && (c.OlderThan == 0 || age > c.OlderThan) && (c.NewerThan == 0 || age <= c.NewerThan)
	return ok && (len(c.TagPrefixes) == 0 || slices.ContainsFunc(t.Tags, func(tag string) bool { return strings.HasPrefix(tag, c.TagPrefixes[0]) }))
}

// swept tells whether Artifact Registry's policies want to delete a version.
func (l *live) swept(t *thing, at time.Time) (swept bool) {
	for _, p := range l.policies {
		if l.covered(p, t, at) {
			if p.Action == document.CleanupKeep {
				return false
			}
			swept = true
		}
	}
	return swept
}

// sweep deletes on one side what its rules want and nothing holds, until nothing is left to delete. What is marked is
// found out before anything goes.
func (l *live) sweep(there func(*thing) bool, marked func(*thing) bool, gone func(*thing)) {
	var doomed, followers []*thing
	for _, t := range l.things {
		if _, referrer := l.related(t, there); !there(t) {
			continue
		} else if referrer {
			followers = append(followers, t)
		} else if marked(t) {
			doomed = append(doomed, t)
		}
	}
	for changed := true; changed; {
		changed = false
		for _, t := range slices.Concat(doomed, followers) {
			if there(t) && !l.held(t, there) {
				gone(t)
				changed = true
			}
		}
	}
}

// push adds a new image, perhaps an index with children, and moves tags to it.
func (l *live) push(t *rapid.T, at time.Time, family int) {
	n := len(l.things)
	top := &thing{Image: image.Image{Digest: digest.Digest(fmt.Sprintf("sha256:%d", n)), PushedAt: at}, uploaded: at, ecr: true, ar: true}
	for k := range rapid.IntRange(0, family-1).Draw(t, "children") {
		child := &thing{Image: image.Image{Digest: digest.Digest(fmt.Sprintf("sha256:%d-%d", n, k)), PushedAt: at}, uploaded: at, ecr: true, ar: true}
		top.Children = append(top.Children, child.Digest)
		l.things = append(l.things, child)
	}
	for _, tag := range rapid.SliceOfN(rapid.SampledFrom(drawnTags), 0, 2).Draw(t, "tags") {
		for _, o := range l.things {
			o.Tags = slices.DeleteFunc(slices.Clone(o.Tags), func(s string) bool { return s == tag })
		}
		if !slices.Contains(top.Tags, tag) {
			top.Tags = append(top.Tags, tag)
		}
	}
	l.things = append(l.things, top)
}

func TestLifeGoesOn(t *testing.T) {
	deleted := 0
	rapid.Check(t, func(t *rapid.T) {
		in := Input{Now: now, Sources: []Source{{Package: "a", Policy: drawPolicy(t), Images: drawImages(t)}}}
		for n := range in.Sources[0].Images {
			in.Sources[0].Images[n].Archived = false
		}
		policy, err := lifecycle.Parse(in.Sources[0].Policy)
		if err != nil {
			t.Fatal(err)
		}
		r := Translate(in)
		if len(r.Policies) == 0 {
			return
		}
		l := &live{rules: policy.Rules, policies: r.Policies,
			variant: cleanup.Variant{FromPush: rapid.Bool().Draw(t, "from push"), SkipChildren: rapid.Bool().Draw(t, "skip children")}}
		for _, i := range in.Sources[0].Images {
			l.things = append(l.things, &thing{Image: i, uploaded: now, ecr: true, ar: true})
		}
		family := families(in.Sources[0].Images)
		for day := range 60 {
			at := now.AddDate(0, 0, day)
			l.sweep(inECR, func(t *thing) bool { return l.marked(t, at) }, func(t *thing) { t.ecr = false })
			l.sweep(inAR, func(t *thing) bool { return l.swept(t, at) }, func(t *thing) { t.ar = false; deleted++ })
			for _, o := range l.things {
				if o.ecr && !o.ar {
					t.Fatalf("on day %d %+v is gone\n%s\n%+v", day, o, in.Sources[0].Policy, r.Policies)
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "push") == 0 {
				l.push(t, at.Add(time.Hour), family)
			}
		}
	})
	if deleted == 0 {
		t.Error("nothing was ever deleted")
	}
}
