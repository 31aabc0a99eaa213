// Package plan decides, purely, what the target shall hold: no I/O, no clock, no context.
//
// Vocabulary: the Rules say which migration this is, how names are mapped and what is in scope. A group is the source
// repositories that are mapped to one target image. A reference is one manifest at a target image, with its tags. The
// Selection says which images of a group are roots; they are taken with their closures, and the choice is all of those.
// What only describes other images (referrers, sha256-* tags) is never a root beside them, but comes with them. What
// will not be at the target is refused, with the rule and what to do. The plan is the desired state; its Difference to
// the target is what was missing when it was made, to be shown and never acted upon.
//
//	inventory ─┐
//	content ───┼─ Make ─→ plan
//	rules ─────┘
package plan
