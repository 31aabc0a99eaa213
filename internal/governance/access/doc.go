// Package access reads who may do what with the images of ECR, and suggests what it takes to let the same people do the
// same in Artifact Registry. Nothing of it is ever granted by itself: what it makes is written to files, which people
// read, correct and apply by name.
//
//	repository policies ─┐
//	registry policies ───┼─ Suggest ─→ grants, translations ─ Files ─→ one file a target repository ─ ParseReview ─→ members to add
//	principals.yaml ─────┘
//
// Vocabulary: a Policy is AWS's text, a list of statements; a Principal is whom a statement names; a role is one of
// Artifact Registry's, a member is whom Google gives it to. A grant is one role for one member on one target repository.
// What a person must decide first is its Decide.
//
// A grant never allows more than unconditional Allow statements do, unless its Decide says so: a Deny, a condition and
// whatever names all but something are reported and never become a grant.
package access
