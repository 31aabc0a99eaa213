// Package mention is the vocabulary that the parts of the rewriter share.
//
// A mention is whatever in a file names ECR: a reference that can be rewritten, half of one (a registry in one key and a
// repository in another), a login, an ARN, a pattern. An Edit changes the bytes of one span and no others. A Finding is a
// mention that a person must decide about, with what to do. The Oracle knows what verify proved, and nothing else does.
// A Judgement is what one part of the rewriter says of one file: what to edit, what to keep, what was found.
//
//	File ─┬─ structure.Judge ─┐
//	      ├─ context.Judge  ──┼─→ Judgement ─→ edits (outside of what is kept) + plain references ─→ the new text
//	      └─ references.Finder┘
package mention

import (
	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/references"
)

// File is one text of a tree, as UTF-8 without a byte order mark, whatever it is on disk. Offsets count in Text.
type File struct {
	Path string // in the tree, with slashes
	Text []byte
	Type Type
}

// Type is what kind of file it is, as far as meaning depends on it.
type Type string

// The types.
const (
	YAML       Type = "yaml"     // Kubernetes, Helm values, Compose, pipelines; JSON in YAML
	Template   Type = "template" // of YAML, as Helm's or Jinja's: not parsed
	JSON       Type = "json"
	HCL        Type = "hcl"
	Dockerfile Type = "dockerfile"
	Shell      Type = "shell" // of any kind, Makefiles too
	Groovy     Type = "groovy"
	Markdown   Type = "markdown"
	Code       Type = "code" // in a programming language
	Plain      Type = "text" // anything else
)

// Span are the bytes [Start, End) of a file's Text.
type Span struct{ Start, End int }

// Edit puts New into the place of a span.
type Edit struct {
	Span
	New string
	// Of is what the edit moves, for the report: HOST/NAME with its tag or digest.
	Of references.Name
	// To is where it moves.
	To ref.TargetImage
	// Group is the number of edits that belong together, from 1: where one of them is not made, none may be. It counts
	// within a Judgement. An edit that stands alone has 0.
	Group int
}

// Finding is a mention that a person must decide about.
type Finding struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	Kind Kind   `json:"kind"`
	Text string `json:"text"` // the line, or the part of it that matters; at most 200 bytes, clean for a terminal
	Why  string `json:"why"`  // a sentence
	Do   string `json:"do"`   // a sentence: what to do about it
}

// Judgement is what a part of the rewriter says of a file.
type Judgement struct {
	Edits    []Edit // beyond plain references; sorted, without overlap
	Keep     []Kept // spans in which no reference is rewritten
	Findings []Finding
}

// Kept is a span in which nothing is rewritten. Where a plain reference is in it, Finding tells of it (File and Line are
// filled in by whoever keeps it); a Kept without a Kind is passed over in silence, because something else tells of it.
type Kept struct {
	Span
	Finding Finding
}

// Verdict is what is known of what a file names.
type Verdict string

// The verdicts.
const (
	Proved     Verdict = "proved"     // it is at the target
	Unverified Verdict = "unverified" // it may be at the target, but verify did not prove it
	NotMoved   Verdict = "not-moved"  // its repository is not part of the migration
)

// Answer is what the Oracle knows of a name.
type Answer struct {
	Verdict Verdict
	Target  ref.TargetImage // where it is, or would be; the zero value where nothing leads there
	Digest  digest.Digest   // that was proved, where the name has a tag or a digest
	Why     string          // a sentence, where it is not proved
}

// Oracle knows what arrived.
type Oracle interface {
	// Ask says what became of a name. One without tag and digest (a repository: field, a tag that is a variable) is proved
	// where nothing of its repository is missing or was left out.
	Ask(references.Name) Answer
	// Sources are the registries of the migration.
	Sources() []ref.Registry
}

// Tree is what else is in the tree, for what can only be decided by looking there.
type Tree interface {
	// Read returns a file by its path in the tree, whole; the error is fs.ErrNotExist where there is none, and it is never
	// read from outside of the tree.
	Read(path string) ([]byte, error)
}
