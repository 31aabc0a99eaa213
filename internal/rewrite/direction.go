package rewrite

import (
	"bytes"
	"slices"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/proved"
)

// direction says what the bytes of a text name, and what is to become of it. It is safe for concurrent use.
type direction interface {
	// markers are what a text holds that names anything.
	markers() [][]byte
	// plain returns what a file, or a part of it, names: in order, without overlap.
	plain(file string, b []byte) []event
}

// event is one mention.
type event struct {
	mention.Span
	edit bool   // New takes the place of the span; otherwise it is for a person, or nobody's matter
	new  string //
	own  bool   // it is of the migration
	aws  bool   // it is of AWS's own, and stays without a word
	kind mention.Kind
	why  string
	do   string
}

// forward leads to Artifact Registry.
type forward struct {
	known   *proved.Known
	finder  *references.Finder
	sources map[ref.Registry]bool
	pin     bool
}

func newForward(known *proved.Known, pin bool) *forward {
	f := &forward{known: known, finder: references.NewFinder(known.Sources()...), sources: map[ref.Registry]bool{}, pin: pin}
	for _, r := range known.Sources() {
		f.sources[r] = true
	}
	return f
}

func (f *forward) markers() [][]byte { return [][]byte{[]byte(".dkr")} }

func (f *forward) plain(_ string, b []byte) []event {
	var events []event
	var found []references.Reference
	for r := range f.finder.Find(b) {
		found = append(found, r)
	}
	covered := 0 // the end of the last reference, whose tag may look like a host
	for h := range references.Hosts(b) {
		for len(found) > 0 && found[0].Start < h.Start {
			found = found[1:]
		}
		switch {
		case len(found) > 0 && found[0].Start == h.Start:
			events = append(events, f.reference(b, found[0]))
			covered = found[0].End
		case h.Start >= covered:
			events = append(events, f.host(b, h))
		}
	}
	return events
}

// reference is what is to become of a reference to one of the sources.
func (f *forward) reference(b []byte, r references.Reference) event {
	e := event{Span: mention.Span{Start: r.Start, End: r.End}, own: true}
	if r.Open {
		e.kind, e.why, e.do = mention.VariableName, whyVariableName, doVariableName
		return e
	}
	a := f.known.Ask(r.Name)
	if a.Verdict != mention.Proved {
		e.kind, e.why, e.do = mention.Unproved, sentence(a.Why), doUnproved
		if a.Verdict == mention.NotMoved {
			e.do = doNotMoved
		}
		return e
	}
	e.edit, e.new = true, a.Target.String()
	if f.pin && r.Tag != "" && r.Digest == "" && a.Digest != "" {
		e.new += string(b[r.NameEnd:r.End]) + "@" + a.Digest.String()
		return e
	}
	e.End = r.NameEnd
	return e
}

// host is a host that no name of a repository follows, or that is of another registry.
func (f *forward) host(b []byte, h references.Host) event {
	e := event{Span: mention.Span{Start: h.Start, End: h.End}}
	after := references.After(b[h.End:])
	switch {
	case !f.sources[h.Registry] && awsOwned(h.Registry):
		e.aws = true
	case !f.sources[h.Registry]:
		e.kind, e.why, e.do = mention.OtherRegistry, whyOther(h.Registry), doOther
	case after == references.Variable:
		e.own, e.kind, e.why, e.do = true, mention.VariableName, whyVariableName, doVariableName
	case after == references.Escaped:
		e.own, e.kind, e.why, e.do = true, mention.HostOnly, whyEscaped, doEscaped
	default:
		e.own, e.kind, e.why, e.do = true, mention.HostOnly, whyHostOnly, doHostOnly
	}
	return e
}

// backward leads to ECR.
type backward struct {
	known *proved.Known
	paths *references.Paths
	past  *past
}

func newBackward(known *proved.Known, p *past) *backward {
	return &backward{known: known, paths: references.NewPaths(known.Prefixes()...), past: p}
}

// markers are the hosts alone: a change of a reference in two parts left no whole prefix.
func (f *backward) markers() [][]byte {
	var out [][]byte
	for _, prefix := range f.known.Prefixes() {
		host, _, _ := bytes.Cut([]byte(prefix), []byte("/"))
		out = append(out, host)
	}
	slices.SortFunc(out, bytes.Compare)
	return slices.CompactFunc(out, bytes.Equal)
}

func (f *backward) plain(file string, b []byte) []event {
	var events []event
	for p := range f.paths.Find(b) {
		events = append(events, f.path(file, p))
	}
	return events
}

// path is what is to become of a reference to the target. Where the record knows how the file spelled it, it is spelled so
// again.
func (f *backward) path(file string, p references.Path) event {
	e := event{Span: mention.Span{Start: p.Start, End: p.End}, own: true}
	if p.Open {
		e.kind, e.why, e.do = mention.VariableName, whyVariableBack, doVariableBack
		return e
	}
	o := f.known.Back(p)
	spelled, recorded := f.past.spelling(file, p.Name)
	switch {
	case o.Fate == proved.TargetOnly:
		e.kind, e.why, e.do = mention.TargetOnly, sentence(o.Why), doTargetOnly
		return e
	case recorded:
		e.new = spelled
	case o.Fate == proved.Ambiguous:
		e.kind, e.why, e.do = mention.Unproved, sentence(o.Why), doAmbiguous
		return e
	default:
		e.new = o.Source.String()
	}
	e.edit, e.End = true, p.NameEnd
	return e
}
