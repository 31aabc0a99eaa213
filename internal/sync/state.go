package sync

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
)

// readState takes up what an earlier process left. A document of another migration says nothing.
func (s *Syncer) readState() {
	m := s.pipeline.Rules.Migration
	err := document.ReadFor(s.pipeline.Workspace.Sync(), document.KindSync, m, &s.state)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("the earlier sync.json is of no use; the sync begins anew", "error", err)
		}
		s.state = document.Sync{}
	}
	s.listed = s.state.Cycle.StartedAt
	if s.state.LastSuccess.IsZero() {
		s.listed = time.Time{}
	}
	for _, p := range s.state.Parked {
		s.parked[p.ID] = true
	}
}

func (s *Syncer) lastVerified() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.LastVerified
}

// longestKept is for how long SQS keeps a message at most, in the queue and in the dead-letter queue together: what was
// parked before is nowhere any more.
const longestKept = 14 * 24 * time.Hour

// end takes over what a cycle found, tells of it, and lets those go on that wait for a cycle.
func (s *Syncer) end(r *run, err error) {
	s.alive()
	s.mu.Lock()
	s.state.Cycle = r.cycle
	if err == nil {
		s.cycles++
		s.state.LastSuccess, s.listed = r.cycle.EndedAt, r.cycle.StartedAt
		s.seen(r)
	}
	s.state.OldestBehind = time.Time{}
	for _, since := range s.behind {
		if s.state.OldestBehind.IsZero() || since.Before(s.state.OldestBehind) {
			s.state.OldestBehind = since.UTC()
		}
	}
	s.state.Parked = slices.DeleteFunc(slices.Clone(s.state.Parked), func(m document.ParkedMessage) bool { return s.now().Sub(m.At) > longestKept })
	close(s.ended)
	s.ended = make(chan struct{})
	state := s.state
	s.mu.Unlock()
	s.Metrics.cycle(r.cycle, err == nil)
	s.say(state, err)
	if s.Report != nil {
		s.Report(state)
	}
}

// say writes a line about the cycle, and one for each thing that needs somebody.
func (s *Syncer) say(state document.Sync, err error) {
	c := state.Cycle
	args := []any{
		"took", c.EndedAt.Sub(c.StartedAt).Round(time.Millisecond), "repositories", c.Repositories, "images", c.Images, "found", c.Found, "copied", c.Copied,
		"behind", c.Behind, "kept", c.Kept, "created", len(c.Created), "deleted", c.Deleted, "deletionsNotFollowed", len(state.Deletions), "failures", len(c.Failures),
	}
	switch {
	case c.Stopped:
		s.log.Info("cycle stopped", args...)
	case err != nil:
		s.log.Error("cycle failed", args...)
	default:
		s.log.Info("cycle", args...)
	}
	for n, f := range c.Failures {
		if n == shownFailures {
			s.log.Warn("there are more failures: see sync.json", "failures", len(c.Failures)-n)
			break
		}
		s.log.Warn("failure", "source", f.Source, "target", f.Target, "class", f.Class, "error", f.Error, "hint", f.Hint)
	}
	for _, why := range state.Held {
		s.log.Warn("deletions are held", "why", why)
	}
}

// shownFailures is how many failures of a cycle are logged; all are in the document.
const shownFailures = 10

// seen compares the repositories with those of the cycle before. s.mu is held.
func (s *Syncer) seen(r *run) {
	tags := map[ref.Repository]int{}
	for _, i := range r.inv.Source.Images {
		tags[i.URI] += len(i.Tags)
	}
	blind := unlisted(r.inv)
	there := map[ref.Repository]bool{}
	var now []document.SyncedRepository
	for _, repo := range r.inv.Source.Repositories {
		if !s.pipeline.Rules.Scope.Match(repo.URI) {
			continue
		}
		there[repo.URI] = true
		one := document.SyncedRepository{URI: repo.URI, Tags: tags[repo.URI]}
		if t, err := s.pipeline.Rules.Mapping.Map(repo.URI); err == nil {
			one.Target = t.String()
		}
		now = append(now, one)
	}
	gone := slices.DeleteFunc(s.state.Vanished, func(v document.SyncedRepository) bool { return there[v.URI] })
	for _, before := range s.state.Repositories {
		switch {
		case there[before.URI]:
		case blind.all(before.URI): // nobody could look
			now = append(now, before)
		default:
			before.SeenAt = s.state.LastSuccess
			gone = append(gone, before)
			s.log.Warn("a repository vanished at the source; what is at the target stays: delete it there if it is not needed any more, or check ecr:DescribeRepositories",
				"repository", before.URI.String(), "target", before.Target, "tags", before.Tags)
		}
	}
	byName := func(a, b document.SyncedRepository) int { return a.URI.Compare(b.URI) }
	slices.SortFunc(now, byName)
	slices.SortFunc(gone, byName)
	s.state.Repositories, s.state.Vanished = now, gone
}

// blindness are the repositories that could not be listed. One without a name stands for all of its registry.
type blindness map[ref.Repository]bool

// unlisted are those that an inventory could not list.
func unlisted(inv document.Inventory) blindness {
	out := blindness{}
	for _, f := range inv.Failures {
		var r ref.Repository
		if r.UnmarshalText([]byte(f.Source)) == nil && f.Source != "" {
			out[r] = true
		}
	}
	return out
}

// all reports whether nobody could say if r is there at all.
func (b blindness) all(r ref.Repository) bool { return b[ref.Repository{Registry: r.Registry}] }

// of reports whether nobody could say what r holds.
func (b blindness) of(r ref.Repository) bool { return b[r] || b.all(r) }

// writeState writes sync.json.
func (s *Syncer) writeState() error {
	s.mu.Lock()
	state := s.state
	s.mu.Unlock()
	state.Header = document.NewHeader(document.KindSync, s.pipeline.Rules.Migration)
	state.Scope = document.NewScope(s.pipeline.Rules.Scope)
	state.Deletions = append([]document.SyncDeletion{}, state.Deletions...)
	state.Held = append([]string{}, state.Held...)
	state.Vanished = append([]document.SyncedRepository{}, state.Vanished...)
	state.Repositories = append([]document.SyncedRepository{}, state.Repositories...)
	state.Parked = append([]document.ParkedMessage{}, state.Parked...)
	slices.SortFunc(state.Deletions, func(a, b document.SyncDeletion) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Tag, b.Tag))
	})
	return document.Write(s.pipeline.Workspace.Sync(), state)
}
