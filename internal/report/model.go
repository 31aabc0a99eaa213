package report

import (
	"encoding/json"
	"time"
)

// Report is what is to be written.
type Report struct {
	Title     string
	Sources   []string
	Target    string
	Wave      string
	Version   string
	MadeAt    time.Time
	Verdict   Verdict
	Decisions []Decision
	Sections  []Section
}

// State answers whether the migration is complete.
type State string

// The states.
const (
	StateComplete   State = "complete"
	StateIncomplete State = "incomplete"
	StateUnproved   State = "not proved" // nothing, or not everything, was verified
	StateStale      State = "stale"      // something was copied after the verification
	StateEmpty      State = "empty"      // there is nothing to migrate
)

// Verdict is the answer, with what it rests on. The counts are of references: a tag, or a digest that has no tag.
type Verdict struct {
	State      State
	Headline   string
	Sentence   string
	Verified   int
	References int       // that must be at the target
	VerifiedAt time.Time // of what was verified longest ago; the zero value for never
	Figures    []Figure
}

// Tone says how a text is to be taken.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Figure is a number that matters, or a fact.
type Figure struct {
	Name  string
	Value string
	Tone  Tone
}

// Decision is something that a person must decide or mend, with the section that has it.
type Decision struct {
	Text    string
	Section string
	Tone    Tone
}

// Section is a part of the evidence.
type Section struct {
	ID      string
	Title   string
	Lead    string
	Tone    Tone
	Figures []Figure
	Tables  []Table
}

// Kind is what a column holds.
type Kind string

// The kinds.
const (
	Text   Kind = "text"
	Name   Kind = "name"   // of an image or a file: may be broken anywhere
	Number Kind = "number" // aligned to the right; the key orders
	Digest Kind = "digest"
	Status Kind = "status"
	Share  Kind = "share" // with a bar; the key is from 0 to 1
)

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Cell is one value.
type Cell struct {
	Text string
	Key  float64 // orders where Keyed is set; else the text does
	// Keyed says that Key counts.
	Keyed bool
	Tone  Tone
}

// MarshalJSON writes a text alone where there is nothing else, for there may be many.
func (c Cell) MarshalJSON() ([]byte, error) {
	switch {
	case c.Keyed:
		return json.Marshal([]any{c.Text, c.Tone, c.Key})
	case c.Tone != Plain:
		return json.Marshal([]any{c.Text, c.Tone})
	}
	return json.Marshal(c.Text)
}

// Table is rows that the page sorts and filters.
type Table struct {
	ID      string
	Caption string
	Columns []Column
	Rows    [][]Cell
	// Open is how many of the first rows need attention.
	Open int
	// LeftOut is how many rows were too many.
	LeftOut int
}
