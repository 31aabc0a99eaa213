package structure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"

	"transship/internal/rewrite/mention"
)

// dependency is one of a chart, as Helm writes it to JSON: the order of the fields, and which are left out when empty, are
// part of the digest. See helm.sh/helm/v3/pkg/chart/dependency.go and internal/resolver/resolver.go (HashReq, HashV2Req).
type dependency struct {
	Name         string   `json:"name" yaml:"name"`
	Version      string   `json:"version,omitempty" yaml:"version"`
	Repository   string   `json:"repository" yaml:"repository"`
	Condition    string   `json:"condition,omitempty" yaml:"condition"`
	Tags         []string `json:"tags,omitempty" yaml:"tags"`
	Enabled      bool     `json:"enabled,omitempty" yaml:"enabled"`
	ImportValues []any    `json:"import-values,omitempty" yaml:"import-values"`
	Alias        string   `json:"alias,omitempty" yaml:"alias"`
}

// dependencies is what is read of Chart.yaml and Chart.lock, or of their elder forms.
type dependencies struct {
	Dependencies []*dependency `yaml:"dependencies"`
	Digest       string        `yaml:"digest"`
}

// lockPairs are the files that a lock belongs to.
var lockPairs = map[string]string{"Chart.lock": "Chart.yaml", "requirements.lock": "requirements.yaml"}

func isLock(file string) bool { return lockPairs[path.Base(file)] != "" }

// readDependencies reads one of those files.
func readDependencies(b []byte) (d dependencies, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if err := yaml.Unmarshal(b, &d); err != nil {
		return dependencies{}, false
	}
	return d, !slices.Contains(d.Dependencies, nil)
}

// hash is the digest that Helm 3 and 4 write into a lock.
func hash(wanted, locked []*dependency) string {
	return jsonSum([2][]*dependency{wanted, locked})
}

// hash2 is the one that Helm 2 wrote.
func hash2(wanted, _ []*dependency) string {
	return jsonSum(map[string][]*dependency{"dependencies": wanted})
}

// jsonSum is the digest of a value's JSON; <, > and & are escaped in it, as they are in Helm.
func jsonSum(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // a map of YAML with keys that JSON does not have
		return ""
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// lock rewrites the prefixes in a lock and its digest, which covers them: when Chart.yaml is there and the digest is right
// for both as they were.
func (j *judge) lock() {
	c := chunk{0, len(j.file.Text)}
	root, _ := parse(j.file.Text, c)
	own, ok := readDependencies(j.file.Text)
	if root == nil || !ok {
		for h := range j.hosts.find(j.file.Text) {
			at := &node{at: h.Start, span: mention.Span{Start: h.Start, End: h.End + 1}}
			if h.End == len(j.file.Text) || j.isTold(at) {
				continue
			}
			j.tell(at)
			j.keep(at.span)
			j.find(h.Start, mention.SplitUnknown, "The lock cannot be read, and its digest covers the prefixes of its charts.", lockByHand)
		}
		return
	}
	yamlFile := lockPairs[path.Base(j.file.Path)]
	wanted, ok := j.wanted(path.Join(path.Dir(j.file.Path), yamlFile))
	items := root.list("dependencies")
	digestNode := root.get("digest")
	if !ok || len(items) != len(own.Dependencies) || len(wanted) != len(items) || digestNode == nil || digestNode.span == (mention.Span{}) {
		j.refuseLock(items, fmt.Sprintf(
			"The lock's digest covers the prefixes of its charts and those in %s beside it, which is not there or names others.", yamlFile))
		return
	}
	before, after, why := j.relocated(wanted, own.Dependencies)
	sum := hash
	if hash(before, own.Dependencies) != own.Digest {
		sum = hash2
	}
	if why == "" && sum(before, own.Dependencies) != own.Digest {
		why = "The lock's digest was not right before: it is out of sync with " + yamlFile + "."
	}
	if why != "" {
		j.refuseLock(items, why)
		return
	}
	j.applyLock(items, before, own.Dependencies, after, digestNode, sum)
}

// wanted are the dependencies of the chart that the lock is of.
func (j *judge) wanted(file string) ([]*dependency, bool) {
	if j.tree == nil {
		return nil, false
	}
	b, err := j.tree.Read(file)
	if err != nil {
		return nil, false
	}
	d, ok := readDependencies(b)
	return d.Dependencies, ok
}

// relocated are the dependencies of the chart before and after the rewrite, whichever the file holds by now. A chart in the
// lock moves exactly where the one in the chart's file does.
func (j *judge) relocated(wanted, locked []*dependency) (before, after []*dependency, why string) {
	for i, w := range wanted {
		was, is := *w, *w
		l := locked[i]
		p, ok := j.hosts.place(l.Repository)
		if ok && p.scheme == "oci://" {
			to, _, _, trouble, _ := j.moved(p, []chartUse{{w.Name, w.Version}})
			if trouble == "" {
				to = p.scheme + to + l.Repository[p.part.End:]
			}
			switch {
			case l.Name != w.Name:
				return nil, nil, "The lock names other charts than the chart's file does."
			case trouble == "" && (w.Repository == l.Repository || w.Repository == to):
				was.Repository, is.Repository = l.Repository, to
			case w.Repository != l.Repository:
				return nil, nil, "The lock names another place than the chart's file does."
			}
		}
		before, after = append(before, &was), append(after, &is)
	}
	return before, after, ""
}

const lockByHand = "Run helm dependency update when the chart's file has been rewritten and its charts have arrived."

// refuseLock keeps the prefixes in a lock.
func (j *judge) refuseLock(items []*node, why string) {
	for _, i := range items {
		n := i.get("repository")
		if n == nil || n.kind != scalar {
			continue
		}
		if _, ok := j.hosts.place(n.text); !ok || j.isTold(n) {
			continue
		}
		j.tell(n)
		j.keep(n.span)
		j.find(n.where(), mention.SplitUnknown, why, lockByHand)
	}
}

// applyLock edits the prefixes that move, and the digest. What moves in the chart's file moves here, or the two would be out
// of sync.
func (j *judge) applyLock(items []*node, wanted, own, after []*dependency, digestNode *node, sum func(a, b []*dependency) string) {
	locked := make([]*dependency, len(own))
	var last *mention.Edit
	group := j.group()
	for i, l := range own {
		is := *l
		locked[i] = &is
		n := items[i].get("repository")
		if n == nil || n.kind != scalar {
			continue
		}
		p, ok := j.hosts.place(n.text)
		if !ok || p.scheme != "oci://" {
			continue
		}
		j.prefix(n, p, []chartUse{{wanted[i].Name, wanted[i].Version}}, group)
		if after[i].Repository == l.Repository {
			continue
		}
		is.Repository = after[i].Repository
		last = &j.out.Edits[len(j.out.Edits)-1]
		if _, of, _, why, kind := j.moved(p, []chartUse{{l.Name, l.Version}}); why != "" {
			j.find(n.where(), kind, why+" It moves all the same, with the chart's file.",
				fmt.Sprintf("Copy and verify %s, or run helm dependency update.", of))
		}
	}
	if last != nil {
		j.edit(digestNode.span, sum(after, locked), last.Of, mention.Answer{Target: last.To}, group)
	}
}
