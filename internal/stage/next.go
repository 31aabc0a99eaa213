package stage

import (
	"time"

	"transship/internal/document"
)

// Step is what to do next: a command, and why. The zero value is nothing: the migration is at its end.
type Step struct {
	Command string `json:"command,omitempty"`
	Why     string `json:"why,omitempty"`
}

// CutoverStatus is what the last check of the cut-over said.
type CutoverStatus struct {
	CheckedAt time.Time `json:"checkedAt"`
	Leave     bool      `json:"leave"` // it was about leaving ECR, too
	Open      bool      `json:"open"`  // all passed
	Failing   []string  `json:"failing"`
	Unknown   []string  `json:"unknown"`
}

func (p *Pipeline) cutoverStatus() (*CutoverStatus, error) {
	var c document.Cutover
	if err := p.optional(p.Workspace.Cutover(), document.KindCutover, &c); err != nil || c.CheckedAt.IsZero() {
		return nil, err
	}
	out := &CutoverStatus{CheckedAt: c.CheckedAt, Leave: c.Leave, Failing: []string{}, Unknown: []string{}}
	for _, check := range c.Checks {
		switch check.State {
		case document.CheckFail:
			out.Failing = append(out.Failing, check.Name)
		case document.CheckUnknown:
			out.Unknown = append(out.Unknown, check.Name)
		}
	}
	out.Open = len(out.Failing)+len(out.Unknown) == 0
	return out, nil
}

// urgency is the order in which the states of waves want something done; what is not in it wants nothing.
var urgency = []State{StateIncomplete, StateStale, StateCopied, StatePlanned, StateListed, StateNew}

// next is the one step that comes first: of the wave that wants it most, and of the first one of several; else of the whole.
func (s Status) next() Step {
	for _, state := range urgency {
		for n := range s.Waves {
			if s.Waves[n].State == state {
				return s.Waves[n].next()
			}
		}
	}
	switch r, c := s.Rewrite, s.Cutover; {
	case r == nil:
		return Step{"transship rewrite PATH…", "everything is verified: move the references in the team's files"}
	case r.Findings > 0:
		return Step{"transship rewrite PATH…", "some references are left that a person must decide about: rewrite.json names them"}
	case !r.Written && r.Edits > 0:
		return Step{"transship rewrite PATH… --write", "the last rewrite only showed what it would change"}
	case c == nil:
		return Step{"transship cutover", "everything is verified: is it safe to switch over?"}
	case !c.Open && c.Leave:
		return Step{"transship cutover --leave", "the gate is closed: cutover.json says what each check wants"}
	case !c.Open:
		return Step{"transship cutover", "the gate is closed: cutover.json says what each check wants"}
	case !c.Leave:
		return Step{"transship cutover --leave", "the gate is open: switch over, and later see whether ECR can be left"}
	}
	return Step{}
}

// next is the step that a wave wants.
func (w *WaveStatus) next() Step {
	command, why := "transship plan", "nothing is planned yet"
	switch w.State {
	case StateListed:
		if w.Now.changed() {
			command, why = "transship inventory", "the source changed since it was listed"
		}
	case StatePlanned:
		command, why = "transship migrate", "it is planned, and not copied yet"
	case StateCopied:
		command, why = "transship verify", "it is copied, and not verified since"
		if w.Now.changed() && !w.Now.complete() {
			command, why = "transship migrate", "the source changed since the copy"
		}
	case StateStale:
		command, why = "transship migrate", "it changed since the verification"
		if w.Now.complete() {
			command, why = "transship verify", "it changed since the verification, and all of it has arrived"
		}
	case StateIncomplete:
		command, why = w.repair()
	}
	if w.Name != "" {
		command += " --wave " + w.Name
	}
	return Step{command, why}
}

// repair is what an incomplete wave wants.
func (w *WaveStatus) repair() (command, why string) {
	switch {
	case w.Now.complete():
		return "transship verify", "what was missing has arrived"
	case w.Mismatched > 0 && w.Failed+w.Missing == 0:
		return "transship verify", "tags differ at the target: it says of each what to do"
	case w.Failed > 0:
		return "transship copy --retry-failed", "images failed: results.json says why"
	}
	return "transship migrate", "not everything is at the target yet"
}
