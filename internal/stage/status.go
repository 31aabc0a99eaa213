package stage

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/workspace"
)

// State is how far a wave has come.
type State string

// The states, in the order in which a wave passes them.
const (
	StateNew        State = "not begun"  // nothing was listed
	StateListed     State = "listed"     // there is an inventory
	StatePlanned    State = "planned"    // there is a plan
	StateCopied     State = "copied"     // a copy ended, and nothing was verified since
	StateIncomplete State = "incomplete" // something failed, is missing or differs
	StateVerified   State = "verified"   // everything that rules do not leave out is at the target
	StateStale      State = "stale"      // was verified, and a look at both sides says that something changed since
)

// WaveStatus is where one wave stands, as the documents of the workspace say it.
type WaveStatus struct {
	Name         string    `json:"name"` // empty for the whole migration, where there are no waves
	State        State     `json:"state"`
	Repositories int       `json:"repositories"`        // that belong to it
	Images       int       `json:"images"`              // of the last inventory that covers it
	Tags         int       `json:"tags"`                //
	Verified     int       `json:"verified"`            // repositories of which nothing is missing or different
	VerifiedTags int       `json:"verifiedTags"`        //
	Missing      int       `json:"missing"`             // references, of the last verification of each repository
	Mismatched   int       `json:"mismatched"`          //
	Excluded     int       `json:"excluded"`            //
	Failed       int       `json:"failed"`              // of the last copy
	Oldest       time.Time `json:"verifiedAt,omitzero"` // when the repository was verified that was verified longest ago
	// Sync is how the wave's sync stands; nil where none has ended a cycle.
	Sync *SyncStatus `json:"sync,omitempty"`
	// Cutover is what the last check of the wave's own cut-over said; nil where it was never checked.
	Cutover *CutoverStatus `json:"cutover,omitempty"`
	// Now is how it stands on both sides at the moment; nil where nothing was looked at.
	Now *WaveNow `json:"now,omitempty"`
}

// SyncStatus is how a sync stands, as its latest cycle left it.
type SyncStatus struct {
	CycleAt      time.Time `json:"cycleAt"`               // when that ended
	LastSuccess  time.Time `json:"lastSuccess,omitzero"`  // when a cycle ended last that looked at everything
	Behind       int       `json:"behind"`                // references
	OldestBehind time.Time `json:"oldestBehind,omitzero"` //
	Failures     int       `json:"failures"`              // of that cycle
	Deletions    int       `json:"deletions"`             // tags that the source no longer has, not followed
	Parked       int       `json:"parked"`                // messages
}

// RewriteStatus is what the last rewrite of the team's files left.
type RewriteStatus struct {
	MadeAt   time.Time `json:"madeAt"`
	Written  bool      `json:"written"`  // the files were changed
	Edits    int       `json:"edits"`    // that were, or would be, made
	Findings int       `json:"findings"` // that a person must decide about
}

// Status is where a migration stands.
type Status struct {
	Migration  document.Migration `json:"migration"`
	Waves      []WaveStatus       `json:"waves"`
	Unassigned []ref.Repository   `json:"unassigned"`        // repositories that no wave claims, where there are waves
	Sync       *SyncStatus        `json:"sync,omitempty"`    // of one sync for all waves; nil where there is none
	Rewrite    *RewriteStatus     `json:"rewrite,omitempty"` // nil where none was made
	Cutover    *CutoverStatus     `json:"cutover,omitempty"` // nil where it was never checked
	Look       *QuickLook         `json:"look,omitempty"`    // nil where there was none
	Next       Step               `json:"next"`
}

// known is what the documents say, for a look to compare with.
type known struct {
	verification document.Verification
	waves        []knownWave // those of the status, in its order
}

// knownWave is what the documents say of one wave.
type knownWave struct {
	wave      ref.Wave
	workspace *workspace.Workspace
	inventory *document.Inventory // nil where nothing of it was listed
}

// mine reports whether a repository belongs to the wave. The whole migration has all of them.
func (w knownWave) mine(r ref.Repository) bool { return w.wave.Name == "" || w.wave.Match(r) }

// Status reads the documents of the workspace. It asks no registry.
func (p *Pipeline) Status() (Status, error) {
	s, _, err := p.status()
	s.Next = s.next()
	return s, err
}

