package transfer

import (
	"context"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// engine is one run.
type engine struct {
	Config
	started   time.Time
	run       context.Context //nolint:containedctx // the run's, of which what is done apart is a part
	others    sync.WaitGroup  // what is done apart from those who wait for it
	places    []*place
	manifests map[digest.Digest]*document.PlannedManifest
	hosts     map[string][]blob // by target host; positions as in the plan's Blobs
	blobs     chan struct{}     // one element for each blob that is under way
	problems  problems
	gate      *gate               // nil where nothing is first
	sharing   map[string]*sharing // by target host; nil where there are no peers
	there     *flight             // of every blob that has arrived: none needs one of its own any more
}

// place is one image path of the target.
type place struct {
	planned *document.PlannedImage
	index   int32
	host    []blob // the blobs of its target host
	foreign bool   // it holds manifests that the plan does not know, and so blobs that we do not know of
	nodes   map[digest.Digest]*node
	order   []*node // as planned

	mu    sync.Mutex
	blobs map[int32]*flight // what is known of blobs at this place
}

// node is one manifest at one place.
type node struct {
	place      *place
	manifest   *document.PlannedManifest
	source     ref.Repository
	theirs     bool     // a peer brings it
	present    bool     // the listing shows the manifest
	tags       []string // that must be written
	right      int      // tags that are right already, or that are kept as somebody else set them
	describers []*node  // what must have settled before the tags appear
	child      bool     // another node of its place will land it
	unit       bool     // it is settled for its own sake
	rank       int      // its place among what is copied first, from 1; 0 for the rest
	named      bool     // First names it itself
	batch      *batch   // with which its manifest is read; nil where it is present

	landing   once
	landed    error // valid once landing is done
	settling  once
	visited   visit // while cycles are looked for
	inherited bool  // describers holds those of the children
	arrived   bool  // this run wrote the manifest
	direct    bool  // the first tag was written with the manifest itself
	written   int   // tags that this run wrote
}

type visit uint8

const (
	unvisited visit = iota
	visiting
	visited
)

// build makes places and nodes of the plan and of the listing.
func (e *engine) build() {
	e.manifests = make(map[digest.Digest]*document.PlannedManifest, len(e.Plan.Manifests))
	for i := range e.Plan.Manifests {
		e.manifests[e.Plan.Manifests[i].Digest] = &e.Plan.Manifests[i]
	}
	e.hosts = map[string][]blob{}
	byTarget := make(map[ref.TargetImage]*place, len(e.Plan.Images))
	for i := range e.Plan.Images {
		p := e.newPlace(int32(i), &e.Plan.Images[i])
		e.places = append(e.places, p)
		byTarget[p.planned.Target] = p
	}
	listed, left := make(map[ref.TargetImage]map[string]digest.Digest), e.leftOut()
	for i := range e.Listing.Images {
		image := &e.Listing.Images[i]
		p := byTarget[image.URI]
		if p == nil {
			continue
		}
		if n := p.nodes[image.Digest]; n != nil {
			n.present = true
		} else {
			p.foreign = true
		}
		if listed[image.URI] == nil {
			listed[image.URI] = map[string]digest.Digest{}
		}
		for _, tag := range image.Tags {
			listed[image.URI][tag] = image.Digest
		}
	}
	for _, p := range e.places {
		e.relate(p)
		e.decideTags(p, listed[p.planned.Target], left[p.planned.Target.String()])
		e.knowBlobs(p)
	}
	e.knowPeers()
}

func (e *engine) newPlace(index int32, planned *document.PlannedImage) *place {
	host := planned.Target.Repository.Host()
	if e.hosts[host] == nil {
		e.hosts[host] = newBlobs(len(e.Plan.Blobs))
	}
	p := &place{
		planned: planned, index: index, host: e.hosts[host],
		nodes: make(map[digest.Digest]*node, len(planned.References)),
		order: make([]*node, 0, len(planned.References)),
		blobs: map[int32]*flight{},
	}
	for i := range planned.References {
		r := &planned.References[i]
		m := e.manifests[r.Digest]
		if m == nil || r.Source < 0 || r.Source >= len(planned.Sources) {
			e.problems.add(document.Failure{
				Target: planned.Target.String(), Digest: r.Digest, Class: string(registry.Invalid),
				Error: "the plan names this image, but says nothing of its content", Hint: `make the plan anew: run "transship plan"`,
			})
			continue
		}
		n := &node{place: p, manifest: m, source: planned.Sources[r.Source], tags: r.Tags}
		n.theirs = !e.Peers.mine(n)
		p.nodes[r.Digest] = n
		p.order = append(p.order, n)
	}
	return p
}

// relate finds out which nodes list and which describe others.
func (e *engine) relate(p *place) {
	describe := func(subject digest.Digest, by *node) {
		if n := p.nodes[subject]; n != nil && n != by {
			n.describers = append(n.describers, by)
		}
	}
	for _, n := range p.order {
		for _, d := range n.manifest.Children {
			if child := p.nodes[d]; child != nil && !n.present && e.takes(n) {
				child.child = true
			}
		}
		if n.manifest.Subject != "" {
			describe(n.manifest.Subject, n)
		}
		for _, tag := range n.tags {
			if subject, ok := registry.SubjectOfTag(tag); ok && subject != n.manifest.Subject {
				describe(subject, n)
			}
		}
	}
	for _, n := range p.order {
		n.inherit()
	}
	for _, n := range p.order {
		n.breakCycles()
	}
}

// inherit takes over what describes n's children: it describes n too.
func (n *node) inherit() {
	if n.inherited || len(n.manifest.Children) == 0 {
		return
	}
	n.inherited = true // digests cannot go in circles
	have := make(map[*node]bool, len(n.describers)+1)
	have[n] = true
	for _, d := range n.describers {
		have[d] = true
	}
	for _, d := range n.manifest.Children {
		child := n.place.nodes[d]
		if child == nil {
			continue
		}
		child.inherit()
		for _, by := range child.describers {
			if !have[by] {
				have[by] = true
				n.describers = append(n.describers, by)
			}
		}
	}
}

// breakCycles drops what would make a node wait for itself: tags that name each other, which only malice makes.
func (n *node) breakCycles() {
	if n.visited != unvisited {
		return
	}
	n.visited = visiting
	kept := n.describers[:0]
	for _, d := range n.describers {
		d.breakCycles()
		if d.visited != visiting {
			kept = append(kept, d)
		}
	}
	n.describers = kept
	n.visited = visited
}

// leftOut are the digests that the sources of each image path hold and the plan leaves out.
func (e *engine) leftOut() map[string]map[digest.Digest]bool {
	out := map[string]map[digest.Digest]bool{}
	for i := range e.Plan.Refused {
		r := &e.Plan.Refused[i]
		if r.Digest == "" || r.Target == "" {
			continue
		}
		if out[r.Target] == nil {
			out[r.Target] = map[digest.Digest]bool{}
		}
		out[r.Target][r.Digest] = true
	}
	return out
}

// decideTags leaves in each node's tags those that must be written. A tag at the target is moved when its present
// digest is one that the source repository holds, as far as the plan or Holds knows, or that the journal says we wrote;
// otherwise somebody else moved it.
func (e *engine) decideTags(p *place, listed map[string]digest.Digest, left map[digest.Digest]bool) {
	for _, n := range p.order {
		if n.theirs {
			continue // and so are its tags
		}
		write := make([]string, 0, len(n.tags))
		for _, tag := range n.tags {
			at, there := listed[tag]
			switch {
			case there && at == n.manifest.Digest:
				n.right++
			case !there, p.nodes[at] != nil, left[at], e.Overwrite, e.Hints.Wrote(p.planned.Target, tag, at),
				e.Holds != nil && e.Holds(p.planned.Target, at):
				write = append(write, tag)
			default:
				n.right++
				e.problems.keep(document.Tag{Target: p.planned.Target, Tag: tag, Digest: at})
			}
		}
		n.tags = write
	}
}

// units returns the nodes to settle, the first ones first: those that nothing else would land or that must not wait until
// something else does, and those that have tags to write.
func (e *engine) units() []*node {
	e.rankNodes()
	var out []*node
	for _, p := range e.places {
		for _, n := range p.order {
			if (!n.present && (!n.child || n.named) || len(n.tags) > 0) && e.takes(n) {
				n.unit = true
				out = append(out, n)
			}
		}
	}
	e.lastTheirs(out)
	e.inOrder(out)
	return out
}

func (e *engine) takes(n *node) bool {
	return !n.theirs && (e.Only == nil || e.Only(n.source, n.manifest.Digest))
}
