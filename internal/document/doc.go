// Package document holds the type of every document that passes between the stages, and reads and writes them.
//
// Vocabulary: the Inventory is what is there on either side; the Content is what manifests say; the Plan is the desired
// state of the target; Results are what a copy did; the Verification is what a fresh look found. Every document begins
// with a Header that names its format, its kind and the migration it was made for. Documents are sorted, so that a
// second run over unchanged clouds writes the same bytes; they hold no secrets; they are replaced whole or not at all.
//
//	inventory.json ─┬─ content.jsonl ─┐
//	                └─────────────────┴─ plan.json ─→ results.json, verify.json
package document
