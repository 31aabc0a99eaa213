package sync

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/document/journal"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/stage"
)

// What is an unexpected share: more than so many tags of a repository, or of all, that are more than a tenth of those that
// we wrote there. A lost permission, a wrong region or a script gone wrong look like that; a lifecycle rule does not.
const (
	unexpectedTags  = 10
	unexpectedShare = 10 // one in so many
)

// lost is a tag at the target that we wrote, that nobody moved since, and that no source repository has any more.
type lost struct {
	target  ref.TargetImage
	tag     string
	digest  digest.Digest
	sources []ref.Repository
}

// census is what deletions are judged by: what was lost, and how many tags there are of ours, by image path.
type census struct {
	lost []lost
	ours map[ref.TargetImage]int
}

// wrote says what we pointed a tag at last; nothing where we did not.
type wrote func(t ref.TargetImage, tag string) digest.Digest

// count finds what was lost. Where a source of an image path could not be listed, or is out of scope, nothing is called
// lost there. Repositories that are gone as a whole lead nowhere, so what they held is never among it.
func count(inv document.Inventory, mapping ref.Mapping, scope ref.Scope, last wrote) census {
	blind := unlisted(inv)
	sources := map[ref.TargetImage][]ref.Repository{}
	unknown := map[ref.TargetImage]bool{}
	target := map[ref.Repository]ref.TargetImage{}
	for _, r := range inv.Source.Repositories {
		t, err := mapping.Map(r.URI)
		if err != nil {
			continue
		}
		target[r.URI] = t
		sources[t] = append(sources[t], r.URI)
		unknown[t] = unknown[t] || blind.of(r.URI) || !scope.Match(r.URI)
	}
	held := map[ref.TargetImage]map[string]bool{}
	for _, i := range inv.Source.Images {
		t := target[i.URI]
		if held[t] == nil {
			held[t] = map[string]bool{}
		}
		for _, tag := range i.Tags {
			held[t][tag] = true
		}
	}
	c := census{ours: map[ref.TargetImage]int{}}
	for _, i := range inv.Target.Images {
		if len(sources[i.URI]) == 0 || unknown[i.URI] {
			continue
		}
		for _, tag := range i.Tags {
			if last(i.URI, tag) != i.Digest {
				continue
			}
			c.ours[i.URI]++
			if !held[i.URI][tag] {
				c.lost = append(c.lost, lost{i.URI, tag, i.Digest, sources[i.URI]})
			}
		}
	}
	slices.SortFunc(c.lost, func(a, b lost) int { return cmp.Or(a.target.Compare(b.target), cmp.Compare(a.tag, b.tag)) })
	return c
}

// judge says which deletions may be followed, and why the others are held. most, where it is not 0, is how many are
// expected, whatever share that is.
func (c census) judge(most int) (follow []lost, held []string) {
	if most > 0 {
		if len(c.lost) <= most {
			return c.lost, nil
		}
		return nil, []string{fmt.Sprintf("%d tags are missing at the source, more than the %d of --max-deletions: look at deletions in sync.json, and if that is right, %s",
			len(c.lost), most, remedy(len(c.lost)))}
	}
	all := 0
	for _, n := range c.ours {
		all += n
	}
	if unexpected(len(c.lost), all) {
		return nil, []string{fmt.Sprintf("%d of %d tags are missing at the source at once, which a lost permission looks like, too: nothing was deleted. "+
			"Look at deletions in sync.json, and if that is right, %s", len(c.lost), all, remedy(len(c.lost)))}
	}
	byTarget := map[ref.TargetImage]int{}
	for _, l := range c.lost {
		byTarget[l.target]++
	}
	told := map[ref.TargetImage]bool{}
	for _, l := range c.lost {
		switch n := byTarget[l.target]; {
		case !unexpected(n, c.ours[l.target]):
			follow = append(follow, l)
		case !told[l.target]:
			told[l.target] = true
			held = append(held, fmt.Sprintf("%d of %d tags of %s are missing at the source at once: none of them was deleted. If that is right, %s",
				n, c.ours[l.target], l.target, remedy(len(c.lost))))
		}
	}
	return follow, held
}

func unexpected(lost, of int) bool { return lost > unexpectedTags && lost*unexpectedShare > of }

// remedy is what to do where all of it is right.
func remedy(n int) string {
	return fmt.Sprintf(`run "transship sync --once --delete-tags --max-deletions %d" once`, n)
}

