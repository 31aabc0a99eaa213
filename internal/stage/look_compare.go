package stage

import (
	"errors"
	"io/fs"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/clouds"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/workspace"
)

// expectedOf are the references that the target should hold of a wave: those of its plan, of the whole's where it has none
// of its own, or else those that were verified.
func (p *Pipeline) expectedOf(w knownWave, v document.Verification) []Reference {
	whole := workspace.At(p.Workspace.Dir, "")
	for _, path := range []string{w.workspace.Plan(), whole.Plan()} {
		var made document.Plan
		if err := document.ReadFor(path, document.KindPlan, p.Rules.Migration, &made); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				p.Logger.Warn("the plan is of no use", "error", err)
			}
			continue
		}
		var out []Reference
		for _, image := range made.Images {
			for _, r := range referencesOf(image, nil) {
				if w.mine(r.Source) {
					out = append(out, r)
				}
			}
		}
		return out
	}
	return verifiedReferences(w, v)
}

// verifiedReferences are those that the last verifications found at the target.
func verifiedReferences(w knownWave, v document.Verification) []Reference {
	var out []Reference
	for _, r := range v.Repositories {
		if !w.mine(r.Source) {
			continue
		}
		tagged := map[digest.Digest]bool{}
		for _, t := range r.Tags {
			tagged[t.Digest] = true
			out = append(out, Reference{Source: r.Source, Target: r.Target, Tag: t.Tag, Digest: t.Digest})
		}
		for _, d := range r.Digests {
			if !tagged[d] {
				out = append(out, Reference{Source: r.Source, Target: r.Target, Digest: d})
			}
		}
	}
	return out
}

// holding is what one repository has: its tags, and its images without tags.
type holding struct {
	tags   map[string]digest.Digest
	images map[digest.Digest]bool // true for those without tags
	at     time.Time              // when it was verified; the zero value where it was not
}

func newHolding() *holding {
	return &holding{tags: map[string]digest.Digest{}, images: map[digest.Digest]bool{}}
}

func (h *holding) add(tag string, d digest.Digest) {
	switch _, known := h.images[d]; {
	case tag != "":
		h.tags[tag], h.images[d] = d, false
	case !known:
		h.images[d] = true
	}
}

// before is what each repository of a wave held when it was last verified, or listed, where it was not. What rules left out
// is among it.
func before(w knownWave, v document.Verification) map[ref.Repository]*holding {
	out := map[ref.Repository]*holding{}
	for _, r := range v.Repositories {
		if !w.mine(r.Source) {
			continue
		}
		h := newHolding()
		h.at = r.VerifiedAt
		for _, t := range r.Tags {
			h.add(t.Tag, t.Digest)
		}
		for _, d := range r.Digests {
			h.add("", d)
		}
		out[r.Source] = h
	}
	for _, c := range v.Cases {
		if h := out[c.Source]; h != nil && c.SourceDigest != "" {
			h.add(c.Tag, c.SourceDigest)
		}
	}
	for _, r := range w.inventory.Source.Repositories {
		if w.mine(r.URI) && out[r.URI] == nil {
			out[r.URI] = newHolding()
		}
	}
	for _, i := range w.inventory.Source.Images {
		if h := out[i.URI]; h != nil && h.at.IsZero() {
			h.image(i)
		}
	}
	return out
}

func (h *holding) image(i document.SourceImage) {
	if len(i.Tags) == 0 {
		h.add("", i.Digest)
	}
	for _, tag := range i.Tags {
		h.add(tag, i.Digest)
	}
}

// sourceListing is what the sources hold now.
type sourceListing struct {
	there    map[ref.Repository]*holding // of those that were listed
	pushed   map[ref.Repository]time.Time
	unlisted map[string]bool       // repositories, and registries whose repositories could not all be named
	opened   map[ref.Registry]bool // that were asked at all
	scope    ref.Scope
}

func newSourceListing(opened []*clouds.Source, inv document.SourceInventory, failures []document.Failure, scope ref.Scope) sourceListing {
	l := sourceListing{there: map[ref.Repository]*holding{}, pushed: map[ref.Repository]time.Time{}, unlisted: map[string]bool{}, opened: map[ref.Registry]bool{}, scope: scope}
	for _, f := range failures {
		l.unlisted[f.Source] = true
	}
	for _, s := range opened {
		l.opened[s.Registry()] = true
	}
	for _, r := range inv.Repositories {
		if scope.Match(r.URI) && !l.unlisted[r.URI.String()] {
			l.there[r.URI] = newHolding()
		}
	}
	for _, i := range inv.Images {
		if h := l.there[i.URI]; h != nil {
			h.image(i)
		}
		if i.PushedAt.After(l.pushed[i.URI]) {
			l.pushed[i.URI] = i.PushedAt
		}
	}
	return l
}

// vanished reports whether a repository that is not listed is so because the source no longer has it.
func (l *sourceListing) vanished(r ref.Repository) bool {
	return l.opened[r.Registry] && !l.unlisted[r.String()] && !l.unlisted[r.Registry.String()]
}

