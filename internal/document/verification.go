package document

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Verification is what a fresh look at both sides found. The counts are of references: a tag, or a digest that has no tag.
type Verification struct {
	Header
	Scope        Scope                `json:"scope"`
	Deep         bool                 `json:"deep"`       // every blob was asked for
	Verified     int                  `json:"verified"`   // at the target, with the right digest
	Missing      int                  `json:"missing"`    // not at the target
	Mismatched   int                  `json:"mismatched"` // at the target with another digest
	Excluded     int                  `json:"excluded"`   // left out by a rule
	Extra        int                  `json:"extra"`      // only at the target: never a failure
	Cases        []Case               `json:"cases"`      // everything that is not verified; sorted
	Repositories []VerifiedRepository `json:"repositories"`
	Failures     []Failure            `json:"failures"`        // what could not be looked at
	Blobs        int                  `json:"blobs,omitempty"` // blobs asked for, when deep
}

// CaseKind says in which way a case is not verified.
type CaseKind string

// The kinds of cases.
const (
	CaseMissing    CaseKind = "missing"
	CaseMismatched CaseKind = "mismatched"
	CaseExcluded   CaseKind = "excluded"
	CaseExtra      CaseKind = "extra"
)

// Case is one reference that is not verified.
type Case struct {
	Kind         CaseKind       `json:"kind"`
	Source       ref.Repository `json:"source,omitzero"`
	Target       string         `json:"target,omitempty"` // the image path at the target, where there is one
	Tag          string         `json:"tag,omitempty"`
	SourceDigest digest.Digest  `json:"sourceDigest,omitempty"`
	TargetDigest digest.Digest  `json:"targetDigest,omitempty"`
	Blob         digest.Digest  `json:"blob,omitempty"` // the blob that is missing from the image, when deep
	Rule         string         `json:"rule,omitempty"` // by which it is excluded
	Cause        string         `json:"cause"`          // the likely cause, for people
}

// VerifiedRepository is one source repository as it was last verified.
type VerifiedRepository struct {
	Source     ref.Repository  `json:"source"`
	Target     ref.TargetImage `json:"target"`
	VerifiedAt time.Time       `json:"verifiedAt"`
	Deep       bool            `json:"deep"`
	Tags       []VerifiedTag   `json:"tags"`    // that are at the target with the right digest; sorted
	Digests    []digest.Digest `json:"digests"` // that are at the target; sorted
	Missing    int             `json:"missing"`
	Mismatched int             `json:"mismatched"`
	Excluded   int             `json:"excluded"`
	Extra      int             `json:"extra"`
}

// VerifiedTag is a tag that points at the same digest on both sides.
type VerifiedTag struct {
	Tag    string        `json:"tag"`
	Digest digest.Digest `json:"digest"`
}
