package structure

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// kustomizationNames are the names of the files that Kustomize reads in a folder.
var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// isKustomization reports whether a document is one: by the file's name, or by its kind. Flux has a kind of that name too.
func isKustomization(file string, root *node) bool {
	if api := root.word("apiVersion"); api != "" && !strings.HasPrefix(api, "kustomize.config.k8s.io/") {
		return false
	}
	kind := root.word("kind")
	return slices.Contains(kustomizationNames, path.Base(file)) && kind == "" || kind == "Kustomization" || kind == "Component"
}

// needsAll reports whether all documents of the file matter, even those that name no host: one may hold the charts
// whose prefix is in another.
func (j *judge) needsAll() bool {
	return bytes.Contains(j.file.Text, []byte("HelmRepository")) || bytes.Contains(j.file.Text, []byte("repositories:"))
}

// kustomization judges the images of a kustomization. A name is compared with what the bases hold.
func (j *judge) kustomization(root *node) {
	if isKustomization(j.file.Path, root) {
		b := j.bases(j.file.Path, root)
		for _, i := range root.list("images") {
			j.image(i, b)
		}
		return
	}
	// Flux: what the Kustomization builds on is a path in a repository of Git, and not known to be this tree's.
	if root.word("kind") == "Kustomization" {
		for _, i := range root.path("spec").list("images") {
			j.image(i, &bases{unknown: []string{"the path in a source of Git"}})
		}
	}
}

// image judges one entry of images.
func (j *judge) image(i *node, b *bases) {
	newName := i.get("newName")
	if newName != nil && newName.kind == scalar {
		j.newName(newName, i)
	}
	n := i.get("name")
	if n == nil || n.kind != scalar {
		return
	}
	r, ok := j.whole(n)
	if !ok {
		return
	}
	name := withImageVersion(r.Name, i)
	j.matchKey(n, r, name, newName != nil, b)
}

// whole is the reference that a scalar is from its first byte to the last.
func (j *judge) whole(n *node) (references.Reference, bool) {
	for r := range j.finder.Find([]byte(n.text)) {
		return r, r.Start == 0 && r.End == len(n.text) && !r.Open && n.span.Start < n.span.End
	}
	return references.Reference{}, false
}

// withImageVersion adds the new tag or digest of an entry of images.
func withImageVersion(n references.Name, i *node) references.Name {
	if t := i.word("newTag"); isLiteral(t) {
		n.Tag = tag(t)
	}
	if d, err := digest.Parse(i.word("digest")); err == nil {
		n.Digest = d
	}
	return n
}

// newName rewrites where an image comes from, where it is proved with the tag beside it.
func (j *judge) newName(n, i *node) {
	r, ok := j.whole(n)
	if !ok {
		return
	}
	name := withImageVersion(r.Name, i)
	j.tell(n)
	a := j.oracle.Ask(name)
	if a.Verdict == mention.Proved {
		j.edit(n.part(mention.Span{End: r.NameEnd}), a.Target.String(), name, a, 0)
		return
	}
	j.keep(n.span)
	j.unproved(n.where(), name, a)
}

// unproved tells of a name that did not arrive, as far as is known.
func (j *judge) unproved(at int, n references.Name, a mention.Answer) {
	why := a.Why
	if why == "" {
		why = "Verify did not prove that it arrived"
	}
	do := "Copy and verify it, then run transship rewrite again."
	if a.Verdict == mention.NotMoved {
		do = "Add its repository to the migration, or leave it here."
	}
	j.find(at, mention.Unproved, fmt.Sprintf("%s: %s", n, sentence(why)), do)
}

// matchKey judges a name that Kustomize looks for in the bases. It must go on to be what they hold.
func (j *judge) matchKey(n *node, r references.Reference, name references.Name, renamed bool, b *bases) {
	j.tell(n)
	key := n.text[:r.NameEnd]
	a := j.oracle.Ask(references.Name{Repository: r.Repository})
	moves, stays := b.holds(j, key, a)
	if moves > 0 && stays == 0 {
		// Every base will name the target, so the key must, or it would match nothing.
		if a.Target.Path == "" {
			a = j.oracle.Ask(b.found[key][0])
		}
		j.edit(n.part(mention.Span{End: r.NameEnd}), a.Target.String(), name, a, 0)
		if a := j.oracle.Ask(name); !renamed && a.Verdict != mention.Proved {
			j.unproved(n.where(), name, a)
		}
		if len(b.unknown) > 0 {
			j.find(n.where(), mention.MatchKey,
				fmt.Sprintf("The name is replaced, as in the base that has it, but %s is not in this tree and may have it too.", enumerate(b.unknown)),
				"Look there: where it has the old name, add an entry for that one.")
		}
		return
	}
	j.keep(n.span)
	switch {
	case renamed && moves == 0:
		return // it goes on to match what the bases hold, and gives it the new name
	case moves == 0 && stays > 0:
		j.find(n.where(), mention.Unproved, "The name stays as in the base that has it, which is not rewritten: not all of it arrived.",
			"Copy and verify it, then run transship rewrite again.")
		return
	}
	why := fmt.Sprintf("Kustomize compares this name with the images of what it builds on, and %s.", b.missing(moves > 0))
	j.find(n.where(), mention.MatchKey, why,
		"Keep the name and add newName with the new name; or, when the base has been rewritten too, replace the name here in the same change.")
}