// targetIndex is what the target lists.
type targetIndex struct {
	tags   map[ref.TargetImage]map[string]digest.Digest
	images map[ref.TargetImage]map[digest.Digest]bool
}

func newTargetIndex(inv document.TargetInventory) *targetIndex {
	x := &targetIndex{tags: map[ref.TargetImage]map[string]digest.Digest{}, images: map[ref.TargetImage]map[digest.Digest]bool{}}
	for _, i := range inv.Images {
		if x.images[i.URI] == nil {
			x.tags[i.URI], x.images[i.URI] = map[string]digest.Digest{}, map[digest.Digest]bool{}
		}
		x.images[i.URI][i.Digest] = true
		for _, tag := range i.Tags {
			x.tags[i.URI][tag] = i.Digest
		}
	}
	return x
}

// at is what the target lists under a reference: nothing where it lists nothing.
func (x *targetIndex) at(r Reference) digest.Digest {
	switch {
	case r.Tag != "":
		return x.tags[r.Target][r.Tag]
	case x.images[r.Target][r.Digest]:
		return r.Digest
	}
	return ""
}

// wave compares one wave, and says in s where the documents say more than is so by now.
func (l *look) wave(s *WaveStatus, w knownWave, expected []Reference) *WaveNow {
	n := &WaveNow{}
	source, came := l.compareSource(w)
	if source.Repositories > 0 || source.Unseen == 0 && source.Gone > 0 {
		n.Source = &source
	}
	if l.target != nil && len(expected) > 0 {
		n.Target = l.compareTarget(expected, came)
	}
	verified := !s.Oldest.IsZero()
	changed := n.changed() || source.PushedAfter
	lost := n.Target != nil && n.Target.Absent+n.Target.Differ > 0
	n.VerifyAgain = verified && (changed || lost && s.State == StateVerified)
	if s.State == StateVerified && n.VerifyAgain {
		s.State = StateStale
	}
	return n
}

// compareSource counts what came, moved and went at the source, and returns what came or moved.
func (l *look) compareSource(w knownWave) (SourceNow, []Reference) {
	var n SourceNow
	var came []Reference
	old := before(w, l.known.verification)
	for r, h := range l.source.there {
		if !w.mine(r) {
			continue
		}
		n.Repositories++
		was := old[r]
		if was == nil {
			was = newHolding()
		}
		at, _ := l.pipeline.Rules.Mapping.Map(r) // what leads nowhere arrives nowhere
		came = append(came, n.compare(r, at, was, h)...)
		pushed := l.source.pushed[r]
		if pushed.After(n.LastPush) {
			n.LastPush = pushed
		}
		n.PushedAfter = n.PushedAfter || !was.at.IsZero() && pushed.After(was.at)
	}
	for r, was := range old {
		switch {
		case l.source.there[r] != nil || !l.source.scope.Match(r):
		case l.source.vanished(r):
			n.compare(r, ref.TargetImage{}, was, newHolding())
		default:
			n.Unseen++
		}
	}
	return n, came
}

// compare counts one repository.
func (n *SourceNow) compare(r ref.Repository, at ref.TargetImage, was, is *holding) []Reference {
	var came []Reference
	for tag, d := range is.tags {
		switch old, known := was.tags[tag]; {
		case known && old == d:
			continue
		case known:
			n.Moved++
		default:
			n.Pushed++
		}
		came = append(came, Reference{Source: r, Target: at, Tag: tag, Digest: d})
	}
	for d, untagged := range is.images {
		if _, known := was.images[d]; untagged && !known {
			n.Pushed++
			came = append(came, Reference{Source: r, Target: at, Digest: d})
		}
	}
	for tag := range was.tags {
		if _, there := is.tags[tag]; !there {
			n.Gone++
		}
	}
	for d, untagged := range was.images {
		if _, there := is.images[d]; untagged && !there {
			n.Gone++
		}
	}
	return came
}

// compareTarget counts what is in place of what is expected, as the source has it now where that was seen, and of what came.
func (l *look) compareTarget(expected, came []Reference) *TargetNow {
	n := &TargetNow{}
	for _, r := range expected {
		if now := l.source.there[r.Source]; now != nil {
			d, there := now.tags[r.Tag]
			if r.Tag == "" {
				d = r.Digest
				_, there = now.images[d]
			}
			if !there {
				continue
			}
			r.Digest = d
		}
		n.References++
		switch l.target.at(r) {
		case r.Digest:
			n.InPlace++
		case "":
			n.Absent++
		default:
			n.Differ++
		}
	}
	for _, r := range came {
		if l.target.at(r) == r.Digest {
			n.Arrived++
		}
	}
	return n
}

// complete reports whether a look saw both sides of a wave, everything planned is in place, and so is what came since.
func (n *WaveNow) complete() bool {
	return n != nil && n.Source != nil && n.Source.Unseen == 0 && n.Target != nil &&
		n.Target.InPlace == n.Target.References && n.Target.Arrived == n.Source.Pushed+n.Source.Moved
}

// changed reports whether a look saw something new at the source.
func (n *WaveNow) changed() bool {
	return n != nil && n.Source != nil && n.Source.Pushed+n.Source.Moved > 0
}
