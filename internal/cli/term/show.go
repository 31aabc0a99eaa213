package term

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// How often something is shown.
const (
	frameEvery = 100 * time.Millisecond
	lineEvery  = 10 * time.Second
	lineTick   = time.Second // how often a line may be due
	lineShare  = 0.25        // of the whole, that a line is due after
)

// shower is what a running stage shows.
type shower interface {
	// frame returns the lines to draw, of at most width columns.
	frame(s Style, now time.Time, width int) []string
	// line returns the quiet line and which part of the whole is done, from 0 to 1.
	line(now time.Time) (text string, done float64)
	// last returns the line that stays when all is done.
	last(now time.Time) string
}

// running shows a shower until it is stopped.
type running struct {
	streams *Streams
	shower  shower
	live    bool
	once    sync.Once
	stopped chan struct{}
	ended   chan struct{}
}

func (s *Streams) run(what shower) *running {
	r := &running{streams: s, shower: what, live: s.live(), stopped: make(chan struct{}), ended: make(chan struct{})}
	if r.live {
		r.draw()
		go r.redraw()
	} else {
		text, _ := what.line(time.Now())
		s.say(text)
		go r.tell()
	}
	return r
}

// stop ends it, leaves the last line where whole is set, and waits until nothing is drawn any more. Further calls do
// nothing.
func (r *running) stop(whole bool) {
	r.once.Do(func() {
		close(r.stopped)
		<-r.ended
		last := ""
		if whole {
			last = r.shower.last(time.Now())
		}
		if r.live {
			width, _ := r.streams.errSize()
			if last != "" {
				last = Fit(last, width)
			}
			r.streams.screen.clear(last)
		} else if last != "" {
			r.streams.say(last)
		}
	})
}

func (r *running) redraw() {
	defer close(r.ended)
	t := time.NewTicker(frameEvery)
	defer t.Stop()
	for {
		select {
		case <-r.stopped:
			return
		case <-t.C:
			r.draw()
		}
	}
}

func (r *running) draw() {
	width, height := r.streams.errSize()
	lines := r.shower.frame(r.streams.ErrStyle(), time.Now(), width)
	if most := max(1, height-1); len(lines) > most { // what has left the screen cannot be redrawn
		lines = lines[:most]
	}
	for i := range lines {
		lines[i] = Fit(lines[i], width)
	}
	r.streams.screen.draw(lines)
}

// tell says a line when a quarter more is done, and now and then in any case.
func (r *running) tell() {
	defer close(r.ended)
	t := time.NewTicker(lineTick)
	defer t.Stop()
	said, share := time.Now(), 0.0
	for {
		select {
		case <-r.stopped:
			return
		case now := <-t.C:
			text, done := r.shower.line(now)
			if now.Sub(said) >= lineEvery || done-share >= lineShare && done < 1 {
				r.streams.say(text)
				said, share = now, done
			}
		}
	}
}

// say writes one quiet line.
func (s *Streams) say(text string) {
	if s.Line != nil {
		s.Line(text)
		return
	}
	_, _ = fmt.Fprintln(s.Err, text) // as in screen.draw
}

// bar is done of 1 in width columns. It can be read without colours.
func bar(s Style, done float64, width int) string {
	if width <= 0 {
		return ""
	}
	full := min(width, int(done*float64(width)))
	return s.Good(strings.Repeat("━", full)) + s.Faint(strings.Repeat("─", width-full))
}

// spinner is a sign of life that depends on the time alone.
func spinner(now time.Time) string {
	signs := [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	return signs[now.UnixMilli()/frameEvery.Milliseconds()%int64(len(signs))]
}
