package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"transship/internal/ref"
)

func TestParseConfig(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       file
	}{
		{"empty", "", file{}},
		{"nothing but comments", "# from:\n---\n", file{}},
		{
			"everything", `
from: [123456789012.dkr.ecr.us-east-1.amazonaws.com, 123456789012.dkr.ecr.eu-west-1.amazonaws.com]
to: us-docker.pkg.dev/my-gcp-project/app-images
include: [team/**]
exclude:
  - team/old/*
workspace: ws
overwrite: true
deep: true
json: true
yes: true
verbose: true
log-format: json
mappings:
  - from: team/web
    to: us-docker.pkg.dev/my-gcp-project/web/front
  - {from: "**", to: us-docker.pkg.dev/my-gcp-project/rest}
`,
			file{
				From: []string{"123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"},
				To:   "us-docker.pkg.dev/my-gcp-project/app-images", Include: []string{"team/**"}, Exclude: []string{"team/old/*"},
				Workspace: "ws", Overwrite: true, Deep: true, JSON: true, Yes: true, Verbose: true, LogFormat: "json",
				Mappings: []mapping{
					{From: "team/web", To: "us-docker.pkg.dev/my-gcp-project/web/front", line: 15},
					{From: "**", To: "us-docker.pkg.dev/my-gcp-project/rest", line: 17},
				},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseConfig([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, got, cmp.AllowUnexported(mapping{}), cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
		})
	}
}

// What is wrong is told with its line, and in words of the configuration rather than of Go.
func TestParseConfigErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"unknown key", "# c\nfrom: [a]\nform: [b]\n", []string{`line 3: unknown key "form"`, "deep, exclude, from, include"}},
		{"unknown key after a good one", "to: a\nTo: b\n", []string{`line 2: unknown key "To"`}},
		{"unknown key in a mapping", "mappings:\n- from: a\n  too: b\n", []string{`line 3: unknown key "too" in mappings (from and to are known)`}},
		{"a key twice", "to: a\nto: b\n", []string{"line 2", `"to"`}},
		{"not a list", "from: {a: b}\n", []string{"line 1"}},
		{"not a truth value", "yes: perhaps\n", []string{"line 1", "perhaps"}},
		{"not YAML", "from: [a\nto: b\n", []string{"line"}},
		{"a tab", "mappings:\n\t- from: a\n", []string{"line 2"}},
		{"not a mapping of keys", "- from\n", []string{"line 1"}},
		{"a mapping that is a text", "mappings: [team/web]\n", []string{"line 1"}},
		{"mappings that are a text", "mappings: team/web\n", []string{"line 1"}},
		{"a mapping to a list", "mappings:\n- from: a\n  to: [b]\n", []string{"line 3"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseConfig([]byte(test.text))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			for _, jargon := range []string{"cli.", "struct", "yaml:", "\n"} {
				if strings.Contains(err.Error(), jargon) {
					t.Errorf("%q says %q", err, jargon)
				}
			}
		})
	}
}

func TestKnownKeysAreTheFields(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, key := range knownKeys() {
		known[key] = true
	}
	fields := reflect.TypeFor[file]()
	if len(known) != fields.NumField() {
		t.Errorf("%d keys are known, the file has %d fields", len(known), fields.NumField())
	}
	for i := range fields.NumField() {
		if key := fields.Field(i).Tag.Get("yaml"); !known[key] {
			t.Errorf("the key %q is not among %v", key, knownKeys())
		}
	}
}

// A missing file is an error only where it was named, and every error is one of usage.
func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if f, err := readConfig(""); err != nil || f.To != "" {
		t.Errorf("without a file: %+v, %v", f, err)
	}
	if _, err := readConfig("named.yaml"); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "named.yaml") {
		t.Errorf("a named file that is missing: %v", err)
	}
	if _, err := readConfig(dir); exitCode(err) != exitUsage {
		t.Errorf("a folder: %v", err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, defaultConfig), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("to: somewhere\n")
	if f, err := readConfig(""); err != nil || f.To != "somewhere" {
		t.Errorf("with a file: %+v, %v", f, err)
	}
	write("too: somewhere\n")
	if _, err := readConfig(""); exitCode(err) != exitUsage || !strings.HasPrefix(err.Error(), "transship.yaml: line 1: ") {
		t.Errorf("a wrong file: %v", err)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	const from, to = "team/**", "us-docker.pkg.dev/my-gcp-project/team/**"
	m, err := file{Mappings: []mapping{{From: from, To: to}}}.rules("us-docker.pkg.dev/my-gcp-project/app-images")
	if err != nil {
		t.Fatal(err)
	}
	registry := ref.Registry{Account: "123456789012", Region: "us-east-1"}
	for name, want := range map[string]string{
		"team/api": "us-docker.pkg.dev/my-gcp-project/team/api",
		"shop/api": "us-docker.pkg.dev/my-gcp-project/app-images/shop/api",
	} {
		if got, err := m.Map(registry.Repository(name)); err != nil || got.String() != want {
			t.Errorf("%s becomes %s, %v, want %s", name, got, err, want)
		}
	}
	for _, bad := range []struct {
		f    file
		to   string
		want string
	}{
		{to: "docker.io/library", want: "--to: "},
		{f: file{Mappings: []mapping{{From: "a", To: to, line: 7}}}, want: "line 7"},
		{f: file{Mappings: []mapping{{From: "", To: "us-docker.pkg.dev/my-gcp-project/team", line: 8}}}, want: "line 8"},
		{f: file{Mappings: []mapping{{From: "a", To: "", line: 9}}}, want: "line 9"},
	} {
		if _, err := bad.f.rules(bad.to); exitCode(err) != exitUsage || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%+v, %q: %v, want %q", bad.f, bad.to, err, bad.want)
		}
	}
}

// FuzzParseConfig reads any text without panic. An error is one line; what is read has been said by the text.
func FuzzParseConfig(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseConfig(text)
		if err != nil {
			if s := err.Error(); s == "" || strings.Contains(s, "\n") || !reflect.DeepEqual(got, file{}) {
				t.Errorf("error %q, with %+v", s, got)
			}
			return
		}
		if len(got.Mappings) > 0 && got.Mappings[0].line < 1 {
			t.Errorf("the mapping %+v has no line", got.Mappings[0])
		}
		_, _ = got.rules(got.To)
	})
}
