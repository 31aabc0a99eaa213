package sync

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/content"
	"transship/internal/document"
	"transship/internal/inventory"
	"transship/internal/provision"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/stage"
	"transship/internal/transfer"
	"transship/internal/verify"
)

// key is a reference at the target.
type key struct {
	target ref.TargetImage
	tag    string
	digest digest.Digest
}

func keyOf(r stage.Reference) key { return key{r.Target, r.Tag, r.Digest} }

// run is one cycle.
type run struct {
	*Syncer
	cycle document.SyncCycle
	inv   document.Inventory
	made  document.Plan
	full  bool // it is time to look at more than the listings
}

// cycle runs one cycle and writes sync.json. The error says that it could not look at everything.
func (s *Syncer) cycle(ctx context.Context) error {
	s.begin()
	r := &run{Syncer: s, cycle: document.SyncCycle{
		StartedAt: s.now().UTC(), Created: []ref.TargetRepository{}, KeptTags: []document.Tag{}, Failures: []document.Failure{},
	}}
	r.full = s.VerifyEvery > 0 && s.now().Sub(s.lastVerified()) >= s.VerifyEvery
	err := r.do(ctx)
	s.again(ctx)
	r.cycle.EndedAt, r.cycle.Stopped = s.now().UTC(), ctx.Err() != nil
	if err != nil && ctx.Err() == nil {
		r.fail(document.Failure{}, err)
	}
	s.end(r, err)
	if writeErr := s.writeState(); err == nil {
		err = writeErr
	}
	return err
}

func (s *Syncer) begin() {
	s.alive()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running, s.touched = true, map[stage.Look]bool{}
}

// again looks once more at what events named during the cycle: its plan may have been made before, and its copy after.
func (s *Syncer) again(ctx context.Context) {
	s.mu.Lock()
	var looks []stage.Look
	for l := range s.touched {
		looks = append(looks, l)
	}
	s.running, s.touched = false, map[stage.Look]bool{}
	s.mu.Unlock()
	for some := range slices.Chunk(looks, together) {
		if ctx.Err() == nil {
			_, _ = s.bring(ctx, some) // what fails, the next cycle finds
		}
	}
}

// hooks note that something goes on.
func (s *Syncer) hooks() stage.Hooks {
	progress := new(transfer.Progress)
	return stage.Hooks{
		Inventory: func(inventory.Progress) { s.alive() }, Settings: func(inventory.SettingsProgress) { s.alive() },
		Content: func(content.Progress) { s.alive() }, Provision: func(provision.Progress) { s.alive() },
		Verify: func(verify.Progress) { s.alive() }, Copy: progress,
	}
}

// do is the cycle itself.
func (r *run) do(ctx context.Context) error {
	p, h := r.pipeline, r.hooks()
	mode := inventory.ReferrersOff // what listings hide, the cycle finds that verifies everything
	if r.full || r.none() {
		mode = inventory.ReferrersAuto
	}
	p.LookForReferrers(mode)
	var err error
	if r.inv, err = p.Inventory(ctx, h); err != nil {
		return err
	}
	r.cycle.Failures = append(r.cycle.Failures, r.inv.Failures...)
	if r.made, err = p.PlanOf(ctx, r.inv, h); err != nil {
		return err
	}
	r.count()
	if err := r.provision(ctx, h); err != nil {
		return err
	}
	if err := r.copy(ctx, h); err != nil {
		return err
	}
	if err := r.deletions(ctx); err != nil {
		return err
	}
	if r.full {
		return r.verify(ctx, h)
	}
	return nil
}

// none reports whether no cycle of this process has ended well yet.
func (s *Syncer) none() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cycles == 0 && s.state.LastSuccess.IsZero()
}

func (r *run) count() {
	scope := r.pipeline.Rules.Scope
	for _, repo := range r.inv.Source.Repositories {
		if scope.Match(repo.URI) {
			r.cycle.Repositories++
		}
	}
	r.cycle.Images = len(r.inv.Source.Images)
	for _, refused := range r.made.Refused {
		if refused.Rule == document.RuleUnreadable {
			r.cycle.Failures = append(r.cycle.Failures, document.Failure{
				Source: refused.Source.String(), Digest: refused.Digest, Tag: refused.Tag, Class: refused.Rule, Error: refused.Reason,
			})
		}
	}
}

