package stage

import (
	"context"
	"maps"
	"sync"

	"transship/internal/document"
	"transship/internal/document/journal"
	"transship/internal/inventory"
	"transship/internal/plan"
	"transship/internal/ref"
	"transship/internal/transfer"
)

// memory is what a pipeline that follows its sources keeps between its stages, so that a run for one image does not read
// documents of a hundred thousand.
type memory struct {
	hints   transfer.Hints
	journal *journal.Journal

	mu           sync.Mutex
	content      document.Content // replaced whole, never changed
	unsaved      bool             // content.jsonl lacks something of it
	repositories map[ref.Repository]document.SourceRepository
	shared       map[ref.TargetImage]int // how many repositories lead there
}

// Follow has p keep in memory what the journal and content.jsonl say, for the many runs of a sync, and lets Bring run
// beside the stages. What no longer fits the rules is then a warning rather than the end: over weeks, repositories come
// and go. Call closed at the end.
func (p *Pipeline) Follow() (closed func() error, err error) {
	m := &memory{}
	if m.hints, err = transfer.ReadHints(p.Workspace.Journal()); err != nil {
		return nil, err
	}
	if m.content, err = document.ReadContent(p.Workspace.Content()); err != nil {
		return nil, err
	}
	if m.journal, err = journal.Open(p.Workspace.Journal(), p.Now); err != nil {
		return nil, err
	}
	m.journal.Tell(m.hints.Learn)
	p.memory = m
	return m.journal.Close, nil
}

// fits is plan.CheckMapping, of which a pipeline that follows only warns: the plan refuses what it cannot lead anywhere,
// and the rest goes on.
func (p *Pipeline) fits(inv document.Inventory) error {
	err := plan.CheckMapping(p.Rules, inv)
	if p.memory != nil && err != nil {
		p.Logger.Warn("the mapping rules no longer fit what the sources hold", "error", err)
		return nil
	}
	return err
}

// known is what content.jsonl says.
func (p *Pipeline) known() (document.Content, error) {
	if m := p.memory; m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.content, nil
	}
	return document.ReadContent(p.Workspace.Content())
}

// keep keeps what was learned. Where it only was for a few images, the document waits for the next plan.
func (p *Pipeline) keep(known, learned document.Content, few bool) error {
	m := p.memory
	if m == nil {
		if len(learned) > len(known) {
			return document.WriteContent(p.Workspace.Content(), learned)
		}
		return nil
	}
	m.mu.Lock()
	if len(learned) > len(known) {
		all := maps.Clone(m.content)
		maps.Copy(all, learned)
		m.content, m.unsaved = all, true
	}
	all, write := m.content, m.unsaved && !few
	m.unsaved = m.unsaved && few
	m.mu.Unlock()
	if !write {
		return nil
	}
	err := document.WriteContent(p.Workspace.Content(), all)
	if err != nil {
		m.mu.Lock()
		m.unsaved = true
		m.mu.Unlock()
	}
	return err
}

// remember keeps which repositories there are, and where they lead.
func (p *Pipeline) remember(inv document.Inventory) {
	m := p.memory
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.repositories, m.shared = map[ref.Repository]document.SourceRepository{}, map[ref.TargetImage]int{}
	for _, r := range inv.Source.Repositories {
		m.repositories[r.URI] = r
		if t, err := p.Rules.Mapping.Map(r.URI); err == nil && p.Rules.Scope.Match(r.URI) {
			m.shared[t]++
		}
	}
}

// repository is what the latest inventory says of a repository, if it is known and leads to an image of its own.
func (p *Pipeline) repository(r ref.Repository, t ref.TargetImage) (document.SourceRepository, bool) {
	m := p.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.repositories[r]
	return known, ok && m.shared[t] == 1
}

// history is what the journal says, and the journal. end is to be called when nothing more is written to it.
func (p *Pipeline) history() (transfer.Hints, *journal.Journal, func() error, error) {
	if m := p.memory; m != nil {
		return m.hints, m.journal, func() error { return nil }, nil
	}
	hints, err := transfer.ReadHints(p.Workspace.Journal())
	if err != nil {
		return hints, nil, nil, err
	}
	j, err := journal.Open(p.Workspace.Journal(), p.Now)
	return hints, j, j.Close, err
}

// Hints is what the journal says by now.
func (p *Pipeline) Hints() transfer.Hints { return p.memory.hints }

// Note writes an event to the journal.
func (p *Pipeline) Note(e journal.Event) { p.memory.journal.Append(e) }

// snapshot is p as its rules stand at the moment: a layout may add some while Bring works.
func (p *Pipeline) snapshot() *Pipeline {
	p.memory.mu.Lock()
	defer p.memory.mu.Unlock()
	now := *p
	return &now
}

// change changes something of p that snapshot reads.
func (p *Pipeline) change(f func()) {
	if m := p.memory; m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
	}
	f()
}

// LookForReferrers says how the next inventories look for referrers that listings do not show.
func (p *Pipeline) LookForReferrers(mode inventory.ReferrersMode) {
	p.change(func() { p.referrers = mode })
}

// Holds asks the source which of the tags a repository has: a request a hundred, and some more for those that it does not
// have.
func (p *Pipeline) Holds(ctx context.Context, r ref.Repository, tags []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, s := range p.Sources {
		if s.Registry() != r.Registry {
			continue
		}
		found, err := s.Describe(ctx, r, tags, nil)
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			for _, tag := range i.Tags {
				out[tag] = true
			}
		}
	}
	return out, nil
}
