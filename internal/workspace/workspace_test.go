package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"transship/internal/document"
)

func open(t *testing.T, dir string) *Workspace {
	t.Helper()
	w, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// What a crash left of a document is removed, in a wave's folder too; what is not Transship's stays.
func TestPrepareRemovesWhatACrashLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	whole := open(t, dir)
	wave, err := whole.Wave("one")
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{".lock", ".plan.json", ".plan.json1x", ".profile", "plan.json", "plan.json7"}
	for _, name := range append([]string{".plan.json123", ".content.jsonl4", ".probe-5", "waves/one/.results.json6"}, kept...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := wave.Prepare(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, append(slices.Clone(kept), "waves")) {
		t.Errorf("in the workspace are %q", got)
	}
	if got := names(t, filepath.Join(dir, "waves", "one")); len(got) != 0 {
		t.Errorf("in the wave's folder are %q", got)
	}
}

// What a crash leaves of a document has a name that Prepare knows, and lies in the workspace.
func TestDocumentsAreWrittenInTheWorkspace(t *testing.T) {
	elsewhere := t.TempDir()
	t.Setenv("TMPDIR", elsewhere)
	w := open(t, filepath.Join(t.TempDir(), "w"))
	for _, path := range []string{w.Inventory(), w.Plan(), w.Results(), w.Verification(), w.Rewrite()} {
		var seen, outside []string
		if err := document.Write(path, spy{func() { seen, outside = names(t, w.Dir), names(t, elsewhere) }}); err == nil {
			t.Error("a document that cannot be encoded was written")
		}
		if len(outside) > 0 {
			t.Errorf("while %s is written there are %q outside of the workspace", path, outside)
		}
		seen = slices.DeleteFunc(seen, func(name string) bool { return name == ".lock" })
		if len(seen) != 1 || !unfinished.MatchString(seen[0]) || !strings.HasPrefix(seen[0], "."+filepath.Base(path)) {
			t.Errorf("while %s is written there are %q", path, seen)
		}
	}
	if got := names(t, elsewhere); len(got) != 0 {
		t.Errorf("left outside of the workspace: %q", got)
	}
}

// spy looks around while it is encoded, and then cannot be.
type spy struct{ look func() }

func (s spy) MarshalJSON() ([]byte, error) {
	s.look()
	return nil, errors.New("no document")
}
