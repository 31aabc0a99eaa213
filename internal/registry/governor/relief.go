package governor

import (
	"math"
	"time"
)

const (
	// leastWindow is of how many answers a share is taken at least, however few requests are under way.
	leastWindow = 32
	// largeShare is the share of refusals, one in so many, from which on a host is relieved, whatever the reason.
	largeShare = 3
	// few refusals in a window are never more than usual.
	few = 3
	// deviations is by how many standard deviations a window must have more refusals than usual for a trial.
	deviations = 4
	// proof is how many refusals a trial must let one expect, if fewer requests at once were no relief, to tell that.
	proof = 10
	// mostUsual bounds what is taken for usual: who refuses more than that needs to be asked less.
	mostUsual = 0.125
	// longestTrial bounds a trial in answers.
	longestTrial = 1024
	// longestRest is how many windows the limit stays at a ceiling that was found again and again.
	longestRest = 16
	// patientRounds is how many windows beyond the ceiling the limit grows by one in; then it grows ever faster.
	patientRounds = 8
)

// relief finds out whether a host refuses requests because there are too many of them at once. One refusal says nothing:
// large clouds answer a few requests in a hundred with 503, however few there are, and less concurrency would only make
// that slow. So it judges the share of the refusals in a window of as many answers as there are slots:
//
//   - Where that is large, or nothing but refusals came, the host cannot cope: the limit is lowered to what was served,
//     or by half.
//   - Where it is more than usual, there is a trial: a quarter fewer requests are sent, until chance is no explanation.
//     If less than half is left of what was more than usual, the concurrency was the reason, and what the host served is
//     the ceiling. If not, the limit is what it was, and such a share is usual from now on.
//
// From a lowered limit it goes halfway to the ceiling in each round, at most doubling, and beyond it little by little, the
// later the more often the ceiling was found.
type relief struct {
	epoch   int // counts changes after which only requests that went later tell anything
	answers int // in this window, or trial
	refused int
	run     int           // refusals since the last success
	begun   bool          // a request of this epoch was successful
	first   int           // the limit when the window began
	climbs  bool          // the limit is the climb's matter still
	under   int           // the sum of how many were under way at each answer
	spent   time.Duration // the sum of the times from slot to answer
	worked  time.Duration // that of those which were not refused
	usual   float64       // the share that is refused whatever the concurrency
	trial   int           // how many answers the present trial takes; 0: none
	before  float64       // the share that it was begun for
	from    int           // the limit to go back to after the trial
	served  float64       // how many were served at once before it
	ceiling int           // of the concurrency, as last seen; 0: not known
	rest    int           // how many windows it is not tried to go beyond the ceiling
	beyond  int           // windows since the ceiling was reached
}

// verdict is what follows from an answer.
type verdict int

const (
	nothing verdict = iota
	relieve         // the host needs it: the limit is lowered
	try             // the limit is lowered to see whether it helps
	restore         // that did not help: the limit is what it was
)

// answer takes note of an answer to a request of that epoch and returns the limit that follows from it, and why.
func (r *relief) answer(epoch, limit, under int, took time.Duration, refused bool) (int, verdict) {
	if epoch != r.epoch {
		return limit, nothing
	}
	if refused {
		r.refused++
		r.run++
	} else {
		r.run = 0
		r.worked += took
		if !r.begun { // refusals are quick: the first answers to what was sent at once would be all the refusals
			r.begun = true
			r.begin(false)
			r.worked = took
		}
	}
	if r.answers == 0 {
		r.first = limit
	}
	r.answers++
	r.under += under
	r.spent += took
	switch size := max(limit, leastWindow); {
	case r.run >= longRun(limit):
		return r.outage(limit), relieve
	case !r.begun:
		return limit, nothing
	case r.refused*largeShare >= size:
		return r.relieve(limit), relieve
	case r.trial > 0:
		return r.judgeTrial(limit)
	case r.answers >= size:
		return r.judge(limit)
	}
	return limit, nothing
}

// longRun is how many refusals in a row are an outage.
func longRun(limit int) int { return max(4, min(limit, 8), limit/4) }

