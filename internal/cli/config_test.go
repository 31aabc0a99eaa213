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
sources:
  - account: "123456789012"
    region: us-west-2
    profile: west
impersonate: mover@my-gcp-project.iam.gserviceaccount.com
wave: first
waves:
  - name: first
    include: [team/**]
    exclude: [team/old/*]
mappings:
  - from: team/web
    to: us-docker.pkg.dev/my-gcp-project/web/front
  - {from: "**", to: us-docker.pkg.dev/my-gcp-project/rest}
`,
			file{
				From: []string{"123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"},
				To:   "us-docker.pkg.dev/my-gcp-project/app-images", Include: []string{"team/**"}, Exclude: []string{"team/old/*"},
				Workspace: "ws", Overwrite: true, Deep: true, JSON: true, Yes: true, Verbose: true, LogFormat: "json",
				Sources:     []origin{{Account: "123456789012", Region: "us-west-2", Profile: "west"}},
				Impersonate: "mover@my-gcp-project.iam.gserviceaccount.com", Wave: "first",
				Waves: []wave{{Name: "first", Include: []string{"team/**"}, Exclude: []string{"team/old/*"}}},
				Mappings: []mapping{
					{From: "team/web", To: "us-docker.pkg.dev/my-gcp-project/web/front"},
					{From: "**", To: "us-docker.pkg.dev/my-gcp-project/rest"},
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
			if d := cmp.Diff(test.want, got.file, cmpopts.EquateEmpty()); d != "" {
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
		{"unknown key", "# c\nfrom: [a]\nform: [b]\n", []string{`line 3: unknown key "form"`, "(known: allow-public, bandwidth, canary, cleanup, cluster, deep, delete-tags, events, exclude, first, from, "}},
		{"unknown key after a good one", "to: a\nTo: b\n", []string{`line 2: unknown key "To"`}},
		{"unknown key in a mapping", "mappings:\n- from: a\n  too: b\n", []string{`line 3: unknown key "too" (known: from, to)`}},
		{"a key twice", "to: a\nto: b\n", []string{"line 2", `"to"`}},
		{"not a list", "from: {a: b}\n", []string{"line 1: this is not a list"}},
		{"two documents", "to: a\n---\nto: b\n", []string{"second document"}},
		{"not a truth value", "yes: perhaps\n", []string{`line 1: "perhaps" is not true or false`}},
		{"not YAML", "from: [a\nto: b\n", []string{"line"}},
		{"a tab", "mappings:\n\t- from: a\n", []string{"line 2"}},
		{"not a mapping of keys", "- from\n", []string{"line 1: this is not keys with values"}},
		{"a mapping that is a text", "mappings: [team/web]\n", []string{`line 1: "team/web" is not keys with values`}},
		{"mappings that are a text", "mappings: team/web\n", []string{`line 1: "team/web" is not a list`}},
		{"a mapping to a list", "mappings:\n- from: a\n  to: [b]\n", []string{"line 3: this is not a text"}},
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
			for _, jargon := range []string{"cli.", "struct", "yaml:", "!!", "unmarshal", "\n"} {
				if strings.Contains(err.Error(), jargon) {
					t.Errorf("%q says %q", err, jargon)
				}
			}
		})
	}
}

// An entry of a list is known by its line, wherever it stands.
func TestConfigLines(t *testing.T) {
	t.Parallel()
	c, err := parseConfig([]byte("# c\nto: a\nmappings:\n\n  - from: a\n    to: b\n  - {from: c, to: d}\nwaves: [{name: w}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	c.path = "f.yaml"
	for _, test := range []struct {
		key  string
		i    int
		want string
	}{{"mappings", 0, "f.yaml:5"}, {"mappings", 1, "f.yaml:7"}, {"waves", 0, "f.yaml:8"}, {"mappings", 2, "f.yaml"}, {"sources", 0, "f.yaml"}} {
		if got := c.line(test.key, test.i); got != test.want {
			t.Errorf("entry %d of %s is at %s, want %s", test.i, test.key, got, test.want)
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
	m, err := config{file: file{To: "us-docker.pkg.dev/my-gcp-project/app-images", Mappings: []mapping{{From: from, To: to}}}}.rules()
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
	for _, bad := range []struct{ text, want string }{
		{"to: docker.io/library\n", "--to: "},
		{"to: us-docker.pkg.dev/my-gcp-project/a\nmappings:\n- from: a\n  to: us-docker.pkg.dev/my-gcp-project/team/**\n", "f.yaml:3: "},
		{"mappings: [{from: '', to: us-docker.pkg.dev/my-gcp-project/a}]\n", "f.yaml:1: "},
		{"mappings:\n- {from: a, to: us-docker.pkg.dev/my-gcp-project/a}\n- {from: a}\n", "f.yaml:3: "},
	} {
		c, err := parseConfig([]byte(bad.text))
		if err != nil {
			t.Fatal(err)
		}
		c.path = "f.yaml"
		if _, err := c.rules(); exitCode(err) != exitUsage || !strings.HasPrefix(err.Error(), bad.want) {
			t.Errorf("%q: %v, want %q", bad.text, err, bad.want)
		}
	}
}

// FuzzParseConfig reads any text without panic. An error is one line; what is read can be made sense of, or is refused as
// usage.
func FuzzParseConfig(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			if s := err.Error(); s == "" || strings.Contains(s, "\n") || !reflect.DeepEqual(c, config{}) {
				t.Errorf("error %q, with %+v", s, c)
			}
			return
		}
		_, rules := c.rules()
		_, sources := c.sourcesOf()
		_, waves := c.wavesOf()
		for _, err := range []error{rules, sources, waves} {
			if err != nil && exitCode(err) != exitUsage {
				t.Errorf("not an error of usage: %v", err)
			}
		}
	})
}
