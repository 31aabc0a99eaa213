package stage

import (
	"context"
	"errors"
	"strings"
	"time"

	"transship/internal/document"
	"transship/internal/inventory"
	"transship/internal/ref"
	"transship/internal/registry"
)

// QuickLook is a look at both sides by bulk listings alone, which says whether the documents are still right.
type QuickLook struct {
	At       time.Time `json:"at"`
	Unseen   []Unseen  `json:"unseen"`            // what could not be seen; the rest was
	LastPush time.Time `json:"lastPush,omitzero"` // of all images that were seen at the source
}

// Unseen is a part of one side that a look could not see, and why.
type Unseen struct {
	Side         registry.Side `json:"side"`
	Object       string        `json:"object"`                 // a registry, or a target
	Repositories int           `json:"repositories,omitempty"` // of it, that could not be listed; 0 where all of it is unseen
	Class        string        `json:"class"`
	Error        string        `json:"error"`
	Hint         string        `json:"hint,omitempty"`
}

// NewUnseen says that err keeps object from being seen.
func NewUnseen(side registry.Side, object string, err error) Unseen {
	u := Unseen{Side: side, Object: object}
	u.Class, u.Error, u.Hint = registry.Explain(err)
	return u
}

// WaveNow is how a wave stands on both sides, as a look saw it.
type WaveNow struct {
	Source *SourceNow `json:"source,omitempty"` // nil where nothing of it could be seen
	Target *TargetNow `json:"target,omitempty"` // nil where that is so, or nothing is planned
	// VerifyAgain says that something came or moved at the source since the verification, or that the target's listing no
	// longer shows what was verified.
	VerifyAgain bool `json:"verifyAgain"`
}

// SourceNow is what differs at the source from what the last verification of each repository found there, or the last
// inventory, where it was not verified. The counts are of references: a tag, or an image without tags.
type SourceNow struct {
	Repositories int       `json:"repositories"` // that were listed
	Unseen       int       `json:"unseen"`       // that could not be listed, and of which nothing is counted
	Pushed       int       `json:"pushed"`       // references that are new
	Moved        int       `json:"moved"`        // tags that point at another image
	Gone         int       `json:"gone"`         // references that the source no longer has
	LastPush     time.Time `json:"lastPush,omitzero"`
	PushedAfter  bool      `json:"pushedAfter"` // an image was pushed after its repository was verified
}

// TargetNow is what the target's listing shows of the references that are planned (verified, where there is no plan), as
// far as the source still has them, at the digests that they have there now.
type TargetNow struct {
	References int `json:"references"`
	InPlace    int `json:"inPlace"` // with that digest
	Absent     int `json:"absent"`  // not listed: a listing may lag, so only "transship verify" calls them missing
	Differ     int `json:"differ"`  // with another digest
	// Arrived is how many of the references that came or moved at the source since are in place, planned or not.
	Arrived int `json:"arrived"`
}

// StatusNow is Status with a quick look at both sides, as far as they can be seen before ctx ends. It costs R/1000 + R +
// N/1000 requests at the source, and one a repository and N/1000 at the target; a wave of which nothing is listed costs none.
// What is not open counts as unseen, as told by unopened. The error is of a document, or of a stop.
func (p *Pipeline) StatusNow(ctx context.Context, unopened []Unseen) (Status, error) {
	s, known, err := p.status()
	if err != nil {
		return s, err
	}
	l := look{pipeline: p, known: known, seen: QuickLook{At: p.Now().UTC(), Unseen: append([]Unseen{}, unopened...)}}
	if l.any() {
		l.expect()
		l.list(ctx)
		for n := range s.Waves {
			if l.looksAt(n) {
				s.Waves[n].Now = l.wave(&s.Waves[n], known.waves[n], l.expected[n])
			}
		}
		s.Look = &l.seen
	}
	s.Next = s.next()
	return s, stopped(ctx)
}

// stopped is the error of a user's stop: that the time is up is none.
func stopped(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return nil
}

// look is one that is under way.
type look struct {
	pipeline *Pipeline
	known    known
	expected [][]Reference // of each wave

	seen   QuickLook
	source sourceListing
	target *targetIndex // nil where the target was not seen
}