// bases are what a kustomization builds on, as far as it is in the tree.
type bases struct {
	found   map[string][]references.Name // by how the name is spelled
	texts   [][]byte                     // in which they were found, for names of the target
	unknown []string                     // what is not in the tree, or cannot be read
	seen    map[string]bool
}

// maxBases is how many files are read to find a base.
const maxBases = 500

// holds counts the references to a name in the bases that will be rewritten, or were by an earlier run, and those that will
// not be.
func (b *bases) holds(j *judge, key string, a mention.Answer) (moves, stays int) {
	for _, n := range b.found[key] {
		if j.oracle.Ask(n).Verdict == mention.Proved {
			moves++
		} else {
			stays++
		}
	}
	if a.Target.Path == "" {
		return moves, stays
	}
	target := []byte(a.Target.String())
	for _, text := range b.texts {
		for rest := text; ; {
			n := bytes.Index(rest, target)
			if n < 0 {
				break
			}
			rest = rest[n+len(target):]
			if len(rest) == 0 || !isHostByte(rest[0]) && rest[0] != '/' {
				moves++
				break
			}
		}
	}
	return moves, stays
}

// missing says what speaks against a rewrite of a match key.
func (b *bases) missing(mixed bool) string {
	switch {
	case mixed:
		return "some of those will be rewritten and others not"
	case len(b.unknown) > 0:
		return fmt.Sprintf("%s is not in this tree", enumerate(b.unknown))
	}
	return "none of its files in this tree has it"
}

// bases reads what a kustomization builds on, patches too, for images are set after them.
func (j *judge) bases(file string, root *node) *bases {
	b := &bases{found: map[string][]references.Name{}, seen: map[string]bool{path.Clean(file): true}}
	j.addBases(b, path.Dir(file), root, 0)
	return b
}

func (j *judge) addBases(b *bases, dir string, root *node, depth int) {
	var texts []*node
	for _, key := range []string{"resources", "bases", "components", "patchesStrategicMerge", "crds"} {
		texts = append(texts, root.list(key)...)
	}
	for _, key := range []string{"patches", "patchesJson6902"} {
		for _, i := range root.list(key) {
			texts = append(texts, i.get("path"), i.get("patch"))
		}
	}
	if len(root.list("helmCharts")) > 0 || len(root.list("generators")) > 0 {
		b.unknown = append(b.unknown, "what its charts or generators make")
	}
	for _, n := range texts {
		switch {
		case n == nil || n.kind != scalar || n.text == "":
		case strings.Contains(n.text, "\n"):
			j.addReferences(b, []byte(n.text))
		default:
			j.addBase(b, dir, n.text, depth)
		}
	}
}

// addBase reads one thing that a kustomization builds on: a file, or a folder with a kustomization.
func (j *judge) addBase(b *bases, dir, name string, depth int) {
	at := path.Join(dir, name)
	switch {
	case strings.Contains(name, "://") || strings.Contains(name, "?ref=") || strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "github.com/") ||
		path.IsAbs(name) || at == ".." || strings.HasPrefix(at, "../") || !isLiteral(name) || j.tree == nil || len(b.seen) > maxBases || depth > maxDepth:
		b.unknown = append(b.unknown, clean(name))
		return
	case b.seen[at]:
		return
	}
	b.seen[at] = true
	if text, err := j.tree.Read(at); err == nil {
		j.addReferences(b, text)
		return
	}
	for _, k := range kustomizationNames {
		text, err := j.tree.Read(path.Join(at, k))
		if err != nil {
			continue
		}
		root, _ := parse(text, chunk{0, len(text)})
		if root == nil {
			break
		}
		b.seen[path.Join(at, k)] = true
		j.addBases(b, at, root, depth+1)
		// What a base calls an image by a new name is what is compared with here.
		for _, i := range root.list("images") {
			j.addReferences(b, []byte(i.word("newName")))
		}
		return
	}
	b.unknown = append(b.unknown, clean(name))
}

// addReferences notes the references in a text, by how their names are spelled.
func (j *judge) addReferences(b *bases, text []byte) {
	b.texts = append(b.texts, text)
	for r := range j.finder.Find(text) {
		if r.Open {
			continue
		}
		key := string(text[r.Start:r.NameEnd])
		b.found[key] = append(b.found[key], r.Name)
	}
}
