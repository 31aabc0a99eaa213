package sync

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"transship/internal/document"
	"transship/internal/events"
	"transship/internal/stage"
	"transship/internal/transfer"
)

const (
	// longPoll is how long one request waits for messages: the longest that SQS allows.
	longPoll = 20 * time.Second
	// full is how many messages one request brings at most.
	full = 10
	// together is how many messages are taken up at once at most.
	together = 100
	// handlers is how many such lots are under way at once: one with a large image does not hold up the others.
	handlers = 8
	// queuePause is how long the sync waits after a queue did not answer, and mostPause the longest such wait.
	queuePause, mostPause = time.Second, time.Minute
	// maxParked is how many parked messages are kept in sync.json.
	maxParked = 20
)

// watch takes up the messages of a queue until ctx ends.
func (s *Syncer) watch(ctx context.Context, q Queue) {
	var busy sync.WaitGroup
	defer busy.Wait()
	turns := make(chan struct{}, handlers)
	pause := queuePause
	for ctx.Err() == nil {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		messages, err := s.receive(ctx, q, longPoll)
		if err != nil && ctx.Err() == nil {
			s.log.Error("the queue does not answer; the cycles go on without it", "queue", q.Address().Name, "error", err, "again", pause)
			s.Metrics.failed("queue")
			sleep(ctx, pause)
			pause = min(pause*2, mostPause)
		}
		if err == nil {
			pause = queuePause
		}
		busy.Go(func() {
			defer func() { <-turns }()
			s.handle(ctx, q, messages, true)
		})
	}
}

// drain takes up the messages that a queue has now.
func (s *Syncer) drain(ctx context.Context, q Queue) {
	for ctx.Err() == nil {
		messages, err := s.receive(ctx, q, 0)
		if err != nil && ctx.Err() == nil {
			s.log.Error("the queue does not answer", "queue", q.Address().Name, "error", err)
			s.Metrics.failed("queue")
		}
		if len(messages) == 0 {
			return
		}
		s.handle(ctx, q, messages, false)
	}
}

// receive waits for messages, and takes what else is there at once. Beside an error there may be some.
func (s *Syncer) receive(ctx context.Context, q Queue, wait time.Duration) ([]events.Message, error) {
	var out []events.Message
	for len(out) < together {
		some, err := q.Receive(ctx, wait)
		if err != nil {
			return out, err
		}
		if out = append(out, some...); len(some) < full {
			break
		}
		wait = 0
	}
	return out, nil
}

// handle brings what messages name, and deletes those of which nothing is left to do. Those that failed come again when
// their visibility ends, until SQS gives them to the dead-letter queue. Where waits says so, what only a cycle can bring
// waits for one.
func (s *Syncer) handle(ctx context.Context, q Queue, messages []events.Message, waits bool) {
	h := &handling{Syncer: s, queue: q, looks: map[stage.Look][]events.Message{}}
	h.sort(ctx, messages)
	if len(h.looks) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var extending sync.WaitGroup
	extending.Go(func() { h.extend(ctx) })
	defer extending.Wait()
	defer cancel()
	for ended, asked := s.endOfCycle(), false; h.bring(ctx) && waits; {
		if !asked {
			s.kick()
			asked = true
		}
		again := time.NewTimer(lookAgain)
		select {
		case <-ended:
			waits = false // once more; then it comes again
		case <-again.C: // a cycle that copies much knows the repositories long before it ends
		case <-ctx.Done():
			waits = false
		}
		again.Stop()
	}
}

// lookAgain is how often the sync looks whether what waits for a cycle can be brought already.
const lookAgain = 15 * time.Second

// endOfCycle is closed when the present cycle ends, or else the next one.
func (s *Syncer) endOfCycle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// handling is one lot of messages.
type handling struct {
	*Syncer
	queue Queue

	mu    sync.Mutex
	looks map[stage.Look][]events.Message // that are not settled yet
	first map[stage.Look]time.Time
}

// sort parks what cannot be understood, and forgets what is not about an image.
func (h *handling) sort(ctx context.Context, messages []events.Message) {
	h.first = map[stage.Look]time.Time{}
	var idle []events.Message
	for _, m := range messages {
		e := m.Event
		switch {
		case m.Err != nil:
			h.park(h.queue, m)
		case e.Action == events.Other:
			h.Metrics.events.WithLabelValues(string(e.Action)).Inc()
			idle = append(idle, m)
		default:
			h.Metrics.events.WithLabelValues(string(e.Action)).Inc()
			l := stage.Look{Repository: e.Repository, Tag: e.Tag, Digest: e.Digest}
			h.looks[l] = append(h.looks[l], m)
			if at, known := h.first[l]; e.Action != events.Delete && (!known || e.At.Before(at)) {
				h.first[l] = e.At
			}
		}
	}
	h.delete(ctx, idle)
}

