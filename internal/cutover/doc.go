// Package cutover judges whether it is safe to switch from ECR to Artifact Registry, and later to leave ECR.
//
// Vocabulary: the gate is a list of named checks, each of which passes, fails or is unknown, with its evidence; it is open
// where all pass. The switch is the moment from which nobody should pull from ECR any more, as a person says. A tag has
// moved on where a pipeline that pushes to the target by now has moved it there. To leave is to switch ECR off: nobody has
// pulled from it or pushed to it for the quiet time, and what is not at the target is decided.
//
//	a fresh listing of both sides ─┐
//	verify.json, sync.json ────────┤
//	the team's files, clusters ────┼─ Evidence ─ Judge ─→ cutover.json ─ Script ─→ leave.sh
//	the target's settings ─────────┤
//	Pull, as the nodes will ───────┘
//
// Judge is pure. Nothing here changes anything on either side: what is safe to delete is written down, for somebody who
// reads it.
package cutover
