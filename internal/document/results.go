package document

import (
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// Failure is one thing that went wrong without ending the run.
type Failure struct {
	Source string        `json:"source,omitempty"` // the source repository, with a tag or digest where it is about one
	Target string        `json:"target,omitempty"` // likewise at the target
	Digest digest.Digest `json:"digest,omitempty"`
	Tag    string        `json:"tag,omitempty"`
	Class  string        `json:"class"`          // a word for machines: see registry.Class
	Error  string        `json:"error"`          // what happened, without the hint
	Hint   string        `json:"hint,omitempty"` // what to do about it
}

// What says what happened, for people: the class first, and without the hint, which is told apart. Documents of earlier
// versions have the hint in the error, too.
func (f Failure) What() string {
	text := f.Error
	if f.Hint != "" {
		text = strings.ReplaceAll(text, " ("+f.Hint+")", "")
	}
	if f.Class != "" && f.Class != "unknown" && !strings.HasPrefix(text, f.Class) {
		text = f.Class + ": " + text
	}
	return text
}

// Results are what a copy did. The counts are of references: a tag, or a digest that has no tag.
type Results struct {
	Header
	Scope     Scope     `json:"scope"`
	StartedAt time.Time `json:"startedAt"`
	EndedAt   time.Time `json:"endedAt"`
	Success   int       `json:"success"`  // written by this run
	Failed    int       `json:"failed"`   //
	Skipped   int       `json:"skipped"`  // right already, or not to be touched
	Failures  []Failure `json:"failures"` // one for each that failed
	Kept      []Tag     `json:"kept"`     // tags that somebody else moved at the target and that were left alone
	Gone      []Tag     `json:"gone"`     // images that the source no longer has
	Traffic   Traffic   `json:"traffic"`
	Stopped   bool      `json:"stopped"`         // the run was stopped before it was done
	Shard     *Shard    `json:"shard,omitempty"` // nil where one machine copied everything
}

// Shard is the part of a plan that one of several machines copied.
type Shard struct {
	Index int           `json:"index"` // from 0
	Count int           `json:"count"`
	Plan  digest.Digest `json:"plan"` // of what the plan wanted: shards of plans that differ do not add up
}

// Traffic is what a copy cost.
type Traffic struct {
	ManifestsRead    int64 `json:"manifestsRead"`
	ManifestsWritten int64 `json:"manifestsWritten"`
	TagsWritten      int64 `json:"tagsWritten"`
	BlobsRead        int64 `json:"blobsRead"`
	BytesRead        int64 `json:"bytesRead"` // of blobs, from the source
	BlobsMounted     int64 `json:"blobsMounted"`
	BlobsPresent     int64 `json:"blobsPresent"` // that were found to be there
}
