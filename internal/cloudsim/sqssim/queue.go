package sqssim

import (
	"crypto/md5" //nolint:gosec // SQS's checksum
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"
)

// QueueOptions are a queue's attributes. The zero value is SQS's default.
type QueueOptions struct {
	// Visibility is how long a message that was received is hidden where the request does not say. Default 30 seconds.
	Visibility time.Duration
	// MaxReceives is how often a message is received before it goes to DeadLetters; 0 is for ever.
	MaxReceives int
	// DeadLetters is the queue that messages go to which nobody deletes; nil drops them.
	DeadLetters *Queue
}

// Queue is one queue. It is safe for concurrent use.
type Queue struct {
	service *Service
	account string
	name    string
	options QueueOptions

	mu       sync.Mutex
	messages []*message
	numbered int
	arrived  chan struct{} // closed and replaced when there may be something to receive
}

type message struct {
	id, body, receipt string
	sent, visible     time.Time
	receives          int
}

// URL is how clients name the queue.
func (q *Queue) URL() string {
	return "https://" + q.service.Host() + "/" + q.account + "/" + q.name
}

// ARN is how policies name the queue.
func (q *Queue) ARN() string {
	return "arn:aws:sqs:" + q.service.region + ":" + q.account + ":" + q.name
}

// Send puts a message into the queue.
func (q *Queue) Send(body string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.numbered++
	now := q.service.now()
	q.messages = append(q.messages, &message{id: fmt.Sprintf("%s-%d", q.name, q.numbered), body: body, sent: now, visible: now})
	close(q.arrived)
	q.arrived = make(chan struct{})
}

// Len is how many messages there are, those included that somebody has received and not deleted.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.messages)
}

// Bodies are the messages, the oldest first.
func (q *Queue) Bodies() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]string, 0, len(q.messages))
	for _, m := range q.messages {
		out = append(out, m.body)
	}
	return out
}

// Release lets everything that is hidden be received at once, as if whoever has it had died long ago.
func (q *Queue) Release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		m.visible = q.service.now()
	}
	close(q.arrived)
	q.arrived = make(chan struct{})
}

// receive takes up to most messages. Where there is none, wait says when to look again: by a message that arrives, or the
// time at which the next one shows.
func (q *Queue) receive(most int, visibility time.Duration) (taken []message, arrived <-chan struct{}, next time.Time) {
	q.mu.Lock()
	var dead []string
	now := q.service.now()
	for _, m := range slices.Clone(q.messages) {
		if m.visible.After(now) {
			if next.IsZero() || m.visible.Before(next) {
				next = m.visible
			}
			continue
		}
		if q.options.MaxReceives > 0 && m.receives >= q.options.MaxReceives {
			q.drop(m)
			dead = append(dead, m.body)
			continue
		}
		if len(taken) == most {
			break
		}
		m.receives++
		m.visible = now.Add(visibility)
		m.receipt = fmt.Sprintf("%s#%d", m.id, m.receives)
		taken = append(taken, *m)
	}
	arrived = q.arrived
	q.mu.Unlock()
	for _, body := range dead {
		if q.options.DeadLetters != nil {
			q.options.DeadLetters.Send(body)
		}
	}
	return taken, arrived, next
}

func (q *Queue) drop(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(o *message) bool { return o == m })
}

// find returns the message of a receipt, which holds until the message is received again, or nil. q.mu is held.
func (q *Queue) find(receipt string) *message {
	for _, m := range q.messages {
		if m.receipt == receipt && receipt != "" {
			return m
		}
	}
	return nil
}

// remove deletes a message. An old receipt does nothing, and is no error.
func (q *Queue) remove(receipt string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m := q.find(receipt); m != nil {
		q.drop(m)
	}
}

// hide changes how long a message stays hidden from now, and reports whether it is hidden at all.
func (q *Queue) hide(receipt string, d time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.find(receipt)
	now := q.service.now()
	if m == nil || !m.visible.After(now) {
		return false
	}
	m.visible = now.Add(d)
	if d == 0 {
		close(q.arrived)
		q.arrived = make(chan struct{})
	}
	return true
}

// counts are how many messages can be received and how many are hidden.
func (q *Queue) counts() (visible, hidden int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.service.now()
	for _, m := range q.messages {
		if m.visible.After(now) {
			hidden++
		} else {
			visible++
		}
	}
	return visible, hidden
}

func checksum(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // SQS's checksum
	return hex.EncodeToString(sum[:])
}