// park leaves a message in the queue and tells of it, once.
func (s *Syncer) park(q Queue, m events.Message) {
	s.mu.Lock()
	known := s.parked[m.ID]
	if !known {
		if len(s.parked) > 10_000 { // told of again, rather than remembered for ever
			s.parked = map[string]bool{}
		}
		s.parked[m.ID] = true
		s.state.Parked = append(slices.Clone(s.state.Parked), document.ParkedMessage{
			ID: m.ID, Queue: q.Address().Name, Reason: m.Err.Error(), At: s.now().UTC(),
		})
		s.state.Parked = s.state.Parked[max(0, len(s.state.Parked)-maxParked):]
	}
	s.mu.Unlock()
	if !known {
		s.Metrics.parked.Inc()
		s.log.Warn("a message is parked: it stays in the queue until the dead-letter queue takes it; check the rule that sends it",
			"queue", q.Address().Name, "message", m.ID, "receives", m.Receives, "why", m.Err)
	}
}

// extend keeps the messages that are not settled hidden, until ctx ends.
func (h *handling) extend(ctx context.Context) {
	visible := h.queue.Visibility()
	for {
		if !sleep(ctx, visible/2) {
			return
		}
		if err := h.queue.Extend(ctx, h.left(), visible); err != nil && ctx.Err() == nil {
			h.log.Info("messages could not be kept hidden; they may be taken up twice, which does no harm", "queue", h.queue.Address().Name, "error", err)
		}
	}
}

func (h *handling) left() []events.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []events.Message
	for _, messages := range h.looks {
		out = append(out, messages...)
	}
	return out
}

// bring brings what is left, and reports whether some of it waits for a cycle.
func (h *handling) bring(ctx context.Context) (waiting bool) {
	var looks []stage.Look
	for l := range h.looks {
		looks = append(looks, l)
	}
	brought, err := h.Syncer.bring(ctx, looks)
	if err != nil {
		return false
	}
	for _, b := range brought {
		h.touch(b.Look)
		switch b.Outcome {
		case stage.Waiting:
			waiting = true
			continue
		case stage.Failed:
			h.Metrics.failed("event")
			h.log.Warn("what an event names could not be brought; its message comes again",
				"repository", b.Repository.String(), "tag", b.Tag, "digest", b.Digest, "why", b.Reason)
			h.drop(b.Look)
			continue
		case stage.LeftOut:
			h.log.Info("what an event names is left out", "repository", b.Repository.String(), "tag", b.Tag, "digest", b.Digest, "why", b.Reason)
		case stage.Arrived:
			if at := h.first[b.Look]; b.Copied && !at.IsZero() {
				h.Metrics.lag.Observe(max(0, h.now().Sub(at).Seconds()))
			}
		}
		h.delete(ctx, h.drop(b.Look))
	}
	return waiting
}

// drop takes a look off what is left, and returns its messages.
func (h *handling) drop(l stage.Look) []events.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	messages := h.looks[l]
	delete(h.looks, l)
	return messages
}

func (h *handling) delete(ctx context.Context, messages []events.Message) {
	if len(messages) == 0 {
		return
	}
	if err := h.queue.Delete(ctx, messages); err != nil && ctx.Err() == nil {
		h.log.Info("messages could not be deleted; they come again, which does no harm", "queue", h.queue.Address().Name, "error", err)
	}
}

// again is how often what was copied is looked at once more at most.
const again = 3

// bring brings what looks name. What was copied is looked at once more: while a large image was on its way its tag may have
// moved, and another lot may have brought that already.
func (s *Syncer) bring(ctx context.Context, looks []stage.Look) ([]stage.Brought, error) {
	out := map[stage.Look]stage.Brought{}
	for try := 0; len(looks) > 0 && try <= again; try++ {
		brought, results, err := s.pipeline.Bring(ctx, looks, stage.Hooks{Copy: new(transfer.Progress)})
		s.Metrics.read(results.Traffic.BytesRead)
		if err != nil {
			return nil, err
		}
		looks = nil
		for _, b := range brought {
			if b.Copied && b.Outcome == stage.Arrived && b.Tag != "" {
				looks = append(looks, b.Look)
			}
			b.Copied = b.Copied || out[b.Look].Copied
			out[b.Look] = b
		}
		if len(looks) > 0 {
			s.log.Info("events", "looks", len(brought), "brought", len(looks))
		}
	}
	return slices.Collect(maps.Values(out)), nil
}

// touch has the present cycle look once more at its end at what was brought beside it.
func (s *Syncer) touch(l stage.Look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		s.touched[l] = true
	}
}

// sleep waits for d, and reports whether it did so to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