// provision creates what the rules newly lead to. Settings of what exists are left to "transship provision".
func (r *run) provision(ctx context.Context, h stage.Hooks) error {
	if r.made.Difference.CreateRepositories == 0 {
		return nil
	}
	result, err := r.pipeline.Provision(ctx, stage.ProvisionOptions{Missing: true}, h)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // of some: the others go on
		r.fail(document.Failure{}, err)
	}
	for _, created := range result.Created {
		r.cycle.Created = append(r.cycle.Created, created)
		r.inv.Target.Repositories = append(r.inv.Target.Repositories, document.TargetRepository{URI: created})
	}
	slices.SortFunc(r.cycle.Created, ref.TargetRepository.Compare)
	return nil
}

// keep takes over which tags somebody else moved at the target, where they stay.
func (r *run) keep(tags []document.Tag) {
	r.cycle.Kept, r.cycle.KeptTags = len(tags), append([]document.Tag{}, tags...)
}

// copy brings what is behind, and asks the target for each of it.
func (r *run) copy(ctx context.Context, h stage.Hooks) error {
	behind := r.pipeline.Behind(r.made, r.inv)
	r.cycle.Found = len(behind)
	r.keep(r.made.Difference.ForeignTags)
	r.fallBehind(behind)
	if len(behind) == 0 && (!r.Overwrite || r.cycle.Kept == 0) {
		return nil
	}
	r.copying.Store(h.Copy)
	results, err := r.pipeline.Copy(ctx, stage.CopyOptions{
		Plan: &r.made, Listing: &r.inv.Target, Overwrite: r.Overwrite, ImageTimeout: r.ImageTimeout,
	}, h)
	r.copying.Store(nil)
	r.Metrics.read(results.Traffic.BytesRead)
	if err != nil {
		return err
	}
	r.cycle.Failures = append(r.cycle.Failures, results.Failures...)
	r.keep(results.Kept)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	at, errs := r.pipeline.Check(ctx, behind)
	settled := map[key]bool{} // by tag, or by digest
	for _, t := range slices.Concat(results.Gone, results.Kept) {
		if t.Tag != "" {
			settled[key{t.Target, t.Tag, ""}] = true
		} else {
			settled[key{t.Target, "", t.Digest}] = true
		}
	}
	for n, b := range behind {
		switch {
		case errs[n] == nil && at[n] == b.Digest:
			r.cycle.Copied++
			r.arrived(b)
		case b.Tag != "" && settled[key{b.Target, b.Tag, ""}], b.Tag == "" && settled[keyOf(b)]:
			r.settled(b)
		default:
			r.cycle.Behind++
		}
	}
	r.alive()
	return ctx.Err()
}

// fallBehind notes what is behind, and since when.
func (r *run) fallBehind(behind []stage.Reference) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := map[key]time.Time{}
	for _, b := range behind {
		since, known := r.behind[keyOf(b)]
		if !known {
			since = r.cycle.StartedAt
			if b.PushedAt.After(r.listed) && !r.listed.IsZero() {
				since = b.PushedAt
			}
		}
		now[keyOf(b)] = since
	}
	r.behind = now
}

// arrived notes that a reference is at the target, with its lag where its push was seen by no cycle before: what was there
// all along is the first copy's.
func (r *run) arrived(b stage.Reference) {
	r.settled(b)
	if !r.listed.IsZero() && b.PushedAt.After(r.listed) {
		r.Metrics.lag.Observe(r.now().Sub(b.PushedAt).Seconds())
	}
}

func (s *Syncer) settled(b stage.Reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.behind, keyOf(b))
}

// verify verifies everything. What it finds, the next cycle brings.
func (r *run) verify(ctx context.Context, h stage.Hooks) error {
	v, err := r.pipeline.Verify(ctx, false, h)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.state.LastVerified, r.state.Missing, r.state.Mismatched = r.now().UTC(), v.Missing, v.Mismatched
	r.mu.Unlock()
	if !verify.OK(v) {
		r.log.Warn("the verification found differences: see verify.json; the next cycle brings what is missing",
			"missing", v.Missing, "mismatched", v.Mismatched, "failures", len(v.Failures))
	}
	return nil
}

// fail keeps a failure that ends nothing.
func (r *run) fail(f document.Failure, err error) {
	f.Class, f.Error, f.Hint = registry.Explain(err)
	f.Hint = cmp.Or(f.Hint, "the next cycle tries again")
	r.cycle.Failures = append(r.cycle.Failures, f)
}
