// Package cluster reads what runs in a cluster, as kubectl prints it, and says which workloads still use ECR.
//
// Vocabulary: a workload is what a person made: a Deployment rather than its ReplicaSets and their pods, where those lead
// to it. A Use is one image of ECR that a workload names, wherever in its specification that is.
//
//	kubectl get pods,deployments,… -A -o json ─ Read ─→ Uses ─→ a table, a list for --first
package cluster

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// Use is one image that a workload uses.
type Use struct {
	Namespace string `json:"namespace"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Image     string `json:"image"`
	Migrated  bool   `json:"migrated"`      // it is proved to be at the target
	Why       string `json:"why,omitempty"` // where it is not
	Own       bool   `json:"own"`           // it is of a source of the migration
}

// Uses are those of a cluster, sorted.
type Uses struct {
	Objects int   `json:"objects"` // looked at
	Uses    []Use `json:"uses"`
}

// First are the images of the sources, each once, as --first takes them.
func (u Uses) First() []string {
	var out []string
	for _, use := range u.Uses {
		if use.Own {
			out = append(out, use.Image)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// id names an object.
type id struct{ namespace, kind, name string }

// object is what is read of one.
type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
		Owners    []struct {
			Kind       string `json:"kind"`
			Name       string `json:"name"`
			Controller bool   `json:"controller"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Spec   json.RawMessage `json:"spec"`
	Status struct {
		Phase string `json:"phase"`
	} `json:"status"`
}

// reader gathers the uses. It holds what uses ECR, and who owns what.
type reader struct {
	oracle  mention.Oracle
	finder  *references.Finder
	aws     func(references.Host) bool
	known   map[id]bool
	owners  map[id]id
	hashes  map[id]string // of pods: the end of their ReplicaSet's name
	used    map[id]map[string]Use
	objects int
}

var errNoList = errors.New("it is not what kubectl prints with -o json: want a List with items, or an object with a kind")

// errCut says why a text that begins like kubectl's is of no use.
var errCut = errors.New("it ends in the midst of an object, as where kubectl was interrupted: let kubectl write it again")

// Read reads the output of kubectl, one object at a time. Images of AWS's own accounts, of which isAWS tells, are left out.
func Read(r io.Reader, o mention.Oracle, isAWS func(references.Host) bool) (Uses, error) {
	c := &reader{
		oracle: o, finder: references.NewFinder(o.Sources()...), aws: isAWS,
		known: map[id]bool{}, owners: map[id]id{}, hashes: map[id]string{}, used: map[id]map[string]Use{},
	}
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for n := 0; ; n++ {
		err := c.document(d)
		if errors.Is(err, io.EOF) && n > 0 {
			return c.uses(), nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errNoList
			}
			return Uses{}, err
		}
	}
}

// document reads a List, or a single object.
func (c *reader) document(d *json.Decoder) error {
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return errNoList
	}
	var single object
	items := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return cut(err)
		}
		switch name {
		case "items":
			items = true
			err = c.items(d)
		case "kind":
			err = d.Decode(&single.Kind)
		case "metadata":
			err = d.Decode(&single.Metadata)
		case "spec":
			err = d.Decode(&single.Spec)
		case "status":
			err = d.Decode(&single.Status)
		default:
			err = d.Decode(&json.RawMessage{})
		}
		if err != nil {
			return cut(err)
		}
	}
	if _, err := d.Token(); err != nil {
		return cut(err)
	}
	if !items && single.Kind == "" {
		return errNoList
	}
	if !items {
		c.object(&single)
	}
	return nil
}

// cut is an error in the middle of a document.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

func (c *reader) items(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('[') {
		return errNoList
	}
	for n := 0; d.More(); n++ {
		var o object
		if err := d.Decode(&o); err != nil {
			return fmt.Errorf("item %d: %w", n, cut(err))
		}
		c.object(&o)
	}
	_, err = d.Token()
	return err
}

// object notes who owns an object, and what it uses.
func (c *reader) object(o *object) {
	c.objects++
	me := id{o.Metadata.Namespace, o.Kind, o.Metadata.Name}
	c.known[me] = true
	for _, owner := range o.Metadata.Owners {
		if owner.Controller || len(o.Metadata.Owners) == 1 {
			c.owners[me] = id{me.namespace, owner.Kind, owner.Name}
		}
	}
	if o.Status.Phase == "Succeeded" || o.Status.Phase == "Failed" { // it is over
		return
	}
	if o.Kind == "ReplicaSet" && c.owners[me] != (id{}) {
		var spec struct {
			Replicas *int `json:"replicas"`
		}
		if err := json.Unmarshal(o.Spec, &spec); err == nil && spec.Replicas != nil && *spec.Replicas == 0 { // kept for a rollback
			return
		}
	}
	if found := c.find(o.Spec); len(found) > 0 {
		c.used[me] = found
		if hash := o.Metadata.Labels["pod-template-hash"]; hash != "" {
			c.hashes[me] = hash
		}
	}
}

// find finds the images of ECR in a specification, by value: resources that nobody knows have images as well.
func (c *reader) find(spec []byte) map[string]Use {
	var found map[string]Use
	add := func(u Use) {
		if found == nil {
			found = map[string]Use{}
		}
		found[u.Image] = u
	}
	own := map[int]bool{}
	for r := range c.finder.Find(spec) {
		own[r.Start] = true
		u := Use{Image: r.String(), Own: !r.Open}
		if r.Open {
			u.Image, u.Why = u.Image+"…", "a variable continues the name"
		} else if a := c.oracle.Ask(r.Name); a.Verdict == mention.Proved {
			u.Migrated = true
		} else {
			u.Why = a.Why
		}
		add(u)
	}
	for h := range references.Hosts(spec) {
		if own[h.Start] || c.aws(h) || slices.Contains(c.oracle.Sources(), h.Registry) {
			continue
		}
		end := h.End
		for end < len(spec) && !strings.ContainsRune("\"\\ ,;'", rune(spec[end])) {
			end++
		}
		add(Use{Image: mention.Clean(string(spec[h.Start:end])), Why: "its registry is not a source of this migration"})
	}
	return found
}

// uses tells them by what a person made.
func (c *reader) uses() Uses {
	all := map[Use]bool{}
	for me, found := range c.used {
		top := c.top(me)
		for _, u := range found {
			u.Namespace, u.Kind, u.Name = top.namespace, top.kind, top.name
			all[u] = true
		}
	}
	out := Uses{Objects: c.objects, Uses: []Use{}}
	for u := range all {
		out.Uses = append(out.Uses, u)
	}
	slices.SortFunc(out.Uses, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Image, b.Image))
	})
	return out
}

// top is the object that leads to another one, as far as it is in the file.
func (c *reader) top(me id) id {
	hash := c.hashes[me]
	for range 8 { // owners may be anything, in a circle too
		owner, ok := c.owners[me]
		if !ok {
			return me
		}
		if !c.known[owner] {
			name, cutOff := strings.CutSuffix(owner.name, "-"+hash)
			deployment := id{me.namespace, "Deployment", name}
			if owner.kind == "ReplicaSet" && hash != "" && cutOff && c.known[deployment] {
				return deployment
			}
			return me
		}
		me = owner
	}
	return me
}
