package sync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"transship/internal/document"
	"transship/internal/events"
	"transship/internal/stage"
	"transship/internal/transfer"
)

// Defaults of Config.
const (
	DefaultInterval    = 5 * time.Minute
	DefaultVerifyEvery = 24 * time.Hour
)

// Queue brings messages about what happened at the source.
type Queue interface {
	// Address is where it is.
	Address() events.Address
	// Receive waits up to wait for messages, which are then hidden from others for Visibility.
	Receive(ctx context.Context, wait time.Duration) ([]events.Message, error)
	// Delete deletes messages.
	Delete(ctx context.Context, messages []events.Message) error
	// Extend hides messages for d from now.
	Extend(ctx context.Context, messages []events.Message, d time.Duration) error
	// Visibility is for how long a message is hidden that was received.
	Visibility() time.Duration
}

// Config is what a sync needs.
type Config struct {
	Pipeline *stage.Pipeline // nobody else uses it meanwhile
	Queues   []Queue
	Interval time.Duration // from the beginning of a cycle to that of the next, give or take a tenth; 0 for DefaultInterval
	// VerifyEvery is how often everything is verified, rather than only what changed; 0 for DefaultVerifyEvery, negative
	// for never.
	VerifyEvery  time.Duration
	DeleteTags   bool          // follow deletions of tags
	MaxDeletions int           // follow that many in one cycle, whatever share it is; 0 leaves it to the share
	Overwrite    bool          // move tags that somebody else moved at the target
	ImageTimeout time.Duration // how long one image may take; 0 sets no bound
	Metrics      *Metrics
	Report       func(document.Sync) // called after each cycle; may be nil
	Random       func() float64      // numbers in [0, 1) for jitter; nil means math/rand/v2
	Logger       *slog.Logger        // a line a cycle and one for what needs somebody
}

// Syncer is one sync. Make it with New.
type Syncer struct {
	Config
	pipeline *stage.Pipeline
	now      func() time.Time
	log      *slog.Logger
	closed   func() error

	kicked   chan struct{} // of capacity 1: something waits for a cycle
	progress atomic.Int64  // when a cycle last went on, in Unix nanoseconds
	copying  atomic.Pointer[transfer.Progress]
	copied   atomic.Int64 // what copying had done when somebody last looked

	mu      sync.Mutex
	state   document.Sync
	behind  map[key]time.Time // since when
	cycles  int               // that ended with a success
	ended   chan struct{}     // closed and replaced when a cycle ends
	running bool
	touched map[stage.Look]bool // by events during the present cycle
	parked  map[string]bool     // messages that were told of
	listed  time.Time           // when the latest successful cycle began to list
}

// New prepares a sync. The error is about the documents of the workspace. Close it at the end.
func New(c Config) (*Syncer, error) {
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	if c.VerifyEvery == 0 {
		c.VerifyEvery = DefaultVerifyEvery
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	s := &Syncer{
		Config: c, pipeline: c.Pipeline, now: c.Pipeline.Now, log: c.Logger,
		kicked: make(chan struct{}, 1), ended: make(chan struct{}),
		behind: map[key]time.Time{}, touched: map[stage.Look]bool{}, parked: map[string]bool{},
	}
	var err error
	if s.closed, err = c.Pipeline.Follow(); err != nil {
		return nil, err
	}
	s.readState()
	s.alive()
	c.Metrics.follow(s)
	return s, nil
}

// Close gives back what the sync holds.
func (s *Syncer) Close() error { return s.closed() }

// Once runs one cycle, and takes up what events there are before and after it. The error says that the cycle could not look
// at everything; what failed otherwise is in the document.
func (s *Syncer) Once(ctx context.Context) (document.Sync, error) {
	err := s.cycle(ctx)
	if err == nil {
		for _, q := range s.Queues {
			s.drain(ctx, q)
		}
		if len(s.Queues) > 0 { // what was parked
			err = s.writeState()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, err
}

// Run runs cycles and takes up events until ctx ends, which is no error.
func (s *Syncer) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	for _, q := range s.Queues {
		watching.Go(func() { s.watch(ctx, q) })
	}
	for {
		began := s.now()
		if err := s.cycle(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the cycle failed; the next one tries again", "error", err)
		}
		if !s.rest(ctx, began) {
			return nil
		}
	}
}

// leastRest is how long the sync rests at least between two cycles, whatever is waiting, and never shorter than the last one
// took: a repository that cannot be created must not make it list everything all the time.
const leastRest = time.Second

// rest waits until it is time for the next cycle: an interval after the beginning of the last one, or of as many intervals
// as that took. What waits for a cycle shortens it. It reports whether there is to be another one.
func (s *Syncer) rest(ctx context.Context, began time.Time) bool {
	jitter := time.Duration((s.Random()*2 - 1) * float64(s.Interval) / 10)
	took := s.now().Sub(began)
	wait := s.Interval*(took/s.Interval+1) - took + jitter
	least := min(max(leastRest, took), wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-s.kicked:
	}
	pause := time.NewTimer(least - min(least, s.now().Sub(began)-took))
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-pause.C:
		return true
	}
}

// kick asks for a cycle before its time.
func (s *Syncer) kick() {
	select {
	case s.kicked <- struct{}{}:
	default:
	}
}

// alive notes that the present cycle went on. What events do is no sign of that.
func (s *Syncer) alive() { s.progress.Store(s.now().UnixNano()) }

// Healthy says why the sync does not go on, or nothing: no cycle began, ended, or listed or copied anything for longer than
// any of that may take.
func (s *Syncer) Healthy() error {
	if p := s.copying.Load(); p != nil {
		if done := p.BytesRead.Load() + p.ImagesDone.Load() + p.TagsDone.Load() + p.BlobsMounted.Load(); s.copied.Swap(done) != done {
			s.alive()
		}
	}
	limit := 2*s.Interval + 15*time.Minute // the interval, and the longest that a request is tried again
	if idle := s.now().Sub(time.Unix(0, s.progress.Load())); idle > limit {
		return fmt.Errorf("nothing went on for %s: restart it, and see its log for what it was doing", idle.Round(time.Second))
	}
	return nil
}

// Ready says why the target may be out of step, or nothing: no cycle has looked at everything yet, or none did for three
// intervals beyond the time that one takes.
func (s *Syncer) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cycles == 0 {
		return errors.New("the first cycle has not ended with a success yet")
	}
	took := s.state.Cycle.EndedAt.Sub(s.state.Cycle.StartedAt)
	if age := s.now().Sub(s.state.LastSuccess); age > 3*s.Interval+took {
		return fmt.Errorf("the last cycle that looked at everything ended %s ago: see failures in sync.json", age.Round(time.Second))
	}
	return nil
}
