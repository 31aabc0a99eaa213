package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"transship/internal/document/journal"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// maxTogether is how many children of one manifest, or describers or tags of one image, are brought at once.
const maxTogether = 32

// settles returns what lands n and what describes it, then writes n's tags.
func (e *engine) settles(n *node) func(context.Context) {
	return func(ctx context.Context) {
		landed := timed(ctx, n, n.landing.do(ctx, e.lands(n)))
		if landed == nil {
			landed = n.landed
		}
		missing := e.settleDescribers(ctx, n)
		defer n.batch.drop(n.manifest.Digest)
		e.writeTags(ctx, n, cmp.Or(landed, missing))
	}
}

// writeTags points n's tags at it, several at once, or notes for each of them why it cannot.
func (e *engine) writeTags(ctx context.Context, n *node, why error) {
	tags := n.tags
	if n.direct {
		tags = tags[1:]
	}
	errs := make([]error, len(tags))
	_ = together(tags, func(i int) error {
		if errs[i] = why; why == nil {
			errs[i] = timed(ctx, n, e.tag(ctx, n, tags[i]))
		}
		return nil
	})
	for i, tag := range tags {
		if errs[i] != nil {
			e.problems.fail(e.run, n, tag, errs[i])
		} else {
			n.written++
		}
	}
}

// settleDescribers returns why the tags of n must wait, if anything that describes it did not arrive.
func (e *engine) settleDescribers(ctx context.Context, n *node) error {
	if len(n.describers) == 0 {
		return nil
	}
	var g errgroup.Group
	g.SetLimit(maxTogether)
	for _, d := range n.describers {
		g.Go(func() error { return e.apart(ctx, &d.settling, e.settles(d)) })
	}
	if err := g.Wait(); err != nil { // of ctx: each keeps its own failures
		return timed(ctx, n, err)
	}
	for _, d := range n.describers {
		if err := d.landing.wait(ctx); err != nil {
			return timed(ctx, n, err)
		}
		if err := d.landed; err != nil && !isGone(err) { // what the source deleted belongs to nothing any more
			return incomplete(n, fmt.Errorf("%s, which describes it, did not arrive: %w", d.manifest.Digest, err))
		}
	}
	return nil
}

// lands returns what sees to it that n's manifest is at its place.
func (e *engine) lands(n *node) func(context.Context) {
	return func(ctx context.Context) {
		if n.present {
			return
		}
		n.landed = timed(ctx, n, e.bringManifest(ctx, n))
		if !n.unit { // a unit is done when its tags are written, too
			e.Progress.ImagesDone.Add(1)
		}
		if n.landed != nil {
			if len(n.tags) == 0 { // which would tell
				e.problems.fail(e.run, n, "", n.landed)
			}
			return
		}
		e.Progress.ManifestsDone.Add(1)
		for _, i := range n.manifest.Blobs {
			n.place.host[i].land(n.place.index)
		}
	}
}

func (e *engine) bringManifest(ctx context.Context, n *node) error {
	m, err := e.gather(ctx, n)
	if err != nil {
		return err
	}
	reference := m.Digest.String()
	// Of schema 1, both sides may take another digest: asked for by digest, the target refuses rather than tags another.
	if len(n.tags) > 0 && len(n.describers) == 0 && !registry.IsSchema1(m.MediaType) {
		reference = n.tags[0]
	}
	if err := e.put(ctx, n, reference, m); err != nil {
		return refusal(n, err)
	}
	if n.arrived = true; reference != m.Digest.String() {
		n.direct = true
		n.written++
		e.Progress.TagsDone.Add(1)
		e.note(journal.Event{Kind: journal.Tag, Target: n.place.planned.Target.String(), Tag: reference, Digest: m.Digest})
	} else {
		e.note(journal.Event{Kind: journal.Manifest, Target: n.place.planned.Target.String(), Digest: m.Digest})
	}
	if len(n.tags) == 0 || len(n.tags) == 1 && n.direct {
		n.batch.drop(m.Digest)
	}
	return nil
}

// gather returns n's manifest when all that it needs is there. The manifest is read meanwhile: whoever reads it first
// waits for a hundred.
func (e *engine) gather(ctx context.Context, n *node) (registry.Manifest, error) {
	var m registry.Manifest
	var unread error
	var wg sync.WaitGroup
	wg.Go(func() { m, unread = e.load(ctx, n) })
	err := e.landChildren(ctx, n)
	if err == nil {
		err = e.bringBlobs(ctx, n)
	}
	wg.Wait()
	if isGone(unread) {
		return m, unread
	}
	if unread == nil && lostAtSource(err) {
		// A part of it is missing. Where the image is not there either, it was deleted meanwhile, whatever was read before.
		_, again := e.Source(n.source.Registry).Manifest(ctx, n.source, n.manifest.Digest)
		if registry.IsClass(again, registry.NotFound) {
			return m, &gone{again}
		}
	}
	return m, cmp.Or(err, unread)
}

// lostAtSource reports whether err says that the source does not have something.
func lostAtSource(err error) bool {
	e, ok := errors.AsType[*registry.Error](err)
	return ok && e.Side == registry.Source && e.Class == registry.NotFound
}

