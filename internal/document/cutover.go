package document

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Cutover is whether it is safe to switch, and with Leave, to switch ECR off: cutover.json.
type Cutover struct {
	Header
	Scope     Scope       `json:"scope"`
	CheckedAt time.Time   `json:"checkedAt"`
	Leave     bool        `json:"leave"`
	QuietDays float64     `json:"quietDays,omitempty"` // with Leave: for how long nobody may have pulled or pushed
	Checks    []GateCheck `json:"checks"`              // in the order in which they are shown
	Fail      int         `json:"fail"`
	Unknown   int         `json:"unknown"`
	// SwitchedAt is since when nobody should pull from ECR any more, as a person said; the zero value before the switch.
	SwitchedAt time.Time `json:"switchedAt,omitzero"`
	// Recorded are the registries of which ECR recorded the migration's own pulls when somebody last looked.
	Recorded []RecordedPulls `json:"recorded"`
	Pullers  []Puller        `json:"pullers"` // repositories that were pulled from since the switch, the latest first
	// OnlyTarget are images that only the target has: what a way back to ECR would not find. Sorted by image, digest.
	OnlyTarget []TargetOnly `json:"onlyTarget"`
	Removable  []Removable  `json:"removable"` // with Leave, where the gate is open; sorted by source
	Retained   []Retained   `json:"retained"`  // with Leave: what is not safe to delete at the source; sorted
}

// Open reports whether all checks passed.
func (c Cutover) Open() bool { return len(c.Checks) > 0 && c.Fail+c.Unknown == 0 }

// CheckState is what came of a check.
type CheckState string

// The states. A gate opens only where all pass.
const (
	CheckPass    CheckState = "pass"
	CheckFail    CheckState = "fail"
	CheckUnknown CheckState = "unknown" // there is no evidence either way
)

// GateCheck is one named condition.
type GateCheck struct {
	Name     string     `json:"name"` // a word for machines, such as verified
	Title    string     `json:"title"`
	State    CheckState `json:"state"`
	Evidence []string   `json:"evidence"`     // sentences: what was looked at, when, and what it said
	Do       []string   `json:"do,omitempty"` // what to do where it does not pass: commands, and sentences
}

// RecordedPulls says that ECR recorded a principal's pulls as pulls. FACTS A1.
type RecordedPulls struct {
	Registry  ref.Registry `json:"registry"`
	Principal string       `json:"principal"`
	SeenAt    time.Time    `json:"seenAt"` // when it was so last
}

// Puller is a repository that somebody pulled from.
type Puller struct {
	Source ref.Repository `json:"source"`
	At     time.Time      `json:"at"`     // ECR's lastRecordedPullTime, at most a day behind
	Digest digest.Digest  `json:"digest"` // of the image that was pulled last
	Tags   []string       `json:"tags"`
	Own    bool           `json:"own"` // it may have been the migration itself
}

// TargetOnly is an image that no source holds.
type TargetOnly struct {
	Image  ref.TargetImage `json:"image"`
	Digest digest.Digest   `json:"digest"`
	Tags   []string        `json:"tags"`
}

// Removable is what of a source repository is at the target, proved, and pulled by nobody.
type Removable struct {
	Source  ref.Repository  `json:"source"`
	Whole   bool            `json:"whole"` // nothing else is in it
	Bytes   int64           `json:"bytes"` // as ECR counts
	Digests []digest.Digest `json:"digests"`
	// Indexes are how many of the Digests are indexes, which come first: ECR deletes no image that one lists.
	Indexes int `json:"indexes"`
}

// Retained is an image that is not safe to delete.
type Retained struct {
	Source ref.Repository `json:"source"`
	Digest digest.Digest  `json:"digest"`
	Tags   []string       `json:"tags"`
	Why    string         `json:"why"`
}
