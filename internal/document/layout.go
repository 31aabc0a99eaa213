package document

import "transship/internal/ref"

// Layout is which Artifact Registry repositories the sources were grouped into. It is made once: what is in it stays
// where it is, and what is new joins a group or opens one. Its Migration has the rules of the configuration alone.
type Layout struct {
	Header
	Groups       []LayoutGroup    `json:"groups"`       // sorted by target; for people
	Rules        []LayoutRule     `json:"rules"`        // the first match wins
	Repositories []ref.Repository `json:"repositories"` // that the groups hold; sorted
}

// LayoutGroup is one target repository with the reason of its group.
type LayoutGroup struct {
	Target  ref.TargetRepository `json:"target"`
	Members int                  `json:"members"`
	Shares  string               `json:"shares"`            // what the members have in common, in words
	Differs string               `json:"differs,omitempty"` // how they differ from other groups, in words
}

// LayoutRule is a rule of a mapping.
type LayoutRule struct {
	From string `json:"from"`
	To   string `json:"to"`
}
