package retention

import (
	"fmt"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
)

// Preset is the name of clean-up policies that people write by hand, used in the place of what ECR's policies say.
type Preset string

// The presets.
const (
	NoPreset Preset = ""
	Standard Preset = "standard" // delete untagged after 7 days, keep the newest 10
)

// ParsePreset reads the name of a preset.
func ParsePreset(s string) (Preset, error) {
	if p := Preset(s); p == NoPreset || p == Standard {
		return p, nil
	}
	return "", fmt.Errorf("there is no clean-up preset %q: choose %q, or none, and the lifecycle policies are translated", s, Standard)
}

// policies is what the preset says, sorted by id.
func (p Preset) policies() []document.CleanupPolicy {
	return []document.CleanupPolicy{
		{ID: cleanup.Prefix + "preset-delete-untagged-7d", Action: document.CleanupDelete,
			Condition: &document.CleanupCondition{TagState: document.Untagged, OlderThan: 7 * document.Day}},
		{ID: cleanup.Prefix + "preset-keep-newest-10", Action: document.CleanupKeep, MostRecent: &document.MostRecent{KeepCount: 10}},
	}
}

// words says what the preset does, for people.
func (p Preset) words() string {
	policies := p.policies()
	return cleanup.Words(policies[0]) + "; " + cleanup.Words(policies[1]) + " of each image path"
}

// preset tells that the policies of the preset stand in the place of what the sources say. It is no translation, so
// nothing proves that it deletes no more; what the simulation finds is told.
func (w *world) preset() {
	var found losses
	for _, p := range w.paths {
		p.refuse(fmt.Sprintf("The preset %q was chosen by name: it stands in the place of this rule.", w.in.Preset), "")
		found = append(found, p.lost(cleanup.Covering(w.policies, p.name), cleanup.Variants())...)
	}
	t := document.Translation{Setting: document.SettingLifecycle, Item: "preset " + string(w.in.Preset),
		Was: w.was(), Becomes: w.in.Preset.words(), Fate: document.FateSuggested, Reason: "It was chosen by name, and is no translation."}
	if len(found) > 0 {
		t.Decide = "Look at what the dry run would delete before you end it. In the simulation, " + found.words() + "."
	}
	w.target = append(w.target, t)
}
