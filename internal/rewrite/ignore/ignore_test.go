package ignore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ignored asks as a walk does: from the top, with the rules of each folder that it enters.
func ignored(files map[string]string, path string, folder bool) bool {
	r := (*Rules)(nil).With("", []byte(files[".git/info/exclude"]))
	r = r.With("", []byte(files[".gitignore"]))
	parts := strings.Split(path, "/")
	for n := 1; n <= len(parts); n++ {
		at := strings.Join(parts[:n], "/")
		if r.Ignored(at, folder || n < len(parts)) {
			return true
		}
		if text, ok := files[at+"/.gitignore"]; ok {
			r = r.With(at, []byte(text))
		}
	}
	return false
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		".git/info/exclude": "private\n*.key\n",
		".gitignore":        "\ufeff# a comment\r\n*.log\r\n!keep.log\nbuild/\n/only-here\nsub/*.tmp\n**/deep/x\ndocs/**\n!docs/a\na/**/z\n\\#hash\n\\!bang\ntrail\\ \nspace   \n[a-c]?.x\n[!a-c]y\n[[:digit:]]z\n\n/\n",
		"sub/.gitignore":    "!*.log\nonly-sub\n!public.key\n",
	}
	for path, want := range map[string]bool{
		"a.log": true, "keep.log": false, "x/y/a.log": true, "sub/a.log": false, "sub/x/a.log": false, "build/out": true, "x/build/out": true,
		"only-here": true, "x/only-here": false, "sub/a.tmp": true, "sub/x/a.tmp": false, "x/sub/a.tmp": false, "deep/x": true, "q/deep/x": true,
		"docs/a": false, "docs/b": true, "docs/c/d": true, "a/z": true, "a/b/z": true, "a/b/c/z": true, "a/b": false, "#hash": true, "!bang": true,
		"trail ": true, "trail": false, "space": true, "b1.x": true, "d1.x": false, "dy": true, "ay": false, "1z": true, "xz": false,
		"sub/only-sub": true, "only-sub": false, "private": true, "x/private": true, "a.key": true, "sub/public.key": false, "other": false,
	} {
		if got := ignored(files, path, false); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if (*Rules)(nil).Ignored("x", false) {
		t.Error("no rules ignore something")
	}
}

// A pattern that would take other matchers exponential time.
func TestMatchingIsFast(t *testing.T) {
	t.Parallel()
	r := (*Rules)(nil).With("", []byte(strings.Repeat("*a", 100)+"b\n"+strings.Repeat("**/a/", 100)+"b\n"))
	if r.Ignored(strings.Repeat("a/", 500)+strings.Repeat("a", 250), false) {
		t.Error("ignored")
	}
}

// git itself says the same of random patterns and paths.
func TestIgnoredIsWhatGitSays(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	// Sets hold no slash: in git a slash between brackets is a member of the set, in which it matches nothing.
	words := rapid.SampledFrom([]string{"a", "b", "ab", "a.b", "*", "**", "?", "*.b", "a*", "[ab]", "[!a]", "**b", "\\a", "b ", "a**b", "#", "!"})
	line := rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom([]string{"", "", "!", "/", "!/"}).Draw(t, "begin")
		s += strings.Join(rapid.SliceOfN(words, 1, 4).Draw(t, "words"), "/")
		return s + rapid.SampledFrom([]string{"", "", "/", "/**", " "}).Draw(t, "end") + "\n"
	})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(line, 0, 4).Draw(t, "lines"), "") })
	paths := func() (out []string) {
		names := []string{"a", "b", "ab", "a.b", "abb", "b ", "#", "!"}
		for _, x := range names {
			out = append(out, x)
			for _, y := range names[:4] {
				out = append(out, "d/"+x+"/"+y)
				for _, z := range names[:2] {
					out = append(out, "d/"+x+"/"+y+"/"+z)
				}
			}
		}
		return out
	}()
	dir := t.TempDir()
	git := func(stdin string, args ...string) []byte {
		c := exec.CommandContext(context.Background(), "git", append([]string{"-C", dir, "-c", "core.excludesFile="}, args...)...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.Output()
		if err != nil && len(args) > 0 && args[0] == "init" {
			t.Fatal(err)
		}
		return out
	}
	git("", "init", "-q")
	rapid.Check(t, func(t *rapid.T) {
		files := map[string]string{
			".git/info/exclude": text.Draw(t, "exclude"), ".gitignore": text.Draw(t, "root"), "d/.gitignore": text.Draw(t, "d"), "d/a/.gitignore": text.Draw(t, "d/a"),
		}
		for name, text := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		said := map[string]bool{}
		for line := range bytes.SplitSeq(git(strings.Join(paths, "\x00")+"\x00", "check-ignore", "--no-index", "--stdin", "-z"), []byte{0}) {
			said[string(line)] = true
		}
		for _, path := range paths {
			if _, isRules := files[path]; isRules {
				continue
			}
			if got := ignored(files, path, false); got != said[path] {
				t.Fatalf("%q: ignored %v, git says %v\n%s", path, got, said[path], fmt.Sprintf("%q", files))
			}
		}
	})
}
