//go:build unix

package rewrite

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"transship/internal/rewrite/mention"
)

// Links, pipes and what cannot be read are no trouble.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	text := "image: " + h + "/team/api:1.4.2\n"
	outside := plant(t, map[string]string{"secret.yaml": text})
	dir := plant(t, map[string]string{"a/x.yaml": text, "b\xff.yaml": text, "closed.yaml": text})
	for name, to := range map[string]string{"link.yaml": filepath.Join(outside, "secret.yaml"), "out": outside, "loop": dir, "inner.yaml": "a/x.yaml"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.Chmod(filepath.Join(dir, "closed.yaml"), 0)); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, Config{Write: true})
	want := 3
	if os.Getuid() != 0 {
		want = 2
		if len(r.Findings) != 1 || r.Findings[0].Kind != mention.Unreadable {
			t.Errorf("%v", r.Findings)
		}
	}
	if len(r.Edits) != want || r.Links != 4 || r.Special != 1 {
		t.Errorf("%v %+v", r.Edits, r.Counts)
	}
	if got := files(t, outside)["secret.yaml"]; got != text {
		t.Errorf("outside of the tree: %q", got)
	}
	if _, err := Run(t.Context(), Config{Paths: []string{filepath.Join(dir, "link.yaml"), filepath.Join(dir, "pipe"), filepath.Join(dir, "none")}, Known: known(t)}); !errors.Is(err, ErrNoPath) {
		t.Error(err)
	}
	// A folder within another one that was named too, and what is to be left out, are looked at once and never.
	s, err := Run(t.Context(), Config{Paths: []string{dir, filepath.Join(dir, "a"), dir}, Known: known(t), Reverse: true, Skip: []string{filepath.Join(dir, "closed.yaml")}})
	if err != nil || s.Files != 2 || len(s.Edits) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}