// looksAt reports whether wave n is looked at: something of it was listed before, and the command is not about another.
func (l *look) looksAt(n int) bool {
	only := l.pipeline.Rules.Scope.Wave.Name
	return l.known.waves[n].inventory != nil && (only == "" || only == l.known.waves[n].wave.Name)
}

func (l *look) any() bool {
	for n := range l.known.waves {
		if l.looksAt(n) {
			return true
		}
	}
	return false
}

// expect reads what the target should hold.
func (l *look) expect() {
	l.expected = make([][]Reference, len(l.known.waves))
	for n := range l.known.waves {
		if l.looksAt(n) {
			l.expected[n] = l.pipeline.expectedOf(l.known.waves[n], l.known.verification)
		}
	}
}

// list lists both sides at the same time.
func (l *look) list(ctx context.Context) {
	done := make(chan []Unseen)
	go func() { done <- l.listTarget(ctx) }()
	source := l.listSource(ctx)
	l.seen.Unseen = append(append(l.seen.Unseen, source...), <-done...)
}

// bare is a source of which nothing but repositories and images can be asked.
type bare struct{ inventory.Source }

// listSource lists the repositories of the waves that are looked at, but for those that ECR fills from elsewhere and the rules
// leave out.
func (l *look) listSource(ctx context.Context) []Unseen {
	p := l.pipeline
	caches := map[ref.Repository]bool{}
	for n, w := range l.known.waves {
		if !l.looksAt(n) || p.Rules.Selection.PullThrough {
			continue
		}
		for _, r := range w.inventory.Source.Repositories {
			caches[r.URI] = r.PullThrough != ""
		}
	}
	c := inventory.Config{Scope: p.Rules.Scope, Referrers: inventory.ReferrersOff}
	c.Scope.Part = func(r ref.Repository) bool {
		for n := range l.known.waves {
			if l.looksAt(n) && l.known.waves[n].mine(r) {
				return !caches[r]
			}
		}
		return false
	}
	for _, s := range p.Sources {
		c.Sources = append(c.Sources, bare{s})
	}
	inv, failures, _ := inventory.ListSource(ctx, c) // the failures say it, repository by repository
	l.source = newSourceListing(p.Sources, inv, failures, c.Scope)
	for _, i := range inv.Images {
		if i.PushedAt.After(l.seen.LastPush) {
			l.seen.LastPush = i.PushedAt
		}
	}
	return unseenSources(ctx, p, failures)
}

// unseenSources says what could not be seen of each registry: one thing each.
func unseenSources(ctx context.Context, p *Pipeline, failures []document.Failure) []Unseen {
	var out []Unseen
	for _, s := range p.Sources {
		name := s.Registry().String()
		u := Unseen{Side: registry.Source, Object: name}
		for _, f := range failures {
			whole := f.Source == name
			if !whole && !strings.HasPrefix(f.Source, name+"/") {
				continue
			}
			if u.Error == "" || whole {
				u.Class, u.Error, u.Hint = f.Class, f.Error, f.Hint
			}
			if whole {
				u.Repositories = 0
				break
			}
			u.Repositories++
		}
		if u.Error != "" {
			out = append(out, late(ctx, u))
		}
	}
	return out
}

// late says of what the end of the time broke off that this was it.
func late(ctx context.Context, u Unseen) Unseen {
	if u.Class == string(registry.Canceled) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		u.Class, u.Error, u.Hint = string(registry.TimedOut), "it did not answer within the time that the look may take", "give it more with --timeout"
	}
	return u
}

// listTarget lists what is expected.
func (l *look) listTarget(ctx context.Context) []Unseen {
	p := l.pipeline
	if p.Target == nil {
		return nil
	}
	var wanted []ref.TargetImage
	repositories := map[ref.TargetRepository]bool{}
	add := func(t ref.TargetImage) {
		wanted = append(wanted, t)
		repositories[t.Repository] = true
	}
	for n := range l.known.waves {
		for _, r := range l.expected[n] {
			if len(wanted) == 0 || wanted[len(wanted)-1] != r.Target {
				add(r.Target)
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	var out []ref.TargetRepository
	for r := range repositories {
		out = append(out, r)
	}
	inv, err := inventory.ListTarget(ctx, inventory.Config{Target: p.Target}, out, wanted)
	if err != nil {
		return []Unseen{late(ctx, NewUnseen(registry.Target, p.Rules.Migration.Target, err))}
	}
	l.target = newTargetIndex(inv)
	return nil
}
