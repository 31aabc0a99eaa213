package transfer

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Peers are several workers that copy parts of one plan at the same time, on machines of their own. They never talk: all
// that one has from another is what it finds at the target. What one of them does not know of costs bytes, never
// correctness, so one that dies, comes late or is started twice does no harm.
//
// A blob that several of them need is left to one, its bringer, as far as that goes without waiting: each begins with the
// images whose shared blobs it brings itself and ends with those whose shared blobs are others', and asks for each of the
// latter to be mounted from where its bringer should have put it by then. A mount that is not to be had is the beginning
// of an upload, and so costs no request.
type Peers struct {
	Self   int                                              // which one this is
	Brings func(source ref.Repository, d digest.Digest) int // who brings an image
}

// mine reports whether this worker brings n.
func (p *Peers) mine(n *node) bool {
	return p == nil || p.Brings(n.source, n.manifest.Digest) == p.Self
}

// sharing is who needs each blob of one target host, by its position in the plan.
type sharing struct {
	first []needer           // whoever was found first; nobody where there is none
	all   map[int32][]needer // all of them, sorted, where there are several
}

// needer is a worker that needs a blob, and the first of its places where it does.
type needer struct{ worker, place int32 }

// knowPeers finds out which blobs several workers need, and where those that are others' to bring are to be had.
func (e *engine) knowPeers() {
	if e.Peers == nil {
		return
	}
	e.sharing = make(map[string]*sharing, len(e.hosts))
	for host, blobs := range e.hosts {
		s := &sharing{first: make([]needer, len(blobs)), all: map[int32][]needer{}}
		for i := range s.first {
			s.first[i].worker = nowhere
		}
		e.sharing[host] = s
	}
	for _, p := range e.places {
		s := e.sharing[p.planned.Target.Repository.Host()]
		for _, n := range p.order {
			worker := int32(e.Peers.Brings(n.source, n.manifest.Digest))
			for _, i := range n.manifest.Blobs {
				s.needs(int32(i), needer{worker, p.index})
			}
		}
	}
	for host, s := range e.sharing {
		for i, all := range s.all {
			if b := &e.hosts[host][i]; b.landed == nowhere && b.hinted == nowhere {
				b.hinted = elsewhere(i, all, int32(e.Peers.Self))
			}
		}
	}
}

// needs notes that a worker needs blob i.
func (s *sharing) needs(i int32, n needer) {
	switch s.first[i].worker {
	case nowhere:
		s.first[i] = n
		return
	case n.worker:
		return
	}
	if s.all[i] == nil {
		s.all[i] = []needer{s.first[i]}
	}
	at, found := slices.BinarySearchFunc(s.all[i], n, func(a, b needer) int { return cmp.Compare(a.worker, b.worker) })
	if !found {
		s.all[i] = slices.Insert(s.all[i], at, n)
	}
}

// bringer is which of those who need blob i brings it: each of them some, whichever blobs they are.
func bringer(i int32, all []needer) int { return int(i) % len(all) }

// elsewhere is where blob i will have been brought by another one: by its bringer, or, should that be self, by the next,
// which may have been there before.
func elsewhere(i int32, all []needer, self int32) int32 {
	n := bringer(i, all)
	if all[n].worker == self {
		n = (n + 1) % len(all)
	}
	return all[n].place
}

// lastTheirs sorts units by how many bytes of theirs others bring, less those that others want of this one.
func (e *engine) lastTheirs(units []*node) {
	if e.Peers == nil {
		return
	}
	owed := make(map[*node]int64, len(units))
	for _, n := range units {
		owed[n] = e.owed(n, e.sharing[n.place.planned.Target.Repository.Host()])
	}
	slices.SortStableFunc(units, func(a, b *node) int { return cmp.Compare(owed[a], owed[b]) })
}

// owed is how many bytes of n and its children others bring, less those that this worker brings for others.
func (e *engine) owed(n *node, s *sharing) int64 {
	var sum int64
	for _, i := range n.manifest.Blobs {
		all := s.all[int32(i)]
		switch {
		case len(all) == 0 || n.place.host[i].landed != nowhere: // nobody else's, or there
		case all[bringer(int32(i), all)].worker == int32(e.Peers.Self):
			sum -= e.Plan.Blobs[i].Size
		default:
			sum += e.Plan.Blobs[i].Size
		}
	}
	for _, d := range n.manifest.Children {
		if child := n.place.nodes[d]; child != nil && !child.present {
			sum += e.owed(child, s)
		}
	}
	return sum
}
