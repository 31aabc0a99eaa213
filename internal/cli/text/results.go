package text

import (
	"io"

	"transship/internal/cli/term"
	"transship/internal/document"
)

// Results says what a copy did. The path is where the document is; empty where it is nowhere.
func Results(w io.Writer, o Options, r document.Results, path string) {
	p, n := newPage(w, o), newNames(r.Migration)
	p.resultsVerdict(r)
	p.resultsCounts(r)
	if len(r.Failures) > 0 {
		p.section("Failed", p.s.Bad(term.Number(len(r.Failures))))
		p.failures(r.Failures, n, path)
	}
	p.tags("Kept", `somebody else moved them at the target; "copy --overwrite" takes them`, r.Kept, n, path)
	p.tags("Gone", "deleted at the source since the plan was made", r.Gone, n, path)
	p.next(resultsNext(r))
	p.written(path)
}

// pieces counts references.
func pieces(n int) string {
	if n == 1 {
		return "1 tag or untagged image"
	}
	return term.Number(n) + " tags and untagged images"
}

func (p *page) resultsVerdict(r document.Results) {
	switch {
	case r.Stopped:
		p.say(0, "Stopped: "+pieces(r.Success)+" copied before that", p.s.Warn)
	case r.Failed > 0:
		p.say(0, "Copied "+pieces(r.Success)+"; "+term.Number(r.Failed)+" failed", p.s.Bad)
	case r.Success > 0:
		p.say(0, "Copied "+pieces(r.Success), p.s.Good)
	case r.Skipped > 0:
		p.say(0, "Nothing to copy: "+pieces(r.Skipped)+" left as "+verb(r.Skipped, "it is", "they are"), p.s.Good)
	default:
		p.say(0, "Nothing to copy", p.s.Good)
	}
}

func (p *page) resultsCounts(r document.Results) {
	if r.Success+r.Failed > 0 && r.Skipped > 0 {
		p.labelled("left", pieces(r.Skipped)+", right already or not to be touched", nil)
	}
	t := r.Traffic
	if t.BlobsRead+t.BlobsMounted+t.BlobsPresent > 0 {
		moved := term.Bytes(t.BytesRead) + " from ECR in " + term.Count(t.BlobsRead, "layer")
		if t.BlobsMounted > 0 {
			moved += "; " + term.Number(t.BlobsMounted) + " more taken from within Artifact Registry"
		}
		if t.BlobsPresent > 0 {
			moved += "; " + term.Number(t.BlobsPresent) + " were there"
		}
		p.labelled("layers", moved, nil)
	}
	if t.ManifestsWritten+t.TagsWritten > 0 {
		p.labelled("written", term.Count(t.ManifestsWritten, "manifest")+", "+term.Count(t.TagsWritten, "tag"), nil)
	}
	if took := r.EndedAt.Sub(r.StartedAt); took > 0 && !r.StartedAt.IsZero() {
		text := term.Duration(took)
		if t.BytesRead > 0 {
			text += ", " + term.Rate(float64(t.BytesRead)/took.Seconds())
		}
		p.labelled("time", text, nil)
	}
}

// tags lists tags that are worth a look.
func (p *page) tags(title, why string, list []document.Tag, n names, path string) {
	if len(list) == 0 {
		return
	}
	p.section(title, p.s.Warn(term.Number(len(list))))
	p.say(item, why, p.s.Faint)
	t := &term.Table{Indent: item, Columns: []term.Column{{Shrink: true}, {Mark: p.s.Faint}}}
	shown := p.most(len(list), maxCases)
	for _, tag := range list[:shown] {
		t.Row(reference(n.targetText(tag.Target.String()), tag.Tag, ""), described(tag.Digest, ""))
	}
	p.table(t)
	p.more(item, len(list)-shown, allIn(path))
}

func resultsNext(r document.Results) string {
	switch {
	case r.Stopped:
		return `Next: "transship copy" goes on from here.`
	case r.Failed > 0:
		return `Next: "transship copy --retry-failed" takes up what failed.`
	case len(r.Kept) > 0:
		return `Next: decide about the tags that were kept; "transship verify" names them, too.`
	}
	return `Next: "transship verify" proves that everything arrived.`
}
