package document

import (
	"fmt"
	"slices"

	"transship/internal/ref"
)

// FormatVersion is the version of all documents. A reader refuses any other.
const FormatVersion = 1

// Kind says which document it is.
type Kind string

// The kinds.
const (
	KindInventory    Kind = "inventory"
	KindContent      Kind = "content"
	KindPlan         Kind = "plan"
	KindResults      Kind = "results"
	KindVerification Kind = "verification"
	KindSettings     Kind = "settings"
	KindGovernance   Kind = "governance"
	KindRewrite      Kind = "rewrite"
	KindLayout       Kind = "layout"
	KindSync         Kind = "sync"
	KindEstimate     Kind = "estimate"
	KindCutover      Kind = "cutover"
)

// Migration is what a document was made for. Two documents belong together when theirs are equal.
type Migration struct {
	Sources []ref.Registry `json:"sources"` // sorted
	Target  string         `json:"target"`  // the default target prefix, empty where rules name every target
	Mapping string         `json:"mapping"` // a digest of the mapping rules, empty where there are none
}

// Differs says in which respect m is another migration than o, or nothing.
func (m Migration) Differs(o Migration) string {
	switch {
	case !slices.Equal(m.Sources, o.Sources):
		return fmt.Sprintf("its sources are %v, not %v", o.Sources, m.Sources)
	case m.Target != o.Target:
		return fmt.Sprintf("its target is %q, not %q", o.Target, m.Target)
	case m.Mapping != o.Mapping:
		return "its mapping rules are others"
	}
	return ""
}

// Header begins every document.
type Header struct {
	FormatVersion int       `json:"formatVersion"`
	Kind          Kind      `json:"kind"`
	Migration     Migration `json:"migration"`
}

// NewHeader returns the header of a document of the present format.
func NewHeader(kind Kind, m Migration) Header {
	return Header{FormatVersion: FormatVersion, Kind: kind, Migration: m}
}

// Check says why a document with this header cannot be used as kind, or nothing.
func (h Header) Check(kind Kind) error {
	switch {
	case h.FormatVersion == 0 || h.Kind == "":
		return fmt.Errorf("it is not a document of Transship: formatVersion or kind is missing")
	case h.Kind != kind:
		return fmt.Errorf("it is a document of kind %q, not %q", h.Kind, kind)
	case h.FormatVersion > FormatVersion:
		return fmt.Errorf("it has format %d, and this Transship reads format %d: use the newer Transship that wrote it", h.FormatVersion, FormatVersion)
	case h.FormatVersion != FormatVersion:
		return fmt.Errorf("it has format %d, and this Transship reads format %d: make it anew", h.FormatVersion, FormatVersion)
	}
	return nil
}
