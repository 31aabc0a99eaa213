package rewrite

import (
	"bytes"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/rewrite/letters"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/splice"
	"transship/internal/rewrite/tree"
)

// past are the changes of earlier runs.
type past struct {
	after map[digest.Digest][]document.FileChange // by what they led to
	files map[string][]document.FileChange
	// spelled is how a file spelled what is now a name at the target; empty where it did so in several ways.
	spelled map[string]map[string]string
}

func newPast(changes []document.FileChange) *past {
	p := &past{after: map[digest.Digest][]document.FileChange{}, files: map[string][]document.FileChange{}, spelled: map[string]map[string]string{}}
	for _, c := range changes {
		p.after[c.After] = append(p.after[c.After], c)
		p.files[c.File] = append(p.files[c.File], c)
		for _, piece := range c.Pieces {
			p.spell(c.File, piece)
		}
	}
	return p
}

func (p *past) spell(file string, piece document.Piece) {
	if !isReference(piece) {
		return
	}
	from, to := bareName(piece.From), bareName(piece.To)
	if p.spelled[file] == nil {
		p.spelled[file] = map[string]string{}
	}
	if old, ok := p.spelled[file][to]; ok && old != from {
		from = ""
	}
	p.spelled[file][to] = from
}

// isReference reports whether a piece replaced a reference as a whole, rather than a part of one.
func isReference(p document.Piece) bool {
	return strings.Contains(p.From, ".dkr") && strings.Contains(p.From, "/") && strings.Contains(p.To, "/")
}

// bareName is a name without tag and digest.
func bareName(s string) string {
	s, _, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s = s[:i]
	}
	return s
}

// of reports whether a file was changed earlier.
func (p *past) of(at tree.Place) bool { return len(p.files) > 0 && len(p.files[at.Shown()]) > 0 }

// spelling is how the file spelled what is now a name at the target, where it is known to have done so in one way.
func (p *past) spelling(file, name string) (string, bool) {
	s := p.spelled[file][name]
	return s, s != ""
}

// led is the change that led to a file that holds what d is of. Of several that were made to different files the one of
// this file counts; twins says that there are some and none is.
func (p *past) led(file string, d digest.Digest) (c document.FileChange, ok, twins bool) {
	all := p.after[d]
	for n := len(all) - 1; n >= 0; n-- {
		if all[n].File == file {
			return all[n], true, false
		}
		if all[n].Before != all[0].Before {
			twins = true
		}
	}
	if len(all) == 0 || twins {
		return c, false, twins
	}
	return all[0], true, false
}

// undo are the splices that take a change back.
func undo(c document.FileChange) []splice.Splice {
	e := letters.Encoding(c.Encoding)
	out := make([]splice.Splice, len(c.Pieces))
	for n, p := range c.Pieces {
		out[n] = splice.Splice{At: p.At, Old: e.Encode(p.To), New: e.Encode(p.From)}
	}
	return out
}

// goBack fills in what leads a file back: what earlier runs did, from the last one, where the file is still as they left
// it, and otherwise what its names say.
func (s *scan) goBack(c *change, raw, text []byte) []mention.Finding {
	d := digest.FromBytes(raw)
	if _, _, twins := s.past.led(c.shown, d); twins {
		return []mention.Finding{{Line: 1, Kind: mention.Unproved, Why: whyTwins, Do: doTwins}}
	}
	all, last, found := s.takenBack(c.shown, d, raw)
	if !found {
		var findings []mention.Finding
		var edits []mention.Edit
		if s.marked(text) {
			edits, findings, _ = settle(text, verdict{}, s.direction.plain(c.shown, text))
		}
		places, lines := c.encoding.Places(text), counter{text: text}
		for _, e := range edits {
			c.pieces = append(c.pieces, piece{at: places.Raw(e.Start), line: lines.at(e.Start), old: string(text[e.Start:e.End]), new: e.New})
		}
		return append(findings, s.outgrown(c, text)...)
	}
	for _, p := range all {
		old, err := c.encoding.Decode(p.Old)
		fresh, err2 := c.encoding.Decode(p.New)
		before, err3 := c.encoding.Text(raw[:p.At])
		if err != nil || err2 != nil || err3 != nil {
			return []mention.Finding{{Line: 1, Kind: mention.Unproved, Why: whyOutgrown, Do: doOutgrown}}
		}
		c.pieces = append(c.pieces, piece{at: p.At, line: lineAt(before, len(before)), old: string(old), new: string(fresh)})
	}
	return s.leftThere(c, last)
}

// takenBack are the splices that take all earlier changes of a file back, and what it then holds.
func (s *scan) takenBack(file string, d digest.Digest, raw []byte) (all []splice.Splice, last []byte, found bool) {
	last = raw
	for seen := map[digest.Digest]bool{}; !seen[d]; {
		seen[d] = true
		c, ok, _ := s.past.led(file, d)
		if !ok {
			break
		}
		var next bytes.Buffer
		back := undo(c)
		if err := splice.Apply(&next, bytes.NewReader(last), back); err != nil || digest.FromBytes(next.Bytes()) != c.Before {
			break // the record is not what was done
		}
		composed, err := splice.Compose(all, back, last)
		if err != nil {
			break
		}
		all, last, d, found = composed, next.Bytes(), c.Before, true
	}
	return all, last, found
}

// leftThere are the references to the target that a file had before it was ever changed, as far as they are of images that
// only the target has.
func (s *scan) leftThere(c *change, raw []byte) []mention.Finding {
	text, err := c.encoding.Text(raw)
	if err != nil || !s.marked(text) {
		return nil
	}
	_, findings, _ := settle(text, verdict{}, s.direction.plain(c.shown, text))
	var out []mention.Finding
	for _, f := range findings {
		if f.Kind == mention.TargetOnly {
			out = append(out, f)
		}
	}
	return out
}

// outgrown are findings for replaced parts of references that are still in a file which has changed since.
func (s *scan) outgrown(c *change, text []byte) []mention.Finding {
	var out []mention.Finding
	told := map[string]bool{}
	for _, change := range s.past.files[c.shown] {
		for _, p := range change.Pieces {
			at := bytes.Index(text, []byte(p.To))
			if isReference(p) || at < 0 || p.To == "" || told[p.To] {
				continue
			}
			told[p.To] = true
			out = append(out, mention.Finding{
				Line: lineAt(text, at), Kind: mention.SplitUnknown, Text: mention.Excerpt(text, mention.Span{Start: at, End: at}), Why: whyOutgrown, Do: doOutgrown,
			})
		}
	}
	return out
}
