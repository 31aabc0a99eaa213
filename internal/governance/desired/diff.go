// Package desired compares what an Artifact Registry repository shall have with what it has. provision sends what it says,
// and Terraform states it, so the two never disagree.
//
//	plan.json ─ PlannedRepository ─┐         ┌─→ provision: what is created, what is sent
//	                               ├─ Diff ──┼─→ generate terraform: Settings, the whole state
//	Artifact Registry ─ what is ───┘         └─→ the screen: Steps, LeftOut, Conflicts
//
// Vocabulary: a Step is one setting that changes. What is LeftOut cannot be had as things are, and the rest can be had
// without it. A Conflict means that the repository cannot be used at all: then nothing is created or changed anywhere.
// What others set on a repository, be it labels or clean-up policies, stays.
package desired

import (
	"fmt"
	"maps"
	"slices"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
	"transship/internal/ref"
)

// Change is what becomes of one repository.
type Change struct {
	Repository  ref.TargetRepository
	Create      bool                    // it does not exist
	Description string                  // that it has afterwards: the one of a repository that exists is never changed
	Settings    document.TargetSettings // all that it has afterwards, of others too
	Steps       []Step                  // key, labels, scanning, clean-up, immutable tags; in this order
	LeftOut     []LeftOut
	Conflicts   []Conflict
	Unfinished  bool // its tags shall be immutable, and are not yet: provision --finish makes them

	planned document.PlannedRepository
	finish  bool
}

// Step is one setting that changes. From is empty where it is new, To where it is removed.
type Step struct {
	Setting string `json:"setting"`        // of the constants document.Setting…
	Item    string `json:"item,omitempty"` // the key of a label, the id of a clean-up policy, or DryRun
	From    string `json:"from,omitempty"` // in words
	To      string `json:"to,omitempty"`
}

// DryRun is the item of the step that keeps clean-up policies from deleting.
const DryRun = "dry run"

// LeftOut is a part of what was planned that cannot be had as things are.
type LeftOut struct {
	Setting string `json:"setting"`
	Reason  string `json:"reason"` // a sentence without its full stop
	Remedy  string `json:"remedy"` // what to do about it, likewise
}

// Conflict is what stands in the way of using a repository.
type Conflict struct {
	Reason string // what is wrong with the repository, beginning with "it"
	Remedy string // what to do about it
}

// maxLabels is how many Artifact Registry allows a repository. FACTS B2 [S].
const maxLabels = 64

// Diff says what becomes of the repository that is planned, and which found describes; nil where it does not exist. Only
// with finish are tags made immutable.
func Diff(planned document.PlannedRepository, found *document.TargetRepository, finish bool) Change {
	now := document.TargetRepository{URI: planned.URI, Description: planned.Description}
	if found != nil {
		now = *found
	}
	c := Change{
		Repository: planned.URI, Create: found == nil, Description: now.Description, Settings: now.TargetSettings,
		planned: planned, finish: finish,
	}
	c.Settings.Labels, c.Settings.Cleanup = maps.Clone(now.Labels), slices.Clone(now.Cleanup)
	c.use(now)
	c.key(planned.Settings.KMSKey, now.KMSKey)
	c.labels(planned.Settings.Labels, now.Labels)
	c.scanning(planned.Settings.Scanning, now.Scanning)
	c.cleanup(planned.Settings.Cleanup, now.TargetSettings)
	c.immutability()
	return c
}

// Again is the change as it is by now, for the repository may have changed since it was looked at.
func (c Change) Again(found document.TargetRepository) Change {
	return Diff(c.planned, &found, c.finish)
}

// Nothing reports whether there is nothing to do.
func (c Change) Nothing() bool { return !c.Create && len(c.Steps) == 0 }

// Rehearses reports whether the repository has clean-up policies of ours afterwards that delete nothing yet.
func (c Change) Rehearses() bool {
	return c.Settings.CleanupDryRun && slices.ContainsFunc(c.Settings.Cleanup, cleanup.Ours)
}

func (c *Change) step(setting, item, from, to string) {
	c.Steps = append(c.Steps, Step{setting, item, from, to})
}

func (c *Change) leaveOut(setting, remedy, format string, a ...any) {
	c.LeftOut = append(c.LeftOut, LeftOut{setting, fmt.Sprintf(format, a...), remedy})
}

func (c *Change) conflict(remedy, format string, a ...any) {
	c.Conflicts = append(c.Conflicts, Conflict{fmt.Sprintf(format, a...), remedy})
}

const elsewhere = "map to another repository, which Transship creates"

// use says why images cannot be pushed to a repository that exists. FACTS B2 [S].
func (c *Change) use(now document.TargetRepository) {
	switch {
	case now.Format != "" && now.Format != "DOCKER":
		c.conflict(elsewhere, "it exists with the format %s, which holds no images", now.Format)
	case now.Mode != "" && now.Mode != "MODE_UNSPECIFIED" && now.Mode != "STANDARD_REPOSITORY":
		c.conflict(elsewhere, "it exists as a %s, which takes no pushes", now.Mode)
	}
}

// labels lays ours over those that are there. Where they are too many together, none of ours is set: nobody chose which.
func (c *Change) labels(want, now map[string]string) {
	merged := maps.Clone(now)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, want)
	if maps.Equal(merged, now) {
		return
	}
	if len(merged) > maxLabels {
		c.leaveOut(document.SettingLabel, "remove labels from the repository, or map to another one",
			"it would have %d labels, and Artifact Registry allows %d", len(merged), maxLabels)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if old, ok := now[key]; !ok || old != want[key] {
			c.step(document.SettingLabel, key, old, want[key])
		}
	}
	c.Settings.Labels = merged
}

// scanning of a repository that says nothing of it is inherited. FACTS B2 [S].
func (c *Change) scanning(want, now string) {
	switch now {
	case "", "ENABLEMENT_CONFIG_UNSPECIFIED":
		now = document.ScanningInherited
	}
	switch {
	case want == "":
		return
	case want != document.ScanningInherited && want != document.ScanningDisabled:
		c.conflict("plan anew", "its plan wants scanning to be %q, which is neither %s nor %s", want, document.ScanningInherited, document.ScanningDisabled)
		return
	case c.Create:
		c.step(document.SettingScanning, "", "", scanningWords(want))
	case want != now:
		c.step(document.SettingScanning, "", scanningWords(now), scanningWords(want))
	default:
		return
	}
	c.Settings.Scanning = want
}

func scanningWords(s string) string {
	if s == document.ScanningInherited {
		return "on, where the project scans"
	}
	return "off"
}

// immutability is set when all is over: it would hold up tags that move. Those of others stay immutable.
func (c *Change) immutability() {
	switch {
	case !c.planned.Settings.ImmutableTags || c.Settings.ImmutableTags:
	case !c.finish:
		c.Unfinished = true
	case c.Create:
		c.Unfinished = true
		c.leaveOut(document.SettingImmutability, `run "transship copy", then "transship provision --finish" again`,
			"its tags are not made immutable, for it is only being created and holds no images")
	default:
		c.step(document.SettingImmutability, "", "can be moved", "immutable")
		c.Settings.ImmutableTags = true
	}
}
