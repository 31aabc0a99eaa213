package document

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Sync is how a sync stands: sync.json, written anew at the end of each cycle.
type Sync struct {
	Header
	Scope        Scope              `json:"scope"`
	Cycle        SyncCycle          `json:"cycle"`                 // the latest one
	LastSuccess  time.Time          `json:"lastSuccess,omitzero"`  // when a cycle ended last that looked at everything
	LastVerified time.Time          `json:"lastVerified,omitzero"` // when everything was verified last, not only what changed
	Missing      int                `json:"missing"`               // references, of that verification
	Mismatched   int                `json:"mismatched"`            //
	OldestBehind time.Time          `json:"oldestBehind,omitzero"` // since when the oldest reference is behind; the zero value where none is
	Deletions    []SyncDeletion     `json:"deletions"`             // at the source, not followed; sorted by target, tag
	Held         []string           `json:"held"`                  // why deletions were not followed, and what to do
	Vanished     []SyncedRepository `json:"vanished"`              // repositories that the source no longer shows; sorted
	Repositories []SyncedRepository `json:"repositories"`          // those that the source shows; sorted
	Parked       []ParkedMessage    `json:"parked"`                // messages that could not be understood, the latest ones; oldest first
}

// SyncCycle is one look at both sides, with what came of it.
type SyncCycle struct {
	StartedAt    time.Time              `json:"startedAt"`
	EndedAt      time.Time              `json:"endedAt"`
	Repositories int                    `json:"repositories"` // in scope at the source
	Images       int                    `json:"images"`       // of them
	Found        int                    `json:"found"`        // references that were behind when the sides had been listed
	Copied       int                    `json:"copied"`       // of those, that are at the target now, as it says itself
	Behind       int                    `json:"behind"`       // of those, that are not
	Kept         int                    `json:"kept"`         // tags that somebody else moved at the target
	KeptTags     []Tag                  `json:"keptTags"`     // each of them, as the target has it; sorted by target, tag
	Deleted      int                    `json:"deleted"`      // tags that were taken away at the target
	Created      []ref.TargetRepository `json:"created"`      // sorted
	Failures     []Failure              `json:"failures"`     // each with what to do
	Stopped      bool                   `json:"stopped"`      // it was stopped before it was done
}

// SyncDeletion is a tag that the source no longer has, and that the target has as we wrote it.
type SyncDeletion struct {
	Target ref.TargetImage `json:"target"`
	Tag    string          `json:"tag"`
	Digest digest.Digest   `json:"digest"`
	SeenAt time.Time       `json:"seenAt"` // when it was found to be missing at the source
}

// SyncedRepository is a source repository that the sync has seen.
type SyncedRepository struct {
	URI    ref.Repository `json:"uri"`
	Target string         `json:"target,omitempty"` // empty where no rule leads anywhere
	Tags   int            `json:"tags"`             // when it was listed last
	SeenAt time.Time      `json:"seenAt,omitzero"`  // of one that vanished: when it was there last
}

// ParkedMessage is a message that was left in the queue.
type ParkedMessage struct {
	ID     string    `json:"id"`
	Queue  string    `json:"queue"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}
