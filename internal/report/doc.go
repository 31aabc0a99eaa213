// Package report makes the report of a migration for whoever signs it off: one HTML file that needs nothing else, and
// the same as Markdown. It says first whether the migration is complete and what must be decided, then the evidence.
//
// Vocabulary: the Evidence is what the documents of a workspace say; New judges it and makes a Report of it, which is a
// verdict, decisions and sections with tables; HTML and Markdown write that. Nothing is read from disk and nothing is
// asked of a registry. Every text comes from outside and is escaped where it is written.
package report
