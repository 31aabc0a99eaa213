package document

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// Rewriting is what the last rewrite of a team's files found, and every change that one made.
type Rewriting struct {
	Header
	MadeAt   time.Time  `json:"madeAt"`
	Paths    []string   `json:"paths"`   // as they were named
	Reverse  bool       `json:"reverse"` // back to ECR
	Written  bool       `json:"written"` // the files were changed; otherwise the edits are what would be
	Files    int        `json:"files"`   // looked at
	Edits    []Reworded `json:"edits"`
	Findings []Mention  `json:"findings"` // the most dangerous first
	// Changes are those of this and earlier runs, the oldest first: what --reverse takes back. A change that did not come
	// about does no harm: it is known by what the file holds after it.
	Changes []FileChange `json:"changes"`
}

// Reworded is one edit, for people.
type Reworded struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	From string `json:"from"`
	To   string `json:"to"`
}

// Mention is what a person must decide about.
type Mention struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Kind string `json:"kind"`
	Text string `json:"text"`
	Why  string `json:"why"`
	Do   string `json:"do"`
}

// FileChange is one change of one file.
type FileChange struct {
	File     string        `json:"file"`
	Before   digest.Digest `json:"before"` // of the whole file
	After    digest.Digest `json:"after"`
	Encoding string        `json:"encoding"` // in which From and To stand in the file
	Pieces   []Piece       `json:"pieces"`   // in order, without overlap
}

// Piece is a part of a file that was replaced.
type Piece struct {
	At   int64  `json:"at"` // the first byte of To, in the file as it is after the change
	From string `json:"from"`
	To   string `json:"to"`
}
