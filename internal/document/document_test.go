package document

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

var (
	source    = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	target    = ref.TargetRepository{Location: "us", Project: "example.com:my-project", ID: "app-images"}
	migration = Migration{Sources: []ref.Registry{source}, Target: target.String()}
)

func inventory() Inventory {
	pushed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return Inventory{
		Header: NewHeader(KindInventory, migration),
		Source: SourceInventory{
			Repositories: []SourceRepository{{Name: "team/api", URI: source.Repository("team/api"), CreatedAt: pushed, TagMutability: "MUTABLE"}},
			Images: []SourceImage{{
				Name: "team/api", URI: source.Repository("team/api"), Digest: digest.FromString("a"), Tags: []string{"<v1>", "v2"},
				Size: 12, MediaType: "x/y", PushedAt: pushed, Status: StatusActive,
			}},
		},
		Target: TargetInventory{
			Repositories: []TargetRepository{{URI: target, Format: "DOCKER", TargetSettings: TargetSettings{Labels: map[string]string{"a": "b"}}}},
			Images:       []TargetImage{{URI: target.Image("team/api"), Digest: digest.FromString("a"), Tags: []string{}}},
		},
		Failures: []Failure{{Source: source.Host(), Class: "denied", Error: "no & never"}},
	}
}

func TestDocumentsComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inventory.json")
	want := inventory()
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	var got Inventory
	if err := ReadFor(path, KindInventory, migration, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(`"<v1>"`)) || !bytes.Contains(b, []byte("no & never")) {
		t.Error("characters are escaped that people want to read")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if err := Write(path, got); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(b, again) {
		t.Error("the second writing differs from the first")
	}
}

func TestARefusalOfAWholeRegistryComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	want := Plan{Header: NewHeader(KindPlan, migration), Refused: []Refusal{{Source: ref.Repository{Registry: source}, Rule: RuleUnavailable}}}
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	var got Plan
	if err := Read(path, KindPlan, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWritingIsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("the disk is full")
	err := writeFile(path, func(w io.Writer) error {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
		return failure
	})
	if !errors.Is(err, failure) || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v", err)
	}
	if err := Write(path, func() {}); err == nil {
		t.Error("what is no JSON is written")
	}
	if b, _ := os.ReadFile(path); string(b) != "before" {
		t.Errorf("the file holds %.20q…", b)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v are left behind", left)
	}
}

func TestReadRefuses(t *testing.T) {
	other := Migration{Sources: []ref.Registry{{Account: "123456789012", Region: "eu-west-1"}}, Target: target.String()}
	head := `"migration":{"sources":["` + source.Host() + `"],"target":"` + target.String() + `","mapping":""}`
	tests := map[string]struct {
		body string
		m    Migration
		say  string
	}{
		"another kind":      {`{"formatVersion":1,"kind":"plan",` + head + `}`, migration, `kind "plan", not "inventory"`},
		"a newer format":    {`{"formatVersion":2,"kind":"inventory",` + head + `}`, migration, "newer Transship"},
		"an older format":   {`{"formatVersion":-1,"kind":"inventory",` + head + `}`, migration, "make it anew"},
		"another file":      {`{"name":"x"}`, migration, "not a document of Transship"},
		"no JSON":           {`formatVersion: 1`, migration, "cannot be read"},
		"half a document":   {`{"formatVersion":1,"kind":"inventory"`, migration, "cannot be read"},
		"a wrong name":      {`{"formatVersion":1,"kind":"inventory",` + head + `,"source":{"images":[{"uri":"docker.io/x"}]}}`, migration, "not an ECR"},
		"another source":    {`{"formatVersion":1,"kind":"inventory",` + head + `}`, other, "another migration: its sources"},
		"another target":    {`{"formatVersion":1,"kind":"inventory",` + head + `}`, Migration{Sources: migration.Sources, Target: "x"}, "its target is"},
		"another mapping":   {`{"formatVersion":1,"kind":"inventory",` + head + `}`, Migration{Sources: migration.Sources, Target: migration.Target, Mapping: "x"}, "mapping rules"},
		"a wrong migration": {`{"formatVersion":1,"kind":"inventory","migration":{"sources":["docker.io"]}}`, migration, "not an ECR"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "inventory.json")
			if err := os.WriteFile(path, []byte(test.body), 0o600); err != nil {
				t.Fatal(err)
			}
			var inv Inventory
			err := ReadFor(path, KindInventory, test.m, &inv)
			if err == nil || !strings.Contains(err.Error(), test.say) || !strings.Contains(err.Error(), path) {
				t.Errorf("the error %v does not say %q", err, test.say)
			}
		})
	}
	var inv Inventory
	if err := Read(filepath.Join(t.TempDir(), "x"), KindInventory, &inv); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestContentComesBackSorted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "content.jsonl")
	want := Content{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		d := digest.FromString(name)
		want[d] = ContentEntry{Digest: d, MediaType: "x/y", Size: 3, Blobs: []ContentItem{{Digest: d, Size: 1}}, Problem: "<none>"}
	}
	if err := WriteContent(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadContent(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	first, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(first)), "\n")
	if len(lines) != 1+len(want) {
		t.Fatalf("%d lines", len(lines))
	}
	for n := 2; n < len(lines); n++ {
		if lines[n-1] >= lines[n] {
			t.Errorf("line %d is not after the one before", n)
		}
	}
	if err := WriteContent(path, got); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(first, again) {
		t.Error("the second writing differs from the first")
	}
}

func TestReadContentRefuses(t *testing.T) {
	for body, say := range map[string]string{
		"":                                      "cannot be read",
		`{"formatVersion":1,"kind":"plan"}`:     "cannot be used",
		`{"formatVersion":7,"kind":"content"}`:  "newer",
		`{"formatVersion":1,"kind":"content"}{`: "cannot be read",
	} {
		path := filepath.Join(t.TempDir(), "content.jsonl")
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadContent(path); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: the error %v does not say %q", body, err, say)
		}
	}
	c, err := ReadContent(filepath.Join(t.TempDir(), "x"))
	if err != nil || c == nil || len(c) != 0 {
		t.Errorf("no file: %v, %v", c, err)
	}
}

func TestScopeComesBack(t *testing.T) {
	s := Scope{Include: []string{"team/*"}, Exclude: []string{"**/old"}}
	parsed, err := s.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, NewScope(parsed)); diff != "" {
		t.Error(diff)
	}
	if _, err := (Scope{Include: []string{""}}).Parse(); err == nil {
		t.Error("an empty pattern passes")
	}
}
