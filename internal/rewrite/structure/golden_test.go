package structure

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/rewrite/mention"
)

var update = flag.Bool("update", false, "write what is got into testdata: then read it")

// TestGolden holds a folder for each subsection of the catalogue: in, out and the findings.
func TestGolden(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("testdata/golden/*")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			golden(t, folder)
		})
	}
}

func golden(t *testing.T, folder string) {
	in := os.DirFS(filepath.Join(folder, "in"))
	findings := []mention.Finding{}
	after := map[string][]byte{}
	err := fs.WalkDir(in, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(in, p)
		if err != nil {
			return err
		}
		f := mention.File{Path: p, Text: text, Type: typeOf(p, text)}
		judged := Judge(f, oracle{}, tree{in})
		findings = append(findings, judged.Findings...)
		out, back := apply(text, all(f, judged))
		after[p] = out
		if again, _ := apply(out, back); string(again) != string(text) {
			t.Errorf("%s: taking it back gives\n%s", p, again)
		}
		if *update {
			to := filepath.Join(folder, "out", p)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, out, 0o644)
		}
		want, err := os.ReadFile(filepath.Join(folder, "out", p))
		if diff := cmp.Diff(string(want), string(out)); diff != "" {
			t.Errorf("%s: -want +got\n%s", p, diff)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "findings.json")
	if *update {
		b, err := json.MarshalIndent(findings, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	var want []mention.Finding
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, findings); diff != "" {
		t.Errorf("findings: -want +got\n%s", diff)
	}
	secondRun(t, filepath.Join(folder, "in"), after)
}

// secondRun judges what came out: there is nothing left to edit.
func secondRun(t *testing.T, in string, after map[string][]byte) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(in)); err != nil {
		t.Fatal(err)
	}
	for p, text := range after {
		if err := os.WriteFile(filepath.Join(dir, p), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for p, text := range after {
		f := mention.File{Path: p, Text: text, Type: typeOf(p, text)}
		if edits := all(f, Judge(f, oracle{}, tree{os.DirFS(dir)})); len(edits) > 0 {
			t.Errorf("%s: a second run finds more: %+v", p, edits)
		}
	}
}
