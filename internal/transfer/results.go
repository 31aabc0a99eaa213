package transfer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"transship/internal/document"
	"transship/internal/registry"
)

// gone says that the source no longer has an image: it was deleted since the plan was made.
type gone struct{ error }

func (g *gone) Unwrap() error { return g.error }

// isGone reports whether err says that the image itself is gone, rather than something that it needs.
func isGone(err error) bool {
	_, is := errors.AsType[*gone](err)
	return is && registry.ClassOf(err) != registry.Incomplete
}

// isStopped reports whether err came of the end of the run, be it by way of something that the image needs.
func isStopped(err error) bool {
	for e, ok := errors.AsType[*registry.Error](err); ok; e, ok = errors.AsType[*registry.Error](e.Err) {
		if e.Class == registry.Canceled {
			return true
		}
	}
	return errors.Is(err, context.Canceled)
}

// problems gathers what did not go as planned.
type problems struct {
	progress *Progress
	mu       sync.Mutex
	failures []document.Failure
	kept     []document.Tag
	gone     []document.Tag
	stopped  bool
}

func (p *problems) add(f document.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.Failures.Add(1)
	p.failures = append(p.failures, f)
}

func (p *problems) keep(t document.Tag) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = append(p.kept, t)
}

// fail notes that a tag, or a digest without one, did not arrive. ctx is the run's.
func (p *problems) fail(ctx context.Context, n *node, tag string, err error) {
	target, suffix := n.place.planned.Target, "@"+n.manifest.Digest.String()
	if tag != "" {
		suffix = ":" + tag
	}
	if isGone(err) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.gone = append(p.gone, document.Tag{Target: target, Tag: tag, Digest: n.manifest.Digest})
		return
	}
	if ctx.Err() != nil && isStopped(err) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stopped = true
		return
	}
	f := document.Failure{Source: n.source.String() + suffix, Target: target.String() + suffix, Digest: n.manifest.Digest, Tag: tag}
	f.Class, f.Error, f.Hint = registry.Explain(err)
	f.Hint = cmp.Or(f.Hint, advice(registry.ClassOf(err)))
	p.add(f)
}

// advice is what to do about a failure that brought no advice of its own.
func advice(class registry.Class) string {
	switch class {
	case registry.NotFound:
		return "ECR lists the image, but has lost a part of it: push it to ECR again, or exclude it"
	case registry.Corrupt:
		return "the bytes in ECR are not those of the digest: push the image to ECR again, or exclude it"
	case registry.Throttled, registry.Unavailable:
		return `run "transship copy --retry-failed" when the registries are at rest again`
	}
	return `see what the registry says; "transship copy --retry-failed" tries again`
}

// expect counts what there is to do.
func (e *engine) expect(units []*node) {
	counted := map[*blob]bool{}
	seen := map[*node]bool{}
	var add func(n *node)
	add = func(n *node) {
		if n.present || seen[n] {
			return
		}
		seen[n] = true
		for _, i := range n.manifest.Blobs {
			if b := &n.place.host[i]; b.landed == nowhere && !counted[b] {
				counted[b] = true
				e.Progress.BlobsTotal.Add(1)
				e.Progress.BytesTotal.Add(e.Plan.Blobs[i].Size)
			}
		}
		for _, d := range n.manifest.Children {
			if child := n.place.nodes[d]; child != nil {
				add(child)
			}
		}
	}
	for _, n := range units {
		if n.present {
			e.Progress.ImagesTotal.Add(1)
		}
		add(n)
		for _, d := range n.describers {
			add(d)
		}
	}
	e.Progress.ImagesTotal.Add(int64(len(seen)))
}

// results counts what came of each reference: a tag, or a digest that has none.
func (e *engine) results(ctx context.Context) document.Results {
	r := document.Results{
		Header: document.NewHeader(document.KindResults, e.Plan.Migration), Scope: e.Plan.Scope,
		StartedAt: e.started, EndedAt: e.Now().UTC(),
		Failures: append([]document.Failure{}, e.problems.failures...),
		Kept:     append([]document.Tag{}, e.problems.kept...), Gone: append([]document.Tag{}, e.problems.gone...),
		Stopped: e.problems.stopped || ctx.Err() != nil,
		Traffic: document.Traffic{
			ManifestsRead: e.Progress.ManifestsRead.Load(), ManifestsWritten: e.Progress.ManifestsDone.Load(),
			TagsWritten: e.Progress.TagsDone.Load(),
			BlobsRead:   e.Progress.BlobsRead.Load(), BytesRead: e.Progress.BytesRead.Load(),
			BlobsMounted: e.Progress.BlobsMounted.Load(), BlobsPresent: e.Progress.BlobsPresent.Load(),
		},
	}
	for _, p := range e.places {
		for _, n := range p.order {
			if !e.takes(n) {
				continue
			}
			r.Skipped += n.right
			switch untagged := len(n.tags)+n.right == 0; {
			case untagged && n.present:
				r.Skipped++
			case untagged && n.arrived:
				r.Success++
			}
			r.Success += n.written
		}
	}
	r.Failed = len(r.Failures)
	byTarget := func(a, b document.Tag) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest))
	}
	slices.SortFunc(r.Kept, byTarget)
	slices.SortFunc(r.Gone, byTarget)
	slices.SortFunc(r.Failures, func(a, b document.Failure) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	return r
}
