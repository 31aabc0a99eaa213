package rewrite

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/document"
	"transship/internal/rewrite/danger"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/structure"
)

var update = flag.Bool("update", false, "write the golden trees anew")

// TestTrees rewrites testdata/SECTION/in, one for each section of the catalogue, and compares it with out and
// findings.json beside it. A second run changes nothing and finds the same, and the way back leads to in, byte for byte.
func TestTrees(t *testing.T) {
	t.Parallel()
	sections, err := filepath.Glob(filepath.Join("testdata", "*", "in"))
	if err != nil || len(sections) == 0 {
		t.Fatal(err)
	}
	for _, in := range sections {
		section := filepath.Dir(in)
		t.Run(filepath.Base(section), func(t *testing.T) {
			t.Parallel()
			was := files(t, in)
			dir := plant(t, was)
			var changes []document.FileChange
			first := run(t, dir, Config{Write: true, Judges: Judges(), Record: func(r Report) error {
				changes = r.Changes
				return nil
			}})
			got := files(t, dir)
			if *update {
				accept(t, section, got, first.Findings)
			}
			if diff := cmp.Diff(files(t, filepath.Join(section, "out")), got); diff != "" {
				t.Errorf("the files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(readFindings(t, section), first.Findings); diff != "" {
				t.Errorf("the findings (-want +got):\n%s", diff)
			}
			second := run(t, dir, Config{Write: true, Judges: Judges()})
			if diff := cmp.Diff(first.Findings, second.Findings); diff != "" || len(second.Edits) > 0 {
				t.Errorf("a second run edits %v, and finds (-first +second):\n%s", second.Edits, diff)
			}
			run(t, dir, Config{Write: true, Reverse: true, Past: changes})
			if diff := cmp.Diff(was, files(t, dir)); diff != "" {
				t.Errorf("the way back (-want +got):\n%s", diff)
			}
		})
	}
}

// What the judges are asked for rests on their markers.
func TestMarkers(t *testing.T) {
	t.Parallel()
	if !danger.Marked([]byte("x.dkr")) || len(structure.Markers()) != 1 || string(structure.Markers()[0]) != ".dkr" {
		t.Error("a text with a host is not every judge's matter")
	}
}

func readFindings(t *testing.T, section string) (out []mention.Finding) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(section, "findings.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &struct{ Findings *[]mention.Finding }{&out}); err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// accept makes what was got what is wanted.
func accept(t *testing.T, section string, got map[string]string, findings []mention.Finding) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(section, "out")); err != nil {
		t.Fatal(err)
	}
	for name, text := range got {
		path := filepath.Join(section, "out", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if findings == nil {
		findings = []mention.Finding{}
	}
	err := document.Write(filepath.Join(section, "findings.json"), struct {
		Findings []mention.Finding `json:"findings"`
	}{findings})
	if err != nil {
		t.Fatal(err)
	}
}

// The documentation explains every kind of finding in the words of the program.
func TestDocsExplainAllKinds(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "rewrite.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range mention.Kinds() {
		if row := "| `" + string(k) + "` | " + k.About().Short + " | " + k.About().Help + " |\n"; !strings.Contains(string(b), row) {
			t.Errorf("docs/rewrite.md lacks %s", row)
		}
	}
}
