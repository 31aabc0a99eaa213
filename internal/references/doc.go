// Package references finds, in bytes of any format, where images of ECR registries are named: by value, not by key, so
// that a field of a resource definition that nobody knows counts as much as "image:".
//
// Vocabulary: a Reference is one such place; its span are the bytes from the account's first digit to the end of the tag
// or digest. It is open where what follows the name is a variable, a pattern, or a sign that no name ends with: the name
// is then only the beginning of one, and says nothing of which repository is meant. A List is what somebody names, in
// a text with one reference a line, in a manifest or in a folder of them.
//
//	bytes ─ Finder.Find ─→ References          FILE, folder, - ─ Finder.Read ─→ List of Names
package references