// outage halves the limit. If nothing was successful since the limit was lowered, that tells nothing of the ceiling.
func (r *relief) outage(limit int) int {
	among, served := r.concurrency(limit)
	if r.begun || r.ceiling == 0 {
		r.ceiling = max(int(served), limit/2, 1)
	}
	r.begin(true)
	return max(1, int(among/2))
}

// relieve lowers the limit to what was served of what was under way, less an eighth, and by half at the most: what is
// on its way already may be enough.
func (r *relief) relieve(limit int) int {
	among, served := r.concurrency(limit)
	r.ceiling = max(1, int(served))
	r.begin(true)
	return max(1, int(max(among/2, served*7/8)))
}

// judge ends a window.
func (r *relief) judge(limit int) (int, verdict) {
	share, mean := r.share(), r.usual*float64(r.answers)
	switch {
	case r.climbs && limit > r.first && share < mostUsual: // a trial would hold up the climb: the next window tells more
		r.begin(false)
		return limit, nothing
	case float64(r.refused) <= mean+deviations*math.Sqrt(mean)+few:
		if share < r.usual { // what was usual may be over; more than usual is for a trial to find out
			r.usual += (share - r.usual) / 8
		}
		r.begin(false)
		return limit, nothing
	}
	among, served := r.concurrency(limit)
	r.before, r.from, r.served = share, limit, served
	r.begin(true)
	r.trial = min(max(int(proof/(share-r.usual)), leastWindow), longestTrial)
	return max(1, int(among*3/4)), try
}

// judgeTrial ends a trial once it tells something.
func (r *relief) judgeTrial(limit int) (int, verdict) {
	helpless := (r.before + r.usual) / 2 * float64(r.trial)
	if float64(r.refused) < helpless && r.answers < r.trial {
		return limit, nothing
	}
	from := r.from
	helped := float64(r.refused) < helpless
	r.usual = min((r.usual+3*r.share())/4, mostUsual)
	r.begin(true)
	if !helped {
		return from, restore
	}
	r.ceiling = max(1, int(r.served))
	r.rest = min(max(2*r.rest, 1), longestRest)
	return max(limit, r.ceiling*7/8), relieve
}

// begin begins a window; a fresh one hears only of requests that go from now on.
func (r *relief) begin(fresh bool) {
	r.answers, r.refused, r.under, r.spent, r.worked = 0, 0, 0, 0, 0
	if fresh {
		r.epoch++
		r.run, r.begun, r.trial, r.beyond = 0, false, 0, 0
	}
}

// forget begins anew after the limit was lowered for another reason.
func (r *relief) forget() {
	r.begin(true)
	r.ceiling = 0
}

// share is how much of the window was refused.
func (r *relief) share() float64 { return float64(r.refused) / float64(max(1, r.answers)) }

// concurrency is how many were under way in the window, on average, of those that the limit allowed, and how many of
// them were being served: a refusal is quick.
func (r *relief) concurrency(limit int) (among, served float64) {
	among = min(float64(limit), float64(r.under)/float64(max(1, r.answers)))
	if r.spent <= 0 { // the clock is too coarse to tell
		return among, among * (1 - r.share())
	}
	return among, among * r.worked.Seconds() / r.spent.Seconds()
}

// round is how many successes make a round at the end of which the limit grows.
func (r *relief) round(limit int) int {
	if limit < r.ceiling || r.ceiling == 0 {
		return limit
	}
	return max(limit, leastWindow) // so that a window sees what a step does
}

// grown returns the limit after a round.
func (r *relief) grown(limit int) int {
	switch {
	case limit < r.ceiling:
		return limit + min(limit, max(1, (r.ceiling-limit)/2))
	case r.ceiling == 0:
		return limit + 1
	}
	if r.beyond++; r.beyond <= r.rest {
		return limit
	}
	if r.beyond > r.rest+patientRounds { // the ceiling is higher now
		r.rest, r.beyond = 0, patientRounds+1
	}
	return limit + 1<<min(max(0, r.beyond-r.rest-patientRounds), 6)
}
