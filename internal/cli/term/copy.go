package term

import (
	"strings"
	"sync"
	"time"

	"transship/internal/transfer"
)

// shownStreams is how many of the blobs that are on their way are named.
const shownStreams = 3

// Copy shows how far a copy has come.
type Copy struct {
	style    Style
	progress *transfer.Progress
	notice   func() string
	began    time.Time
	running  *running

	mu    sync.Mutex
	bytes speed   // read from the source
	work  speed   // see moment.work
	best  float64 // the largest share shown: a bar does not go back when a broken read begins again
	tall  int     // lines of the tallest frame so far: a frame does not jump
}

// Copy begins to show p until Stop is called. The notice, which may be nil, says what else matters at the moment, such
// as "Artifact Registry asks to slow down"; it is called some ten times a second.
func (s *Streams) Copy(p *transfer.Progress, notice func() string) *Copy {
	if notice == nil {
		notice = func() string { return "" }
	}
	c := &Copy{style: s.ErrStyle(), progress: p, notice: notice, began: time.Now()}
	c.running = s.run(c)
	return c
}

// Stop ends it and waits until nothing is drawn any more; one line stays that says how far it came. Further calls do
// nothing.
func (c *Copy) Stop() { c.running.stop(true) }

// Abandon is Stop for a copy that ended with an error, which is told next: nothing stays.
func (c *Copy) Abandon() { c.running.stop(false) }

// unitWork is what an image's own requests count for, in bytes: many small images take time too.
const unitWork = 1e6

// moment is a copy at one moment.
type moment struct {
	units, unitsTotal int64
	bytes, bytesTotal int64
	failed            int64
	done              float64 // of the work: bytes and images together
	rate              float64 // bytes a second
	left              time.Duration
	knowsLeft         bool
	streams           []*transfer.Stream // that bytes flow in, the largest first
}

func (c *Copy) look(now time.Time) moment {
	p := c.progress
	m := moment{
		unitsTotal: p.ImagesTotal.Load(), units: p.ImagesDone.Load(), bytesTotal: p.BytesTotal.Load(), failed: p.Failures.Load(),
	}
	m.bytes = min(p.BytesDone(), m.bytesTotal)
	for _, s := range p.Streams() {
		if n := s.Done(); n > 0 && n < s.Blob.Size {
			m.streams = append(m.streams, s)
		}
	}
	work, total := m.bytes+m.units*unitWork, m.bytesTotal+m.unitsTotal*unitWork
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes.add(now, p.BytesRead.Load())
	c.work.add(now, work)
	c.best = max(c.best, share(work, total))
	m.done, m.rate = c.best, c.bytes.perSecond()
	m.left, m.knowsLeft = c.work.left(total - work)
	return m
}

func (c *Copy) frame(s Style, now time.Time, width int) []string {
	m := c.look(now)
	if m.unitsTotal == 0 {
		return []string{spinner(now) + " " + s.Bold("Copying") + "  " + s.Faint("finding out what is missing")}
	}
	lines := []string{c.headline(s, now, m), c.barLine(s, m, width)}
	names := 0
	shown := m.streams[:min(len(m.streams), shownStreams)]
	for _, stream := range shown {
		names = max(names, Width(streamName(stream)))
	}
	for _, stream := range shown {
		lines = append(lines, streamLine(s, stream, names, width))
	}
	if len(m.streams) == 0 && m.bytes == m.bytesTotal {
		lines = append(lines, s.Faint("  writing manifests and tags"))
	}
	if notice := Clean(c.notice()); notice != "" {
		lines = append(lines, "  "+s.Warn(notice))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tall = max(c.tall, len(lines))
	for len(lines) < c.tall {
		lines = append(lines, "")
	}
	return lines
}

func (c *Copy) headline(s Style, now time.Time, m moment) string {
	parts := []string{spinner(now) + " " + s.Bold("Copying"), Number(m.units) + " of " + Count(m.unitsTotal, "image")}
	if m.failed > 0 {
		parts = append(parts, s.Bad(Number(m.failed)+" failed"))
	}
	if n := len(m.streams); n > shownStreams {
		parts = append(parts, s.Faint(Count(n, "layer")+" on the way"))
	}
	return strings.Join(parts, "  ")
}

// barLine is the bar with what fits beside it, the most important first.
func (c *Copy) barLine(s Style, m moment, width int) string {
	const indent, least = 2, 10
	parts := []string{pad(Percent(int64(1e6*m.done), 1e6), 5, true)}
	add := func(part string) {
		parts = append(parts, part)
		if indent+least+gap+Width(strings.Join(parts, "  ")) > width {
			parts = parts[:len(parts)-1]
		}
	}
	if m.bytesTotal > 0 {
		add(BytesOf(m.bytes, m.bytesTotal))
	}
	if m.knowsLeft {
		add(Left(m.left) + " left")
	}
	if m.bytesTotal > 0 && m.bytes < m.bytesTotal {
		add(Rate(m.rate))
	}
	text := strings.Join(parts, "  ")
	return "  " + bar(s, m.done, min(40, width-indent-gap-Width(text))) + "  " + text
}

// streamName is the image path that a stream is for, without what all have in common.
func streamName(stream *transfer.Stream) string {
	if stream.Target.Path != "" {
		return Clean(stream.Target.Path)
	}
	return Clean(stream.Target.Name())
}

func streamLine(s Style, stream *transfer.Stream, names, width int) string {
	tail := "  " + BytesColumn(stream.Blob.Size) + "  " + pad(Percent(stream.Done(), stream.Blob.Size), 5, true)
	digest := "  " + ShortDigest(stream.Blob.Digest)
	room := width - 2 - Width(tail) - Width(digest)
	if room < min(names, 2*minShrunk) { // the name says more than the digest
		digest, room = "", room+Width(digest)
	}
	names = min(names, room)
	return "  " + pad(Middle(streamName(stream), names), names, false) + s.Faint(digest) + tail
}

func (c *Copy) line(now time.Time) (string, float64) {
	m := c.look(now)
	if m.unitsTotal == 0 {
		return "Copying", 0
	}
	text := "Copying: " + Percent(int64(1e6*m.done), 1e6) + ", " + Number(m.units) + " of " + Count(m.unitsTotal, "image")
	if m.bytesTotal > 0 {
		text += ", " + BytesOf(m.bytes, m.bytesTotal) + ", " + Rate(m.rate)
	}
	if m.knowsLeft {
		text += ", " + Left(m.left) + " left"
	}
	if m.failed > 0 {
		text += ", " + Number(m.failed) + " failed"
	}
	if notice := Clean(c.notice()); notice != "" {
		text += "; " + notice
	}
	return text, m.done
}

func (c *Copy) last(now time.Time) string {
	m, took := c.look(now), now.Sub(c.began)
	read := c.progress.BytesRead.Load()
	text := "nothing to copy"
	if m.unitsTotal > 0 {
		text = Number(m.units) + " of " + Count(m.unitsTotal, "image")
	}
	if read > 0 {
		text += ", " + Bytes(read)
		if seconds := took.Seconds(); seconds > 0 {
			text += " at " + Rate(float64(read)/seconds)
		}
	}
	mark := c.style.Good("✓")
	if m.failed > 0 {
		text += ", " + c.style.Bad(Number(m.failed)+" failed")
	}
	if m.failed > 0 || m.units < m.unitsTotal {
		mark = c.style.Bad("✗")
	}
	text = "Copying: " + text + " " + c.style.Faint("("+Duration(took)+")")
	if c.running.live {
		return mark + " " + text
	}
	return text
}
