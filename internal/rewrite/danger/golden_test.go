package danger

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

var update = flag.Bool("update", false, "write what is found to the golden files")

// golden is what a tree must lead to.
type golden struct {
	Findings []mention.Finding `json:"findings"` // those of what is kept too
	Kept     []string          `json:"kept"`     // FILE:LINE REFERENCE
	Left     []string          `json:"left"`     // that remain to be rewritten
}

// TestTrees holds what is found in the trees of testdata against the golden files. A file that is called decoy has nothing
// that is reported or kept.
func TestTrees(t *testing.T) {
	trees, err := filepath.Glob("testdata/[0-9]*")
	if err != nil || len(trees) == 0 {
		t.Fatal("no trees", err)
	}
	for _, tree := range trees {
		t.Run(filepath.Base(tree), func(t *testing.T) {
			got := judgeTree(t, os.DirFS(filepath.Join(tree, "in")))
			name := filepath.Join(tree, "findings.json")
			if *update {
				var b bytes.Buffer
				e := json.NewEncoder(&b)
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				if err := e.Encode(got); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var want golden
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got; -update writes it)\n%s", d)
			}
		})
	}
}

func judgeTree(t *testing.T, tree fs.FS) golden {
	t.Helper()
	g := golden{Findings: []mention.Finding{}, Kept: []string{}, Left: []string{}}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		judgement := Judge(mention.File{Path: name, Text: text, Type: typeOf(name)}, fake{})
		found := findings(judgement)
		g.Findings = append(g.Findings, found...)
		kept, left := divide(text, judgement)
		for _, k := range kept {
			g.Kept = append(g.Kept, name+":"+k)
		}
		for _, l := range left {
			g.Left = append(g.Left, name+":"+l)
		}
		if strings.Contains(name, "decoy") && len(found)+len(kept) > 0 {
			t.Errorf("%s is a decoy, and has %+v, and keeps %v", name, found, kept)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// findings are those of a judgement, with those of what is kept, by line.
func findings(j mention.Judgement) []mention.Finding {
	all := append([]mention.Finding{}, j.Findings...)
	for _, k := range j.Keep {
		if k.Finding.Kind != "" {
			all = append(all, k.Finding)
		}
	}
	for i := range all {
		for k := i; k > 0 && all[k].Line < all[k-1].Line; k-- {
			all[k], all[k-1] = all[k-1], all[k]
		}
	}
	return all
}

// divide are the plain references of a text, with their lines, that are kept and that are left to be rewritten.
func divide(text []byte, j mention.Judgement) (kept, left []string) {
	for r := range references.NewFinder(source).Find(text) {
		if r.Open {
			continue
		}
		at := fmt.Sprintf("%d %s", 1+bytes.Count(text[:r.Start], newline), text[r.Start:r.End])
		in := false
		for _, k := range j.Keep {
			in = in || k.Start <= r.Start && r.End <= k.End
		}
		if in {
			kept = append(kept, at)
		} else {
			left = append(left, at)
		}
	}
	return kept, left
}

// TestEveryRuleHasAnExample looks whether the trees have a stretch that each rule fits, and a file for each class.
func TestEveryRuleHasAnExample(t *testing.T) {
	used, ofClass := make([]bool, len(rules)), make([]bool, len(classes))
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		_, name, in := strings.Cut(filepath.ToSlash(path), "/in/")
		if err != nil || d.IsDir() || !in {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		j := newJudge(mention.File{Path: name, Text: text, Type: typeOf(name)}, fake{})
		for i := range classes {
			ofClass[i] = ofClass[i] || j.isOf(&classes[i])
		}
		for _, s := range stretches(text) {
			lower := bytes.ToLower(text[s.Start:s.End])
			j.begin(text[s.Start:s.End], lower)
			for i := range rules {
				_, ok := rules[i].fits(j, s, lower)
				used[i] = used[i] || ok
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := range used {
		if !ok {
			t.Errorf("no example for rule %d: %s %s %.100s", i, rules[i].section, rules[i].kind, rules[i].match)
		}
	}
	for i, ok := range ofClass {
		if !ok {
			t.Errorf("no example for class %d: %v %v", i, classes[i].path, classes[i].text)
		}
	}
}
