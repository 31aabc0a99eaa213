package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDemo runs what a newcomer runs first, as a script would: without a terminal, accounts or a network.
func TestDemo(t *testing.T) {
	t.Parallel()
	const atMost = time.Minute
	temp, dir := t.TempDir(), t.TempDir()
	env := append(inherited(), "HOME="+t.TempDir(), "TMPDIR="+temp, "NO_COLOR=1", "HTTPS_PROXY=http://127.0.0.1:1")
	begin := time.Now()
	r := runIn(t, dir, env, os.Getenv("TRANSSHIP_BIN"), "demo").wantCode(t, "transship demo", 0)
	took := time.Since(begin)
	t.Logf("the demo took %s", took.Round(time.Millisecond))
	if took > atMost {
		t.Errorf("the demo took %s, want at most %s", took, atMost)
	}
	for name, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
		if strings.ContainsAny(text, "\x1b\r") {
			t.Errorf("%s has what only a terminal understands: %q", name, text)
		}
	}
	shown := 0
	for _, stage := range []string{"Inventory", "Plan", "Created", "Copied", "Verified"} {
		i := strings.Index(r.stdout[shown:], "\n"+stage)
		if i < 0 {
			t.Fatalf("the demo does not show the stage %s in its place:\n%s", stage, r.stdout)
		}
		shown += i
	}
	workspace := namedWorkspace(dir, r.stdout)
	if workspace == "" {
		t.Fatalf("the demo names no folder with its documents:\n%s", r.stdout)
	}
	for _, name := range []string{"inventory.json", "content.jsonl", "plan.json", "results.json", "verify.json"} {
		wantDocument(t, filepath.Join(workspace, name), "formatVersion")
	}
	wantDocument(t, filepath.Join(workspace, "journal.jsonl"), "formatVersion")
	var v verification
	if b, err := os.ReadFile(filepath.Join(workspace, "verify.json")); err != nil || json.Unmarshal(b, &v) != nil {
		t.Errorf("verify.json: %v", err)
	}
	if v.Verified == 0 || v.Missing+v.Mismatched != 0 {
		t.Errorf("the demo ends with %d verified, %d missing, %d mismatched", v.Verified, v.Missing, v.Mismatched)
	}
}

// namedWorkspace is the folder, named in a text, that holds verify.json; "" where there is none. dir is where the
// program ran.
func namedWorkspace(dir, text string) string {
	for word := range strings.FieldsSeq(text) {
		path := regexp.MustCompile(`^["'(]+|["'),.:;]+$`).ReplaceAllString(word, "")
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		for _, folder := range []string{path, filepath.Dir(path)} {
			if info, err := os.Stat(filepath.Join(folder, "verify.json")); err == nil && info.Mode().IsRegular() {
				return folder
			}
		}
	}
	return ""
}

// wantDocument wants a file of JSON values, one or many, the first of which has a certain field.
func wantDocument(t *testing.T, path, field string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	values := json.NewDecoder(bytes.NewReader(b))
	for n := 1; n == 1 || values.More(); n++ {
		var value map[string]any
		if err := values.Decode(&value); err != nil {
			t.Errorf("%s: value %d: %v", path, n, err)
			return
		}
		if n == 1 && value[field] == nil {
			t.Errorf("%s begins without %s: %.100s", path, field, b)
		}
	}
}
