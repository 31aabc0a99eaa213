package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"transship/internal/clouds"
	"transship/internal/cutover"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/rewrite"
	"transship/internal/rewrite/proved"
	"transship/internal/stage"
	"transship/internal/workspace"
)

// gather fills in the evidence. Only what makes a judgement meaningless is an error; the rest is unknown.
func (a *app) gather(ctx context.Context, p *stage.Pipeline, s settings, paths []string, e *cutover.Evidence) error {
	e.Migration, e.Scope, e.Map = p.Rules.Migration, p.Rules.Scope, p.Rules.Mapping.Map
	proof, err := p.Proof()
	if err != nil {
		return err
	}
	e.Verification, e.Sync, e.Late, e.Recorded = proof.Verification, proof.Sync, late(s), proof.Recorded
	if e.SwitchedAt, err = switched(s.Switched, proof.Before, e.At); err != nil {
		return err
	}
	e.Switched = func(r ref.Repository) time.Time { return proof.Switched(r, e.SwitchedAt) }
	if s.Switched == "never" {
		e.Switched = func(ref.Repository) time.Time { return time.Time{} }
	}
	o, err := rewriteTo(a.flags.gate.rewriteTo)
	if err != nil {
		return err
	}
	known, err := known(s, o)
	if err := a.clusters(s, known, err, e); err != nil {
		return err
	}
	e.Files = a.files(ctx, paths, known, err)

	m := a.streams.Meter("Looking at both sides")
	e.Inventory, err = p.Fresh(ctx, stage.Hooks{Inventory: listing(m)})
	m.Stop("")
	if err != nil {
		return err
	}
	doubts := cutover.Doubts(*e)
	at, errs := p.Check(ctx, doubts)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	e.Settle(doubts, at)
	for _, source := range p.Sources {
		t, err := source.PullTimes(ctx)
		e.Pulls = append(e.Pulls, cutover.Pulls{Registry: source.Registry(), Principal: t.Principal, Excluded: t.Excluded, Exclude: t.Exclude, Err: err})
	}
	e.Settings = settingsNow(ctx, p, e.Leave)
	if err := a.canaries(ctx, p, s, e); err != nil {
		return err
	}
	return ctx.Err()
}

// late is after how long without a good cycle a sync has stopped: an hour, as the alerts say, or three intervals.
func late(s settings) time.Duration {
	interval, err := parseSpan("--interval", s.Interval)
	if err != nil {
		return time.Hour
	}
	return max(time.Hour, 3*interval)
}

// known is what is proved to have arrived, and what earlier rewrites changed.
func known(s settings, o proved.Options) (*job, error) {
	j := &job{workspace: workspace.At(s.Workspace, "")}
	if err := j.verified(s, o); err != nil {
		return nil, err
	}
	return j, j.remember()
}

// files looks at the team's files both ways, and writes nothing. unknown says why it is not known what arrived.
func (a *app) files(ctx context.Context, paths []string, j *job, unknown error) *cutover.Files {
	if len(paths) == 0 {
		return nil
	}
	f := &cutover.Files{Paths: paths, Err: unknown}
	if f.Err != nil {
		return f
	}
	c := rewrite.Config{Paths: paths, Known: j.known, Judges: rewrite.Judges(), Skip: []string{j.workspace.Dir}}
	if f.There, f.Err = rewrite.Run(ctx, c); f.Err != nil {
		return f
	}
	c.Reverse, c.Past, f.Past = true, j.past, j.past
	f.Back, f.Err = rewrite.Run(ctx, c)
	return f
}

// clusters reads what clusters use. Where nothing is known to have arrived, nothing counts as migrated.
func (a *app) clusters(s settings, j *job, unknown error, e *cutover.Evidence) error {
	for _, name := range s.Cluster {
		known := proved.Nothing(s.registries())
		if unknown == nil {
			known = j.known
		}
		uses, shown, err := a.readCluster(name, known)
		if err != nil {
			return err
		}
		e.Clusters = append(e.Clusters, cutover.Cluster{Name: shown, Path: name, Uses: uses})
	}
	return nil
}

// settingsNow compares the settings of the target's repositories with the plan's. While a sync moves tags, they cannot be
// immutable yet.
func settingsNow(ctx context.Context, p *stage.Pipeline, leave bool) cutover.Settings {
	s := cutover.Settings{Finish: leave || !p.Sync}
	if s.Changes, s.Err = p.PreviewProvision(ctx, s.Finish); s.Err != nil {
		s.Wrong = registry.IsClass(s.Err, registry.Unsupported)
	}
	return s
}

// canaries pulls on trial, as the nodes where the user says who they are.
func (a *app) canaries(ctx context.Context, p *stage.Pipeline, s settings, e *cutover.Evidence) error {
	chosen, err := cutover.Choose(e.Inventory, e.Scope, e.Map, s.Canary)
	if err != nil {
		return usagef("--canary: %w", err)
	}
	k := &e.Canaries
	target := p.Target
	if k.Nodes = s.Nodes != ""; k.Nodes {
		o := a.reaching(s, p.Logger)
		o.Target = clouds.TargetOptions{Impersonate: s.Nodes}
		target, k.Err = clouds.OpenTarget(ctx, o)
	}
	if k.Err == nil {
		k.As = target.Identity()
		a.pullOnTrial(ctx, target, chosen, k)
	}
	return ctx.Err()
}

// pullOnTrial pulls the images one after the other.
func (a *app) pullOnTrial(ctx context.Context, target *clouds.Target, chosen []cutover.Canary, k *cutover.Canaries) {
	m := a.streams.Meter("Pulling on trial")
	for n, c := range chosen {
		m.Set(n, len(chosen), fmt.Sprintf("%s:%s", c.Image.Path, c.Reference))
		k.Pulled = append(k.Pulled, cutover.Pull(ctx, target, c, a.now))
	}
	m.Stop("")
}
