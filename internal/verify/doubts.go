package verify

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/registry"
)

// settle asks once for each doubt. Where the target's repository does not exist, there is nobody to ask.
func (l *look) settle(ctx context.Context) {
	var g errgroup.Group
	g.SetLimit(l.Concurrency)
	for _, d := range l.doubts {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			l.ask(ctx, d)
			return nil
		})
	}
	_ = g.Wait() // what cannot be asked is noted
	for _, i := range l.images {
		i.explain(l.before)
	}
	if !l.Deep {
		l.step(len(l.images), 0)
	}
}

// ask settles one doubt. Its case has no cause yet: that takes all answers.
func (l *look) ask(ctx context.Context, d doubt) {
	i := d.image
	missing := document.Case{Kind: document.CaseMissing, Tag: d.tag, SourceDigest: d.digest}
	if !i.listed.exists {
		i.add(missing)
		return
	}
	found, err := l.Target.HeadManifest(ctx, i.planned.Target, cmp.Or(d.tag, d.digest.String()))
	switch {
	case err == nil && found == d.digest:
		i.found(d.digest, d.tag)
	case err == nil:
		i.add(document.Case{Kind: document.CaseMismatched, Tag: d.tag, SourceDigest: d.digest, TargetDigest: found})
	case registry.IsClass(err, registry.NotFound), registry.IsClass(err, registry.NoRepository):
		i.add(missing)
		if d.tag == "" {
			i.mu.Lock()
			i.absent[d.digest] = true
			i.mu.Unlock()
		}
	default:
		l.fail(i, d.tag, d.digest, err)
	}
}
