package rewrite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/diff"
	"transship/internal/rewrite/proved"
)

// TestSections runs the whole rewriter on the trees of its parts, one for each section of the catalogue, and compares the
// diff and the findings with testdata/sections. A second run changes nothing (what it finds may be less: what must be done
// beside an edit is told with the edit), and the way back is exact.
func TestSections(t *testing.T) {
	t.Parallel()
	var trees []string
	for _, pattern := range []string{"structure/testdata/golden/*/in", "danger/testdata/*/in"} {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		trees = append(trees, found...)
	}
	for _, in := range trees {
		part, _, _ := strings.Cut(filepath.ToSlash(in), "/")
		name := part + "-" + filepath.Base(filepath.Dir(in))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			was := files(t, in)
			dir := plant(t, was)
			k := arrived(t, part, was)
			got := shown(t, dir, k)
			golden := filepath.Join("testdata", "sections", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			var changes []document.FileChange
			run(t, dir, Config{Known: k, Write: true, Judges: Judges(), Record: func(r Report) error {
				changes = r.Changes
				return nil
			}})
			second := run(t, dir, Config{Known: k, Judges: Judges()})
			if len(second.Edits) > 0 {
				t.Errorf("a second run edits %v", second.Edits)
			}
			run(t, dir, Config{Known: k, Write: true, Reverse: true, Past: changes})
			if d := cmp.Diff(was, files(t, dir)); d != "" {
				t.Errorf("the way back (-want +got):\n%s", d)
			}
		})
	}
}

// arrived vouches for what the tests of the part take for moved.
func arrived(t *testing.T, part string, files map[string]string) *proved.Known {
	t.Helper()
	names := []string{
		"team/api", "team/web", "team/worker", "team/base", "team/base-dev", "shop/web", "charts/common", "charts/web", "charts/db", "mod/vpc",
	}
	if part == "danger" {
		for _, text := range files {
			for r := range references.NewFinder(source).Find([]byte(text)) {
				if !r.Open && !strings.HasPrefix(r.Repository.Name, "unmoved/") {
					names = append(names, r.Repository.Name)
				}
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	to, err := ref.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]ref.Repository, 0, len(names))
	for _, name := range names {
		list = append(list, source.Repository(name))
	}
	k, err := proved.FromList(list, ref.Mapping{Default: to}, proved.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// shown is what a person is shown.
func shown(t *testing.T, dir string, k *proved.Known) string {
	t.Helper()
	var b strings.Builder
	r := run(t, dir, Config{Known: k, Judges: Judges(), Show: func(f diff.File) {
		f.Name = strings.TrimPrefix(f.Name, filepath.ToSlash(dir)+"/")
		if err := f.Write(&b, diff.Plain()); err != nil {
			t.Error(err)
		}
	}})
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s:%d: %s: %s\n", f.File, f.Line, f.Kind, f.Text)
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), h, "H"), target, "AR")
}
