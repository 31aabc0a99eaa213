package document

import "time"

// Cutover is whether it is safe to switch, and with Leave, to switch ECR off: cutover.json.
type Cutover struct {
	Header
	CheckedAt time.Time   `json:"checkedAt"`
	Leave     bool        `json:"leave"`
	Checks    []GateCheck `json:"checks"` // in the order in which they are shown
	Fail      int         `json:"fail"`
	Unknown   int         `json:"unknown"`
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
