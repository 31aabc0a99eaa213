package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/events"
	"transship/internal/generate"
	"transship/internal/ref"
)

var update = flag.Bool("update", false, "write what is checked in anew")

// uncommented takes the "#" from settings, as a user would.
var uncommented = regexp.MustCompile(`(?m)^#([^ #\n]| {2,4}[^ ])`)

func TestTemplateParses(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]template{
		"nothing is known": {},
		"all is known": {from: []string{"123456789012.dkr.ecr.us-east-1.amazonaws.com"}, to: "us-docker.pkg.dev/my-gcp-project/app-images",
			other: file{Include: []string{"a/**"}, Exclude: []string{"b"}, Workspace: `C:\x`}, seen: []string{"AWS: somebody."}},
		"a proposal": {proposedTo: "us-docker.pkg.dev/my-gcp-project/app-images", prefixes: []string{"team", "base.images"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := made.text()
			c, err := parseConfig([]byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if diff := cmp.Diff(made.from, c.From); diff != "" || c.To != made.to || c.Workspace != made.other.Workspace {
				t.Errorf("from (-want +got):\n%s\nto %q, workspace %q", diff, c.To, c.Workspace)
			}
			whole := uncommented.ReplaceAllString(text, "$1")
			c, err = parseConfig([]byte(whole))
			if err != nil {
				t.Fatalf("with all settings: %v\n%s", err, whole)
			}
			if _, err := c.wavesOf(); err != nil {
				t.Error(err)
			}
			if _, err := c.rules(); err != nil {
				t.Error(err)
			}
			for _, entry := range c.Prices {
				if _, err := entry.parse(); err != nil {
					t.Error(err)
				}
			}
			if len(c.Sources) != 1 || c.Sources[0].RoleARN == "" {
				t.Errorf("sources are %+v", c.Sources)
			}
			for _, v := range []any{file{}, origin{}, mapping{}, wave{}, price{}} {
				for i := range reflect.TypeOf(v).NumField() {
					f := reflect.TypeOf(v).Field(i)
					if !regexp.MustCompile(`(?m)^#? *(- |# )?` + f.Tag.Get("yaml") + `:`).MatchString(text) {
						t.Errorf("%s of %T is missing", f.Tag.Get("yaml"), v)
					}
				}
			}
			for line := range strings.Lines(text) {
				if len([]rune(line)) > templateWidth+1 {
					t.Errorf("too long: %s", line)
				}
			}
		})
	}
}

// reference is docs/configuration.md, made of the doc tags.
func reference() string {
	var b strings.Builder
	b.WriteString(`# The configuration

Transship reads ` + "`transship.yaml`" + ` in the folder that it runs in, or what ` + "`--config`" + ` names; there need be none. Whatever a
flag says, the file can say too, and the flag wins. An unknown key is an error with its line. Credentials never stand in
it. "transship init" writes one with every key explained. This page is made from the code.
`)
	for _, part := range []struct {
		title string
		of    any
	}{{"Keys", file{}}, {"An entry of sources", origin{}}, {"An entry of mappings", mapping{}}, {"An entry of waves", wave{}}, {"An entry of prices", price{}}} {
		fmt.Fprintf(&b, "\n## %s\n\n| key | type | meaning |\n|---|---|---|\n", part.title)
		for i := range reflect.TypeOf(part.of).NumField() {
			f := reflect.TypeOf(part.of).Field(i)
			typ := f.Type
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			kind := map[reflect.Kind]string{reflect.Bool: "true or false", reflect.String: "text", reflect.Int: "number", reflect.Float64: "number"}[typ.Kind()]
			if f.Type.Kind() == reflect.Slice {
				kind = "list of texts"
				if f.Type.Elem().Kind() == reflect.Struct {
					kind = "list of entries"
				}
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Tag.Get("yaml"), kind, strings.ReplaceAll(f.Tag.Get("doc"), "*", `\*`))
		}
	}
	return b.String() + `
## An example

` + "```yaml" + `
sources:
  - host: 123456789012.dkr.ecr.us-east-1.amazonaws.com
    role_arn: arn:aws:iam::123456789012:role/migration-reader
  - account: "210987654321"
    region: eu-west-1
    profile: production
to: us-docker.pkg.dev/my-gcp-project/app-images
mappings:
  - from: "210987654321.dkr.ecr.eu-west-1.amazonaws.com/**"
    to: europe-docker.pkg.dev/my-gcp-project/eu-images/**
waves:
  - name: first
    include: ["team/**"]
  - name: rest
    include: ["**"]
    exclude: ["team/**"]
` + "```\n"
}

// checkedIn compares a page of docs with what it should be; -update writes it.
func checkedIn(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/%s is not what the code says (go test ./internal/cli -run TestDocs -update writes it):\n%s", name, diff)
	}
}

func TestDocs(t *testing.T) {
	t.Parallel()
	text := reference()
	checkedIn(t, "configuration.md", text)
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	c, err := parseConfig([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	sources, err := c.sourcesOf()
	if err != nil || len(sources) != 2 {
		t.Errorf("the example has %d sources: %v", len(sources), err)
	}
	m := generate.Migration{
		Sources: []generate.Source{
			{Registry: ref.Registry{Account: "123456789012", Region: "us-east-1"}},
			{Registry: ref.Registry{Account: "210987654321", Region: "eu-west-1"}, RoleARN: "arn:aws:iam::210987654321:role/migration-reader", ExternalID: "my-external-id"},
		},
		Targets: []ref.TargetRepository{{Location: "us", Project: "my-gcp-project", ID: "app-images"}},
		Queues:  []events.Address{{Account: "123456789012", Region: "us-east-1", Name: "transship-ecr-events"}}, DeleteTags: true,
	}
	var b strings.Builder
	if err := m.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	checkedIn(t, "permissions.md", b.String())
}
