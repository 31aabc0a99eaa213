package retention

import (
	"fmt"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
)

// world is a target repository in the making.
type world struct {
	in       Input
	sources  []*source
	paths    []*path
	foreign  []document.CleanupPolicy // of others, which stay
	policies []document.CleanupPolicy // ours
	target   []document.Translation
}

// Translate makes the clean-up policies of one target repository. Either a source's rules stand together or they are
// refused together, with the reason; nothing is dropped without one.
func Translate(in Input) Result {
	w := &world{in: in}
	for _, s := range in.Sources {
		w.sources = append(w.sources, newSource(s, in.Now, in.LeaveOut))
	}
	w.paths = paths(w.sources, in.Others, in.Now)
	if in.Existing != nil {
		for _, p := range in.Existing.Cleanup {
			if !cleanup.Ours(p) {
				w.foreign = append(w.foreign, p)
			}
		}
	}
	if in.Preset == NoPreset {
		w.translate()
	} else {
		w.policies = in.Preset.policies()
	}
	w.checkTarget()
	if in.Preset != NoPreset && len(w.policies) > 0 {
		w.preset()
	}
	w.checkForeign()
	return w.result()
}

// translate finds the policies of as many sources as possible such that the proof holds. What is refused in a round may
// leave others without what they shared, so they are looked at again. Each round refuses a source at least.
func (w *world) translate() {
	sole := w.in.Sole && len(w.paths) == 1
	for _, p := range w.paths {
		p.settleSources()
	}
	for range len(w.paths) + 1 {
		if !sole {
			settleNames(w.paths)
		}
		w.policies = assemble(w.paths, sole)
		if proof(w.paths, w.policies) {
			return
		}
	}
	w.refuseAll("The simulation found no policies under which Artifact Registry deletes nothing that ECR keeps.", lookAt)
}

// checkTarget refuses all policies where the target repository cannot have them.
func (w *world) checkTarget() {
	if len(w.policies) == 0 {
		return
	}
	n, foreign := len(w.policies), len(w.foreign)
	switch {
	case foreign > 0 && !w.in.Existing.CleanupDryRun:
		w.refuseAll(fmt.Sprintf("The repository has active clean-up policies of others (%s): ours would delete at once, and not in a dry run.",
			strings.Join(ids(w.foreign), ", ")),
			"Put its clean-up into a dry run yourself and plan again, or map the images to another repository.")
	case n+foreign > cleanup.MaxPolicies:
		reason := fmt.Sprintf("They need %d clean-up policies", n)
		if foreign > 0 {
			reason += fmt.Sprintf(" beside %d of others", foreign)
		}
		w.refuseAll(reason+fmt.Sprintf(", and Artifact Registry takes no more than %d for a repository.", cleanup.MaxPolicies),
			"Divide the images among several repositories: layout: grouped, or mappings.")
	default:
		if err := cleanup.Check(w.policies); err != nil {
			w.refuseAll("Artifact Registry would not take the clean-up policies: "+err.Error()+".", lookAt)
		}
	}
}

// refuseAll gives up all policies, and says so once for the target.
func (w *world) refuseAll(reason, decide string) {
	w.policies = nil
	for _, s := range w.sources {
		s.refuse(reason, decide)
	}
	w.target = append(w.target, document.Translation{Setting: document.SettingLifecycle, Was: w.was(), Fate: document.FateRefused,
		Reason: reason, Decide: decide})
}

// was says what the sources have together.
func (w *world) was() string {
	n := 0
	for _, s := range w.sources {
		if s.Policy != "" {
			n++
		}
	}
	return "the lifecycle policies of " + plural(n, "repository", "repositories")
}

// checkForeign tells of images that the policies of others delete and ECR keeps.
func (w *world) checkForeign() {
	var found losses
	for _, p := range w.paths {
		found = append(found, p.lost(cleanup.Covering(w.foreign, p.name), cleanup.Variants()[:1])...)
	}
	if len(found) > 0 {
		w.target = append(w.target, document.Translation{Setting: document.SettingLifecycle, Item: strings.Join(ids(w.foreign), ", "),
			Was: "nothing like it", Becomes: "clean-up policies of others, which stay", Fate: document.FateRefused,
			Reason: "By them, " + found.words() + ".",
			Decide: "Change them before the copy, or map the images to another repository."})
	}
}

func ids(policies []document.CleanupPolicy) (out []string) {
	for _, p := range policies {
		out = append(out, p.ID)
	}
	return out
}

func (w *world) result() Result {
	out := Result{Policies: w.policies, Target: w.target}
	bySource := map[*source]SourceResult{}
	all := slices.Concat(w.policies, w.foreign)
	for _, p := range w.paths {
		forecasts := p.forecast(all, w.in.Now)
		for k, s := range p.sources {
			bySource[s] = SourceResult{Settings: w.settings(s, p), Doomed: forecasts[k], DueToday: s.dueToday, Evidence: s.evidence}
		}
	}
	for _, s := range w.sources {
		out.Sources = append(out.Sources, bySource[s])
	}
	return out
}
