package document

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Cutover is whether it is safe to switch, and with Leave, to switch ECR off: cutover.json.
type Cutover struct {
	Header
	Scope     Scope     `json:"scope"`
	CheckedAt time.Time `json:"checkedAt"`
	Leave     bool      `json:"leave"`
	// SwitchedAt is when the team switched over: as somebody said, or else when all checks passed for the first time. The
	// zero value where neither happened.
	SwitchedAt time.Time   `json:"switchedAt,omitzero"`
	Checks     []GateCheck `json:"checks"` // in the order in which they are shown
	Pass       int         `json:"pass"`
	Fail       int         `json:"fail"`
	Unknown    int         `json:"unknown"`
	Pullers    []Puller    `json:"pullers"`      // source repositories by when they were last pulled; sorted
	OnlyTarget []Tag       `json:"onlyAtTarget"` // images that a way back would miss; sorted
	Removable  []Removable `json:"removable"`    // with Leave: what is proved at the target and unused; sorted
	Retained   []Retained  `json:"retained"`     // with Leave: what is not, and why; sorted
}

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
	Do       string     `json:"do,omitempty"` // what to do where it does not pass
}

// Puller is a source repository with the latest pull that ECR recorded.
type Puller struct {
	Source       ref.Repository `json:"source"`
	LastPulledAt time.Time      `json:"lastPulledAt,omitzero"`
	Digest       digest.Digest  `json:"digest,omitempty"` // the image of that pull
	State        CheckState     `json:"state"`
	Why          string         `json:"why,omitempty"`
}

// Removable is an image that can be deleted in ECR without loss.
type Removable struct {
	Source ref.Repository `json:"source"`
	Digest digest.Digest  `json:"digest"`
	Tags   []string       `json:"tags"`
}

// Retained is an image, or where Digest is empty a repository, that should not be deleted yet.
type Retained struct {
	Source ref.Repository `json:"source"`
	Digest digest.Digest  `json:"digest,omitempty"`
	Tags   []string       `json:"tags,omitempty"`
	Why    string         `json:"why"`
}
