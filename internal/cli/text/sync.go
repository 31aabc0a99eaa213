package text

import (
	"io"

	"transship/internal/cli/term"
	"transship/internal/document"
)

// Sync says what one cycle of a sync did. The path is where the document is; empty where it is nowhere.
func Sync(w io.Writer, o Options, s document.Sync, path string) {
	p, n := newPage(w, o), newNames(s.Migration)
	c := s.Cycle
	switch {
	case c.Stopped:
		p.say(0, "Stopped: "+pieces(c.Copied)+" copied before that", p.s.Warn)
	case c.Behind > 0:
		p.say(0, "Behind: "+pieces(c.Behind)+" could not be brought", p.s.Bad)
	case c.Copied > 0:
		p.say(0, "In step: copied "+pieces(c.Copied), p.s.Good)
	default:
		p.say(0, "In step: nothing to copy", p.s.Good)
	}
	p.labelled("looked", term.Count(c.Repositories, "repository")+", "+term.Count(c.Images, "image"), nil)
	if len(c.Created) > 0 {
		p.labelled("created", term.Count(len(c.Created), "repository"), nil)
	}
	if c.Deleted > 0 {
		p.labelled("deleted", term.Count(c.Deleted, "tag")+" that the source no longer has", nil)
	}
	if len(c.Failures) > 0 {
		p.section("Failed", p.s.Bad(term.Number(len(c.Failures))))
		p.failures(c.Failures, n, path)
	}
	p.tags("Kept", `somebody else moved them at the target; "--overwrite" takes them`, c.KeptTags, n, path)
	deleted := make([]document.Tag, 0, len(s.Deletions))
	for _, d := range s.Deletions {
		deleted = append(deleted, document.Tag{Target: d.Target, Tag: d.Tag, Digest: d.Digest})
	}
	p.tags("Deleted at the source", `still at the target; "--delete-tags" takes them away`, deleted, n, path)
	if len(s.Held) > 0 {
		p.section("Held", p.s.Warn("deletions that were not followed"))
		for _, why := range s.Held {
			p.say(item, why, nil)
		}
	}
	if len(s.Vanished) > 0 {
		p.section("Vanished", p.s.Warn(term.Count(len(s.Vanished), "repository"))+" that the source no longer shows")
		p.say(item, "What is at the target stays.", p.s.Faint)
		for _, v := range s.Vanished {
			p.say(2, v.URI.Name, nil)
		}
	}
	if len(s.Parked) > 0 {
		p.section("Parked", p.s.Warn(term.Count(len(s.Parked), "message"))+" not understood and left in the queue")
		for _, m := range s.Parked {
			p.say(2, moment(m.At)+"  "+m.Queue+": "+m.Reason, nil)
		}
	}
	p.written(path)
}
