package diff

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func apply(text string, edits []Edit) string {
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(text[at:e.Start] + e.New)
		at = e.End
	}
	return b.String() + text[at:]
}

func TestHunks(t *testing.T) {
	t.Parallel()
	text := "1\n2\n3\n4\n5 x y\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16 x"
	at := strings.Index(text, "x")
	last := strings.LastIndex(text, "x")
	var b strings.Builder
	f := File{Name: "dir/a.yaml", Hunks: Hunks([]byte(text), []Edit{{at, at + 1, "X"}, {at + 2, at + 3, "Y"}, {last, last + 1, "Z"}}), More: 2}
	if err := f.Write(&b, Plain()); err != nil {
		t.Fatal(err)
	}
	want := `--- a/dir/a.yaml
+++ b/dir/a.yaml
@@ -2,7 +2,7 @@
 2
 3
 4
-5 x y
+5 X Y
 6
 7
 8
@@ -13,4 +13,4 @@
 13
 14
 15
-16 x
\ No newline at end of file
+16 Z
\ No newline at end of file
@@ and 2 more edits in this file @@
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// A line of megabytes is cut to what is around the edit.
func TestLongLinesAreCut(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("a", 1<<20) + "OLD" + strings.Repeat("b", 1<<20) + "\n"
	hunks := Hunks([]byte(text), []Edit{{1 << 20, 1<<20 + 3, "NEW"}})
	if len(hunks) != 1 || len(hunks[0].Lines) != 2 {
		t.Fatalf("%+v", hunks)
	}
	for n, want := range []string{"OLD", "NEW"} {
		if l := hunks[0].Lines[n]; !l.Cut || !strings.Contains(l.Text, "a"+want+"b") || len(l.Text) > 300 {
			t.Errorf("%.400q", l.Text)
		}
	}
}

// git applies the diff, and gets what the edits make of the text.
func TestDiffsCanBeApplied(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "\n", "\n", "\r\n", " ", "\n\n", "x y", "\t"}), 1, 60).Draw(rt, "words")
		text := strings.Join(words, "")
		var edits []Edit
		at := 0
		for _, w := range words {
			if strings.ContainsAny(w, "ab") && rapid.IntRange(0, 3).Draw(rt, "edit") == 0 {
				edits = append(edits, Edit{at, at + len(w), rapid.SampledFrom([]string{"NEW", "longer than before", "two\nlines"}).Draw(rt, "new")})
			}
			at += len(w)
		}
		if len(edits) == 0 {
			return
		}
		dir, err := os.MkdirTemp(t.TempDir(), "") //nolint:usetesting // one for each draw
		if err != nil {
			rt.Fatal(err)
		}
		path := filepath.Join(dir, "f.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			rt.Fatal(err)
		}
		var b strings.Builder
		if err := (File{Name: "f.txt", Hunks: Hunks([]byte(text), edits)}).Write(&b, Plain()); err != nil {
			rt.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), "git", "apply", "-p1", "--whitespace=nowarn", "-")
		c.Dir, c.Stdin = dir, strings.NewReader(b.String())
		if out, err := c.CombinedOutput(); err != nil {
			rt.Fatalf("%v: %s\n%s", err, out, b.String())
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != apply(text, edits) {
			rt.Fatalf("%q, %v\nwant %q\n%s", got, err, apply(text, edits), b.String())
		}
	})
}
