package references

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// entries are a list in short: each text, and how many names it may mean where that is not one.
func entries(l List) (out []string) {
	for _, e := range l.Entries {
		s := strings.ReplaceAll(e.Text, h, "H")
		if len(e.Names) != 1 {
			s += " ×" + string(rune('0'+len(e.Names)))
		}
		out = append(out, s)
	}
	return out
}

func TestReadList(t *testing.T) {
	t.Parallel()
	text := "\ufeff# What runs in production.\r\n\r\n  " + h + "/team/api:1.4.2   # the front\r\n" + h + "/team/api@" + sum + "\r\nteam/web\r\n" +
		"team/web:2@" + sum + "\nteam/web\n" + "docker.example.com:5000/x/y:1\n602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/pause:3.5\n" +
		"123456789012.dkr-ecr.us-east-1.on.aws/team/db\nhttps://" + h + "/team/last"
	want := []string{
		"H/team/api:1.4.2", "H/team/api@" + sum, "team/web ×2", "team/web:2@" + sum + " ×2", "docker.example.com:5000/x/y:1 ×0",
		"602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/pause:3.5 ×0", "123456789012.dkr-ecr.us-east-1.on.aws/team/db", "https://H/team/last",
	}
	l, err := finder().Read("-", strings.NewReader(text))
	if got := entries(l); err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
	for text, say := range map[string]string{
		"team/api\nTeam Web\n":             `the standard input: line 2: "Team Web" is not a reference: want HOST/NAME or NAME`,
		"team/api\n" + h + "\n":            "line 2",
		"team/api\nteam/api@sha256:12":     "line 2: \"team/api@sha256:12\" is not a reference: the digest is wrong",
		"team/api\nteam/api:\n":            "line 2",
		"team/api\nteam/api:-x\n":          "line 2",
		"team/api\x00":                     "neither a list of references nor a text",
		strings.Repeat("team/api\n", 9000): "",
	} {
		_, err := finder().Read("-", strings.NewReader(text))
		if (err == nil) != (say == "") || err != nil && !strings.Contains(err.Error(), say) {
			t.Errorf("%.40q: %v, want %q", text, err, say)
		}
	}
}

func TestReadOtherTexts(t *testing.T) {
	t.Parallel()
	wide := func(s string) string { // as PowerShell writes what kubectl prints
		var b strings.Builder
		b.WriteString("\xff\xfe")
		for _, c := range []byte(s) {
			b.Write([]byte{c, 0})
		}
		return b.String()
	}
	manifest := "kind: Deployment\nspec: {image: \"" + h + "/team/api:1\"}\n---\nimage: " + h + "/team/web:2\nimage: " + h + "/team/api:1\nx: " + h + "/team/{{ .c }}\n"
	want := []string{"H/team/api:1", "H/team/web:2", "H/team… ×0"}
	for name, text := range map[string]string{
		"deploy.yaml": manifest, "deploy.txt": manifest, "utf16.txt": wide(manifest),
		"list.yaml":  h + "/team/api:1\n" + h + "/team/web:2\n" + h + "/team/$x\nteam/unseen\n", // its extension says that it is none
		"large.json": strings.Repeat("{}\n", 1<<20) + manifest,
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := finder().Read(path, nil)
		if got := entries(l); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if _, err := finder().Read(filepath.Join(t.TempDir(), "missing"), nil); err == nil || !strings.Contains(err.Error(), "missing: no such file") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestReadFolder(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret.yaml")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, "image: "+h+"/outside")
	write(filepath.Join(dir, "b", "values.yaml"), "image: "+h+"/second:1")
	write(filepath.Join(dir, "a", "Dockerfile"), "FROM "+h+"/first:1")
	write(filepath.Join(dir, ".git", "config"), "image: "+h+"/git")
	write(filepath.Join(dir, "image.png"), "\x89PNG\x00 "+h+"/binary")
	write(filepath.Join(dir, "names.txt"), "only/a/name\n") // names without a host are only for lists
	if runtime.GOOS != "windows" {
		for name, to := range map[string]string{"link.yaml": outside, "up": filepath.Dir(outside), "loop": dir} {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := finder().Read(dir, nil)
	if got, want := entries(l), []string{"H/first:1", "H/second:1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if l.Empty() {
		t.Error("it is not empty")
	}
}

// FuzzRead: whatever a text is, what is read of it has names that are legal, and each only once.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{h + "/a/b:1\nteam/api\n# x\n", "\xff\xfea\x00", "FROM " + h + "/x1", "x/y@" + sum, "a:b:c", "x\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := finder().Read("-", strings.NewReader(text))
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, e := range l.Entries {
			if seen[e.Text] {
				t.Errorf("%q twice", e.Text)
			}
			seen[e.Text] = true
			for _, n := range e.Names {
				again, err := finder().parse(n.String())
				if err != nil || len(again.Names) != 1 || again.Names[0] != n {
					t.Errorf("%q is %+v, %v", n, again, err)
				}
			}
		}
	})
}
