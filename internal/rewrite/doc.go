// Package rewrite moves the references in a team's files: those that were proved to be at the target, and no others.
//
// Vocabulary: a Direction says what a text names and where it leads, forward to Artifact Registry or back to ECR. A Judge
// knows what the bytes alone do not tell: what must be kept, what is in two parts, what is a danger. A Change is what is to
// become of one file: pieces of its bytes, and the digests of the whole before and after, so that nothing is written over a
// file that is not the one that was read, and so that a change can be taken back byte for byte.
//
//	PATH… ─ tree ─→ file ─ letters ─→ text ─┬─ Judges ──┐
//	                                        └─ Direction┴─ merge ─→ Change, findings
//	Changes ─ Record ─→ rewrite.json ─ write ─→ a file beside it, proved, in its place
//
// The scan reads everything before anything is written. Findings and changes are sorted, so that two runs say the same.
package rewrite
