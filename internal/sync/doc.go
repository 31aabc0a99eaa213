// Package sync keeps the target in step while pipelines still push to the source: it composes the stages, again and again,
// and brings what an event names without waiting for the next look at everything.
//
// Vocabulary: a cycle is one look at both sides, and the copy of what differs. A reference is behind while the target does
// not hold it as the source does; its lag is the time from its push until it is there. A deletion is a tag that the source
// no longer has; it is followed when the tag is taken away at the target too, and held when so much vanished at once that it
// looks like a lost permission.
//
//	every interval ─→ Inventory ─ Plan ─┬─ Provision (what is missing) ─ Copy ─ Check ─→ deletions ─→ sync.json
//	                                    └─ nothing behind ────────────────────────────────┘
//	SQS ─ events ─→ Bring (what they name) ─→ delete the message
//
// Events are best effort (FACTS D), so the cycles stay the safety net; and a cycle's plan may be older than an event, so
// what events named during a cycle is looked at once more when it ends.
package sync
