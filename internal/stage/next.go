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
	CheckedAt  time.Time `json:"checkedAt"`
	SwitchedAt time.Time `json:"switchedAt,omitzero"` // since when nobody should pull from ECR
	Leave      bool      `json:"leave"`               // it was about leaving ECR, too
	Open       bool      `json:"open"`                // all passed
	Failing    []string  `json:"failing"`
	Unknown    []string  `json:"unknown"`
}

func (p *Pipeline) cutoverStatus() (*CutoverStatus, error) {
	var c document.Cutover
	if err := p.optional(p.Workspace.Cutover(), document.KindCutover, &c); err != nil || c.CheckedAt.IsZero() {
		return nil, err
	}
	out := &CutoverStatus{CheckedAt: c.CheckedAt, SwitchedAt: c.SwitchedAt, Leave: c.Leave, Open: c.Open(), Failing: []string{}, Unknown: []string{}}
	for _, check := range c.Checks {
		switch check.State {
		case document.CheckFail:
			out.Failing = append(out.Failing, check.Name)
		case document.CheckUnknown:
			out.Unknown = append(out.Unknown, check.Name)
		}
	}
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
	switch r := s.Rewrite; {
	case r == nil:
		return Step{"transship rewrite PATH…", "everything is verified: move the references in the team's files"}
	case r.Findings > 0:
		return Step{"transship rewrite PATH…", "some references are left that a person must decide about: rewrite.json names them"}
	case !r.Written && r.Edits > 0:
		return Step{"transship rewrite PATH… --write", "the last rewrite only showed what it would change"}
	case s.Cutover != nil:
		return s.Cutover.next("")
	}
	for n := range s.Waves { // those of waves by themselves, once there is one
		if s.Waves[n].Cutover != nil {
			return s.gateOfAWave()
		}
	}
	return (*CutoverStatus)(nil).next("")
}

// gateOfAWave is the step that the first wave wants whose gate is not open, else the way on for all.
func (s Status) gateOfAWave() Step {
	for n := range s.Waves {
		if c := s.Waves[n].Cutover; c == nil || !c.Open {
			return c.next(" --wave " + s.Waves[n].Name)
		}
	}
	return (&CutoverStatus{Open: true}).next("")
}

// next is the step that a gate wants, with the flags that name what it is about.
func (c *CutoverStatus) next(flags string) Step {
	switch {
	case c == nil:
		return Step{"transship cutover PATH…" + flags, "everything is verified: is it safe to switch over?"}
	case !c.Open && c.Leave:
		return Step{"transship cutover PATH… --leave" + flags, "the gate is closed: it says what each check wants"}
	case !c.Open:
		return Step{"transship cutover PATH…" + flags, "the gate is closed: it says what each check wants"}
	case !c.Leave:
		return Step{"transship cutover PATH… --leave" + flags, "the gate is open: switch over, and later see whether ECR can be left"}
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
