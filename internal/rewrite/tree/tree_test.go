package tree

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Rules of the folders above, of a worktree, of nested repositories, and what is vendored.
func TestWalk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		".git/info/exclude": "private\n", ".gitignore": "*.log\n/sub/out\n", "top.txt": "", "sub/a.txt": "", "sub/a.log": "", "sub/out/x": "", "sub/private": "",
		"sub/deep/.gitignore": "!keep.log\n", "sub/deep/keep.log": "", "sub/deep/b.log": "", "sub/vendor/v": "", "sub/node_modules/n": "",
		"sub/nested/.git/info/exclude": "own\n", "sub/nested/x.log": "", "sub/nested/own": "",
		"sub/tree/.git": "gitdir: ../../.git/worktrees/tree\n", ".git/worktrees/tree/commondir": "../..\n", "sub/tree/private": "", "sub/tree/y.log": "",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub", "many"), 0o700); err != nil {
		t.Fatal(err)
	}
	for n := range 3 * batch { // more than one worker takes
		if err := os.WriteFile(filepath.Join(dir, "sub", "many", strconv.Itoa(n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	walk := func(path string) (names []string, c Counts) {
		tr, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		var mu sync.Mutex
		c = tr.Walk(t.Context(), Options{Workers: 3, Visit: func(_ int, p Place) {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, p.Path())
		}, Failed: func(path string, err error) { t.Errorf("%s: %v", path, err) }})
		slices.Sort(names)
		return names, c
	}
	got, c := walk(filepath.Join(dir, "sub"))
	all := len(got)
	got = slices.DeleteFunc(got, func(name string) bool { return strings.HasPrefix(name, "many/") })
	want := []string{"a.txt", "deep/.gitignore", "deep/keep.log", "nested/x.log", "tree/.git", "tree/y.log"}
	if !slices.Equal(got, want) || c.Vendored != 2 || c.Ignored != 6 || c.Files != len(want)+3*batch || all != c.Files {
		t.Errorf("%q %+v", got, c)
	}
	if got, _ := walk(filepath.Join(dir, "sub", "a.log")); !slices.Equal(got, []string{"a.log"}) {
		t.Errorf("a file that is named is not taken: %q", got)
	}
}

func TestReadStaysInTheTree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	tr, err := Open(sub)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for _, path := range []string{"../x", "/x", "", ".", "none"} {
		if b, err := tr.Read(path); err == nil {
			t.Errorf("%q: %q", path, b)
		}
	}
}
