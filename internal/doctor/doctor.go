// Package doctor examines what a migration needs before it begins: credentials, permissions, reachability, clocks and
// room. It asks and changes nothing.
//
// Vocabulary: a Check is one question with its answer: pass, warn, fail, or skip where it could not be asked since
// another one failed. Its remedies are what mends it: commands and policies as they stand, or a sentence. A Group is the
// checks of one place: this machine, one source, the target. A Report is all of them.
//
//	flags, configuration ─ Options ─ Examine ─ clouds.Prober, ecr, gar ─→ Report ─→ cli/text
package doctor

import (
	"context"
	"sync"
	"time"

	"transship/internal/clouds"
	"transship/internal/events"
	"transship/internal/ref"
)

// Status is a check's answer.
type Status string

// The answers.
const (
	Pass Status = "pass"
	Warn Status = "warn" // it works, but not as well as it could, or it could not be told
	Fail Status = "fail" // a migration would fail
	Skip Status = "skip" // it was not asked, for the reason in the detail
)

// Check is one question with its answer.
type Check struct {
	Name   string   `json:"name"` // such as ecr:DescribeImages, or clock
	Status Status   `json:"status"`
	Detail string   `json:"detail"`
	Remedy []string `json:"remedy,omitempty"` // commands, policies and sentences that mend it
}

// The sides of groups.
const (
	SideLocal  = "local"
	SideSource = "source"
	SideTarget = "target"
)

// Group is the checks of one place.
type Group struct {
	Side    string  `json:"side"`
	Subject string  `json:"subject"` // the host of a source, the target's repositories; empty for this machine
	Checks  []Check `json:"checks"`
}

// Report is all that was found.
type Report struct {
	Groups  []Group `json:"groups"`
	Passed  int     `json:"passed"`
	Warned  int     `json:"warned"`
	Failed  int     `json:"failed"`
	Skipped int     `json:"skipped"`
}

// Source is a registry to migrate from, and as whom it is reached.
type Source struct {
	Registry ref.Registry
	Form     ref.HostForm
	As       clouds.SourceOptions
}

// Options say what is examined.
type Options struct {
	Sources   []Source
	Targets   []ref.TargetRepository
	Mapping   ref.Mapping
	Scope     ref.Scope
	Waves     []ref.Wave
	Workspace string                  // the folder, which may not exist yet
	Getenv    func(string) string     // nil means an empty environment
	Now       func() time.Time        // this machine's clock; nil means time.Now
	Free      func(dir string) uint64 // bytes that may be written below dir; nil asks the operating system
	// Queues are those that the sync takes ECR's events from, each beside a source.
	Queues []events.Address
	// DeleteTags says that the sync takes tags away at the target.
	DeleteTags bool
	// Settings are checks of the configuration that its reader has made.
	Settings []Check
	// Clouds say how both clouds are reached.
	Clouds clouds.Options
}

const (
	// patience is how long one check may take.
	patience = 20 * time.Second
	// together is how many requests one group has under way.
	together = 4
)

type examiner struct {
	Options
	prober *clouds.Prober
}

// Examine makes all checks, those of all places at once. A cancelled ctx ends it early; what was not asked is skipped.
func Examine(ctx context.Context, o Options) Report {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Free == nil {
		o.Free = freeBytes
	}
	x := &examiner{o, clouds.NewProber(o.Clouds)}
	groups := make([]Group, 1+len(o.Sources))
	if len(o.Targets) > 0 {
		groups = append(groups, Group{})
	}
	var wg sync.WaitGroup
	wg.Go(func() { groups[0] = x.local() })
	for i, s := range o.Sources {
		wg.Go(func() { groups[1+i] = x.source(ctx, s) })
	}
	if len(o.Targets) > 0 {
		wg.Go(func() { groups[len(groups)-1] = x.target(ctx) })
	}
	wg.Wait()
	return count(groups)
}

func count(groups []Group) Report {
	r := Report{Groups: groups}
	for _, g := range groups {
		for _, c := range g.Checks {
			switch c.Status {
			case Pass:
				r.Passed++
			case Warn:
				r.Warned++
			case Fail:
				r.Failed++
			case Skip:
				r.Skipped++
			}
		}
	}
	return r
}

// all runs the questions, some at once, and returns their answers in the order of the questions.
func all(ctx context.Context, questions []func(context.Context) Check) []Check {
	out := make([]Check, len(questions))
	slots := make(chan struct{}, together)
	var wg sync.WaitGroup
	for i, ask := range questions {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			out[i] = ask(ctx)
		})
	}
	wg.Wait()
	return out
}

func passed(name, detail string) Check { return Check{Name: name, Status: Pass, Detail: detail} }

func warned(name, detail string, remedy ...string) Check {
	return Check{Name: name, Status: Warn, Detail: detail, Remedy: remedy}
}

func failed(name, detail string, remedy ...string) Check {
	return Check{Name: name, Status: Fail, Detail: detail, Remedy: remedy}
}

func skipped(name, why string) Check { return Check{Name: name, Status: Skip, Detail: why} }
