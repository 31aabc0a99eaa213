package access

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"transship/internal/document"
	"transship/internal/ref"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	testRegistry = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	testTarget   = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
)

// Each file of testdata/policies is a registry: a comment that says what it is about ("public:" lets everyone read), the
// policies of repositories that all go to one target repository, perhaps one of the registry and a principals.yaml,
// and, as want, what becomes of it.
func TestPolicies(t *testing.T) {
	files, err := filepath.Glob("testdata/policies/*.txtar")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in, want := goldenInput(t, a)
			got := shown(Suggest(in))
			if *update {
				setFile(a, "want", got)
				if err := os.WriteFile(path, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func goldenInput(t *testing.T, a *txtar.Archive) (in Input, want string) {
	t.Helper()
	in.AllowPublic = strings.HasPrefix(string(a.Comment), "public:")
	for _, f := range a.Files {
		data := strings.TrimSuffix(string(f.Data), "\n")
		switch name, ofRepository := strings.CutPrefix(f.Name, "repo/"); {
		case ofRepository:
			in.Repositories = append(in.Repositories, Repository{Source: ref.Repository{Registry: testRegistry, Name: name}, Target: testTarget, Policy: data})
		case name == "registry":
			in.Registries = append(in.Registries, Registry{Source: testRegistry, Policy: data})
		case name == "principals.yaml":
			var err error
			if in.Principals, err = ParsePrincipals(f.Data, in.AllowPublic); err != nil {
				t.Fatal(err)
			}
		case name == "want":
			want = string(f.Data)
		default:
			t.Fatalf("what is %s?", f.Name)
		}
	}
	return in, want
}

func setFile(a *txtar.Archive, name, data string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(data)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(data)})
}

// shown is what a person would look at.
func shown(s Suggestions) string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	some := func(name, text string) {
		if text != "" {
			line("  %s: %s", name, strings.ReplaceAll(text, testRegistry.String(), "HOST"))
		}
	}
	for _, g := range s.Grants {
		line("grant %s to %s", g.Role, g.Principal)
		some("member", g.Member)
		some("sources", strings.Join(g.Sources, " "))
		some("actions", strings.Join(g.Actions, " "))
		some("decide", g.Decide)
	}
	statements := func(of string, ts []document.Translation) {
		for _, t := range ts {
			line("%s, %s: %s", of, t.Item, t.Fate)
			some("was", t.Was)
			some("becomes", t.Becomes)
			some("reason", t.Reason)
			some("decide", t.Decide)
		}
	}
	for r, ts := range s.Registries {
		statements("registry "+r.Account, ts)
	}
	for _, name := range sortedNames(s.Repositories) {
		statements(name.Name, s.Repositories[name])
	}
	for _, dead := range s.Dead {
		line("dead: %s", dead)
	}
	return b.String()
}

func sortedNames(m map[ref.Repository][]document.Translation) []ref.Repository {
	return slices.SortedFunc(maps.Keys(m), func(a, b ref.Repository) int { return strings.Compare(a.Name, b.Name) })
}

func testSource(name string) ref.Repository {
	return ref.Repository{Registry: testRegistry, Name: name}
}