func (p *Pipeline) status() (Status, known, error) {
	s := Status{Migration: p.Rules.Migration, Waves: []WaveStatus{}, Unassigned: []ref.Repository{}}
	var k known
	if err := p.optional(p.Workspace.Verification(), document.KindVerification, &k.verification); err != nil {
		return s, k, err
	}
	var err error
	if s.Rewrite, err = p.rewriteStatus(); err != nil {
		return s, k, err
	}
	whole := *p
	whole.Workspace = workspace.At(p.Workspace.Dir, "")
	if s.Cutover, err = whole.cutoverStatus(); err != nil {
		return s, k, err
	}
	waves := p.Waves
	if len(waves) == 0 {
		waves = []ref.Wave{{}}
	} else if s.Sync, err = whole.syncStatus(); err != nil {
		return s, k, err
	}
	var newest *document.Inventory // names all repositories, whatever its scope is
	for _, w := range waves {
		status, of, err := p.waveStatus(w, k.verification)
		if err != nil {
			return s, k, err
		}
		s.Waves, k.waves = append(s.Waves, status), append(k.waves, of)
		if of.inventory != nil {
			newest = of.inventory
		}
	}
	if newest != nil && len(p.Waves) > 0 {
		for _, r := range newest.Source.Repositories {
			if !claimed(p.Waves, r.URI) {
				s.Unassigned = append(s.Unassigned, r.URI)
			}
		}
	}
	return s, k, nil
}

func claimed(waves []ref.Wave, r ref.Repository) bool {
	for _, w := range waves {
		if w.Match(r) {
			return true
		}
	}
	return false
}

func (p *Pipeline) waveStatus(w ref.Wave, v document.Verification) (WaveStatus, knownWave, error) {
	s, k := WaveStatus{Name: w.Name, State: StateNew}, knownWave{wave: w}
	part := *p
	var err error
	if part.Workspace, err = p.Workspace.Wave(w.Name); err != nil {
		return s, k, err
	}
	k.workspace = part.Workspace
	if s.Sync, err = part.syncStatus(); err != nil {
		return s, k, err
	}
	if w.Name != "" {
		if s.Cutover, err = part.cutoverStatus(); err != nil {
			return s, k, err
		}
	}
	inv := part.previous()
	if inv == nil {
		return s, k, nil
	}
	k.inventory = inv
	mine := k.mine
	s.State = StateListed
	for _, r := range inv.Source.Repositories {
		if mine(r.URI) {
			s.Repositories++
		}
	}
	filled := map[ref.Repository]bool{}
	for _, i := range inv.Source.Images {
		if mine(i.URI) {
			filled[i.URI] = true
			s.Images++
			s.Tags += len(i.Tags)
		}
	}
	if _, err := os.Stat(part.Workspace.Plan()); err == nil {
		s.State = StatePlanned
	}
	var results document.Results
	if err := p.optional(part.Workspace.Results(), document.KindResults, &results); err != nil {
		return s, k, err
	}
	if !results.EndedAt.IsZero() {
		s.State, s.Failed = StateCopied, results.Failed
		if results.Failed > 0 || results.Stopped {
			s.State = StateIncomplete
		}
	}
	if s.count(v, mine, results.EndedAt); !s.Oldest.IsZero() {
		s.Verified += s.Repositories - len(filled) // of an empty one nothing can be missing
	}
	return s, k, nil
}

// count adds what is verified, and decides the state by it where it is newer than the last copy.
func (s *WaveStatus) count(v document.Verification, mine func(ref.Repository) bool, copied time.Time) {
	looked := 0
	for _, r := range v.Repositories {
		if !mine(r.Source) {
			continue
		}
		looked++
		s.VerifiedTags += len(r.Tags)
		s.Missing += r.Missing
		s.Mismatched += r.Mismatched
		s.Excluded += r.Excluded
		if r.Missing+r.Mismatched == 0 {
			s.Verified++
		}
		if s.Oldest.IsZero() || r.VerifiedAt.Before(s.Oldest) {
			s.Oldest = r.VerifiedAt
		}
	}
	switch {
	case looked == 0 || s.Oldest.Before(copied):
	case s.Missing+s.Mismatched > 0:
		s.State = StateIncomplete
	default:
		s.State = StateVerified
	}
}

func (p *Pipeline) syncStatus() (*SyncStatus, error) {
	var s document.Sync
	if err := p.optional(p.Workspace.Sync(), document.KindSync, &s); err != nil || s.Cycle.EndedAt.IsZero() {
		return nil, err
	}
	return &SyncStatus{
		CycleAt: s.Cycle.EndedAt, LastSuccess: s.LastSuccess, Behind: s.Cycle.Behind, OldestBehind: s.OldestBehind,
		Failures: len(s.Cycle.Failures), Deletions: len(s.Deletions), Parked: len(s.Parked),
	}, nil
}

func (p *Pipeline) rewriteStatus() (*RewriteStatus, error) {
	var r document.Rewriting
	if err := p.optional(p.Workspace.Rewrite(), document.KindRewrite, &r); err != nil || r.MadeAt.IsZero() {
		return nil, err
	}
	return &RewriteStatus{MadeAt: r.MadeAt, Written: r.Written, Edits: len(r.Edits), Findings: len(r.Findings)}, nil
}

// optional reads a document that may not be there yet.
func (p *Pipeline) optional(path string, kind document.Kind, v document.Headed) error {
	err := document.ReadFor(path, kind, p.Rules.Migration, v)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
