package term

import (
	"strings"
	"sync"
	"time"
)

// Meter shows how far a stage has come that counts something. It is safe for concurrent use.
type Meter struct {
	style   Style
	label   string
	began   time.Time
	running *running

	mu          sync.Mutex
	done, total int
	note        string
	summary     string
}

// What a Meter's bar takes where there is room, and how much room there must be for one.
const (
	barWidth = 24
	minBar   = 6
)

// Meter begins to show a stage, named by label as in "Reading manifests", until Stop is called.
func (s *Streams) Meter(label string) *Meter {
	m := &Meter{style: s.ErrStyle(), label: Clean(label), began: time.Now()}
	m.running = s.run(m)
	return m
}

// Set says how many are done, of a total that is 0 while it is not known. The note says more, such as "1,234 images";
// it may be empty.
func (m *Meter) Set(done, total int, note string) {
	note = Clean(note)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.total, m.note = done, total, note
}

// Stop ends it and waits until nothing is drawn any more. The summary stays, with the time that it took; an empty one
// leaves nothing, which is right where an error is told next. Further calls do nothing.
func (m *Meter) Stop(summary string) {
	m.mu.Lock()
	m.summary = Clean(summary)
	m.mu.Unlock()
	m.running.stop(summary != "")
}

// count is how much is done, in words that may be empty, and as a share.
func (m *Meter) count() (text, note string, done float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.total > 0:
		text = Number(m.done) + " of " + Number(m.total)
	case m.done > 0:
		text = Number(m.done)
	}
	return text, m.note, share(int64(m.done), int64(m.total))
}

func (m *Meter) frame(s Style, now time.Time, width int) []string {
	count, note, done := m.count()
	parts := []string{spinner(now) + " " + s.Bold(m.label)}
	if done > 0 {
		used := Width(parts[0]) + gap + gap + Width(count)
		if note != "" {
			used += gap + Width(note)
		}
		if room := min(barWidth, width-used); room >= minBar {
			parts = append(parts, bar(s, done, room))
		}
	}
	if count != "" {
		parts = append(parts, count)
	}
	if note != "" {
		parts = append(parts, s.Faint(note))
	}
	return []string{strings.Join(parts, strings.Repeat(" ", gap))}
}

func (m *Meter) line(time.Time) (string, float64) {
	count, note, done := m.count()
	how := strings.Trim(count+", "+note, ", ")
	if how == "" {
		return m.label, done
	}
	return m.label + ": " + how, done
}

func (m *Meter) last(now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := m.label + ": " + m.summary + " " + m.style.Faint("("+Duration(now.Sub(m.began))+")")
	if m.running.live {
		return m.style.Good("✓") + " " + text
	}
	return text
}