// deletions reports what was deleted at the source, and with DeleteTags follows it.
func (r *run) deletions(ctx context.Context) error {
	p := r.pipeline
	c := count(r.inv, p.Rules.Mapping, p.Rules.Scope, p.Hints().LastWrote)
	follow, held := c.judge(r.MaxDeletions)
	if !r.DeleteTags {
		follow, held = nil, nil
	}
	done := map[key]bool{}
	byTarget := map[ref.TargetImage][]lost{}
	for _, l := range follow {
		byTarget[l.target] = append(byTarget[l.target], l)
	}
	for _, some := range byTarget {
		for _, l := range r.follow(ctx, some) {
			done[key{l.target, l.tag, l.digest}] = true
		}
		if ctx.Err() != nil {
			break
		}
	}
	r.cycle.Deleted = len(done)
	r.note(c.lost, done, held)
	return ctx.Err()
}

// note keeps what was seen and not followed, and counts what is new of it.
func (r *run) note(all []lost, done map[key]bool, held []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := map[key]document.SyncDeletion{}
	for _, d := range r.state.Deletions {
		before[key{d.Target, d.Tag, d.Digest}] = d
	}
	now := []document.SyncDeletion{}
	for _, l := range all {
		k := key{l.target, l.tag, l.digest}
		d, known := before[k]
		if !known {
			d = document.SyncDeletion{Target: l.target, Tag: l.tag, Digest: l.digest, SeenAt: r.cycle.StartedAt}
			r.Metrics.deletions.WithLabelValues("seen").Inc()
		}
		if !done[k] {
			now = append(now, d)
		}
	}
	r.Metrics.deletions.WithLabelValues("followed").Add(float64(len(done)))
	if len(held) > 0 && len(r.state.Held) == 0 {
		r.Metrics.deletions.WithLabelValues("held").Add(float64(len(now)))
	}
	r.state.Deletions, r.state.Held = now, held
}

// follow takes away tags of one image path that the source still does not have and that are at the target as we wrote
// them, both asked a moment before, and returns those that are gone. The target knows no conditional deletion: a tag
// that is pushed in that moment is looked at once more afterwards.
func (r *run) follow(ctx context.Context, tags []lost) []lost {
	back, err := r.back(ctx, tags)
	if err != nil {
		r.fail(document.Failure{Target: tags[0].target.String()}, err)
		return nil
	}
	var refs []stage.Reference
	for _, l := range tags {
		refs = append(refs, stage.Reference{Target: l.target, Tag: l.tag, Digest: l.digest})
	}
	at, errs := r.pipeline.Check(ctx, refs)
	var done []lost
	for n, l := range tags {
		if back[l.tag] || errs[n] != nil || at[n] != l.digest {
			continue
		}
		if err := r.pipeline.Target.DeleteTag(ctx, l.target, l.tag); err != nil {
			r.fail(document.Failure{Target: l.target.String() + ":" + l.tag, Digest: l.digest, Tag: l.tag}, err)
			if registry.IsClass(err, registry.Denied) { // and so it goes on
				break
			}
			continue
		}
		r.pipeline.Note(journal.Event{Kind: journal.Untag, Target: l.target.String(), Tag: l.tag, Digest: l.digest})
		done = append(done, l)
	}
	r.restore(ctx, done)
	r.alive()
	return done
}

// back are those tags that a source has after all.
func (r *run) back(ctx context.Context, tags []lost) (map[string]bool, error) {
	names := make([]string, 0, len(tags))
	for _, l := range tags {
		names = append(names, l.tag)
	}
	out := map[string]bool{}
	for _, source := range tags[0].sources {
		there, err := r.pipeline.Holds(ctx, source, names)
		if err != nil {
			return nil, err
		}
		for tag := range there {
			out[tag] = true
		}
	}
	return out, nil
}

// restore has what was pushed while it was taken away brought again.
func (r *run) restore(ctx context.Context, done []lost) {
	if len(done) == 0 {
		return
	}
	back, err := r.back(ctx, done)
	if err != nil {
		r.kick() // a cycle finds out
		return
	}
	for _, l := range done {
		if back[l.tag] {
			for _, source := range l.sources {
				r.touch(stage.Look{Repository: source, Tag: l.tag})
			}
		}
	}
}