// landChildren lands all children, even where one of them fails: each is an image in its own right.
func (e *engine) landChildren(ctx context.Context, n *node) error {
	return together(n.manifest.Children, func(i int) error {
		d := n.manifest.Children[i]
		child := n.place.nodes[d]
		if child == nil {
			return incomplete(n, fmt.Errorf("its child %s is not in the plan", d))
		}
		if err := e.apart(ctx, &child.landing, e.lands(child)); err != nil {
			return err
		}
		if err := child.landed; err != nil {
			return incomplete(n, fmt.Errorf("its child %s did not arrive: %w", d, err))
		}
		return nil
	})
}

// bringBlobs brings all blobs, as many at once as the run may have under way in all: whoever waits for its turn here holds
// nothing but a place in a list. The gate comes before that turn, and before the flight of the blob, since one of the
// first ones may wait for either.
func (e *engine) bringBlobs(ctx context.Context, n *node) error {
	errs := make([]error, len(n.manifest.Blobs))
	var wg sync.WaitGroup
	for i := range n.manifest.Blobs {
		leave, err := e.gate.pass(ctx, n)
		if err != nil {
			errs[i] = err
			continue
		}
		select {
		case e.blobs <- struct{}{}:
		case <-ctx.Done():
			leave()
			errs[i] = context.Cause(ctx)
			continue
		}
		wg.Go(func() {
			defer leave()
			defer func() { <-e.blobs }()
			errs[i] = e.ensure(ctx, n, int32(n.manifest.Blobs[i]))
		})
	}
	wg.Wait()
	return first(errs)
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// together calls f for each position of s, several at once, and returns the first error of the positions' order.
func together[T any](s []T, f func(i int) error) error {
	if len(s) == 0 {
		return nil
	}
	if len(s) == 1 {
		return f(0)
	}
	errs := make([]error, len(s))
	var g errgroup.Group
	g.SetLimit(maxTogether)
	for i := range s {
		g.Go(func() error { errs[i] = f(i); return nil })
	}
	_ = g.Wait() // the errors are in errs
	return first(errs)
}

// put writes n's manifest. Where the target says that a blob is not there after all, every blob is asked for, what is
// missing is brought again, and the manifest is written once more.
func (e *engine) put(ctx context.Context, n *node, reference string, m registry.Manifest) error {
	leave, err := e.gate.pass(ctx, n)
	if err != nil {
		return err
	}
	defer leave()
	t := n.place.planned.Target
	err = e.Target.PutManifest(ctx, t, reference, m)
	if registry.IsClass(err, registry.Incomplete) {
		if mend := e.mendBlobs(ctx, n); mend != nil {
			return mend
		}
		err = e.Target.PutManifest(ctx, t, reference, m)
	}
	return err
}

// refusal says what to do where the target does not take n's manifest for what it is.
func refusal(n *node, err error) error {
	hint, class := "", registry.ClassOf(err)
	switch {
	case class != registry.Invalid && class != registry.Corrupt && class != registry.Unsupported && class != registry.Incomplete:
		return err
	case registry.IsSchema1(n.manifest.MediaType):
		hint = "the image is of Docker schema 1, and the target does not take it with the digest that ECR gives it: pull it and push it to ECR " +
			"with a Docker of today, which makes another image of it, or leave it behind"
	case registry.IsIndex(n.manifest.MediaType) && len(n.manifest.Blobs) > 0:
		hint = "the image is an index of layers, such as BuildKit's old caches, and the target does not take those: build the cache anew with " +
			"image-manifest=true, or leave it behind"
	default:
		return err
	}
	return &registry.Error{
		Side: registry.Target, Op: "write manifest", Object: n.place.planned.Target.String() + "@" + n.manifest.Digest.String(),
		Class: registry.Unsupported, Err: err, Hint: hint,
	}
}

// mendBlobs brings the blobs of n that are not at its place, whatever was believed.
func (e *engine) mendBlobs(ctx context.Context, n *node) error {
	return together(n.manifest.Blobs, func(i int) error {
		index := int32(n.manifest.Blobs[i])
		b := e.blob(index)
		err := e.Target.HeadBlob(ctx, n.place.planned.Target, b)
		if !registry.IsClass(err, registry.NotFound) {
			return err
		}
		e.Logger.Warn("a blob vanished at the target: it is brought again", "image", n.place.planned.Target.String(), "blob", b.Digest)
		return e.push(ctx, n, b, oci.Upload{})
	})
}

// tag points a further tag at n's manifest.
func (e *engine) tag(ctx context.Context, n *node, tag string) error {
	m, err := e.load(ctx, n)
	if err != nil {
		return err
	}
	if err := e.put(ctx, n, tag, m); err != nil {
		return err
	}
	e.Progress.TagsDone.Add(1)
	e.note(journal.Event{Kind: journal.Tag, Target: n.place.planned.Target.String(), Tag: tag, Digest: m.Digest})
	return nil
}

// incomplete is the failure of n because of something that belongs to it.
func incomplete(n *node, err error) error {
	return &registry.Error{
		Side: registry.Target, Op: "complete", Object: n.place.planned.Target.String() + "@" + n.manifest.Digest.String(),
		Class: registry.Incomplete, Err: err, Hint: registry.HintOf(err),
	}
}
