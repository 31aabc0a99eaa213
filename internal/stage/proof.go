package stage

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/workspace"
)

// Proof is what the documents of the workspace say to whoever judges a cut-over; nil where they say nothing.
type Proof struct {
	Verification *document.Verification
	Sync         *document.Sync
	Before       *document.Cutover // the last judgement
	// Recorded are the registries of which any judgement, of the whole or of a wave, saw that ECR recorded the migration's own
	// pulls; each once, as it was seen last.
	Recorded []document.RecordedPulls
	waves    map[string]time.Time
	all      []ref.Wave
}

// saw takes over what a judgement saw.
func (p *Proof) saw(c *document.Cutover) {
	if c == nil {
		return
	}
	for _, r := range c.Recorded {
		n := slices.IndexFunc(p.Recorded, func(o document.RecordedPulls) bool { return o.Registry == r.Registry })
		switch {
		case n < 0:
			p.Recorded = append(p.Recorded, r)
		case r.SeenAt.After(p.Recorded[n].SeenAt):
			p.Recorded[n] = r
		}
	}
}

// Proof reads them. It asks no registry.
func (p *Pipeline) Proof() (Proof, error) {
	out := Proof{waves: map[string]time.Time{}, all: p.Waves}
	whole := workspace.At(p.Workspace.Dir, "")
	var err error
	if out.Verification, err = optionally[document.Verification](p, p.Workspace.Verification(), document.KindVerification); err != nil {
		return out, err
	}
	if out.Sync, err = optionally[document.Sync](p, p.Workspace.Sync(), document.KindSync); err != nil {
		return out, err
	}
	if out.Sync == nil { // one sync serves all waves
		if out.Sync, err = optionally[document.Sync](p, whole.Sync(), document.KindSync); err != nil {
			return out, err
		}
	}
	if out.Before, err = optionally[document.Cutover](p, p.Workspace.Cutover(), document.KindCutover); err != nil {
		return out, err
	}
	out.saw(out.Before)
	all, err := optionally[document.Cutover](p, whole.Cutover(), document.KindCutover)
	if err != nil {
		return out, err
	}
	out.saw(all)
	for _, w := range p.Waves {
		part, err := p.Workspace.Wave(w.Name)
		if err != nil {
			return out, err
		}
		c, err := optionally[document.Cutover](p, part.Cutover(), document.KindCutover)
		if err != nil {
			return out, err
		}
		if out.saw(c); c != nil {
			out.waves[w.Name] = c.SwitchedAt
		}
	}
	return out, nil
}

// Switched is since when nobody should pull a repository from ECR: as was said for all at once, or else for its wave; the
// zero value where nobody said it.
func (p Proof) Switched(r ref.Repository, all time.Time) time.Time {
	if !all.IsZero() {
		return all
	}
	for _, w := range p.all {
		if w.Match(r) {
			return p.waves[w.Name]
		}
	}
	return time.Time{}
}

// optionally reads a document that may not be there: nil then.
func optionally[T any, P interface {
	*T
	document.Headed
}](p *Pipeline, path string, kind document.Kind) (*T, error) {
	v := new(T)
	err := document.ReadFor(path, kind, p.Rules.Migration, P(v))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return v, err
}
