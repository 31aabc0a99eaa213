// Package governor decides when a request to a host may go out: how many at once, how fast, and after which pause. All
// users of a host share one Governor, so that they share its slots, its quotas and its back-off.
//
// Vocabulary: a Slot is the right to have one request under way, held until its response body is closed; the limit is
// how many slots there are at the moment; a round is the time between two decreases of the limit for throttles, and a
// request belongs to the round in which it got its slot; an Outcome is what became of a request; a pause keeps everybody
// from getting slots; Patience is one operation's own count of tries and waits.
//
//	operation ── Do ──▶ Acquire (queue · pause · quotas · limit) ──▶ Slot ──▶ request ──▶ Release(Outcome)
//	    ▲                                                                                     │
//	    └── waits without a slot ◀── Patience  limit, pause ◀── climb, relief, Retry-After ◀──┘
//
// Four things are found out while requests go. How much concurrency is worth it: the limit doubles in each round as
// long as that makes requests faster (climb). How much of it the host can cope with: where more than a usual share of the
// answers are overloads, and fewer requests at once help, or where the share is large, the limit is lowered to what was
// served, and finds its way back (relief). A throttle that comes as a surprise halves it, at most once a round, since the
// other requests of that round say nothing new, and from then on it grows by one a round. How much the host takes in its
// window of time: a documented quota is known, any other is learned from throttles and then spread over the window
// (budget); what was learned from one that stayed alone, though others were sent after it, is taken back (chance). How
// long to wait: after a pause for a throttle one request goes first, and the others when that was not refused.
//
// It uses the time package alone, so that testing/synctest drives it.
package governor
