package generate

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"transship/internal/document"
	checkedin "transship/internal/golden"
	"transship/internal/governance/desired"
	"transship/internal/ref"
)

var (
	apps  = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
	tools = ref.TargetRepository{Location: "europe-west3", Project: "example.com:my-project", ID: "tools"}
)

const hostile = "evil ${file(\"/etc/passwd\")} %{ if true }\"\n} resource \"x\" \"y\" { # \x1b[2J\u2028\\"

func deleted(id string, c document.CleanupCondition) document.CleanupPolicy {
	return document.CleanupPolicy{ID: id, Action: document.CleanupDelete, Condition: &c}
}

func someChanges() []desired.Change {
	newest := document.CleanupPolicy{ID: "transship-newest", Action: document.CleanupKeep, MostRecent: &document.MostRecent{KeepCount: 10, PackagePrefixes: []string{"team/"}}}
	want := document.TargetSettings{
		ImmutableTags: true, KMSKey: "projects/my-gcp-project/locations/us/keyRings/registry/cryptoKeys/images", Scanning: document.ScanningInherited,
		Labels: map[string]string{"team": "payments", "cost-center": "42", "a_b": ""}, CleanupDryRun: true,
		Cleanup: []document.CleanupPolicy{newest, deleted("transship-r1", document.CleanupCondition{
			TagState: document.Tagged, TagPrefixes: []string{"dev", "pr-${n}"}, VersionPrefixes: []string{"sha256:0"}, PackagePrefixes: []string{"team/"},
			OlderThan: 14 * document.Day, NewerThan: 365 * document.Day,
		})},
	}
	later := document.TargetSettings{Labels: map[string]string{"team": "tools"}, ImmutableTags: true, Cleanup: []document.CleanupPolicy{newest}, CleanupDryRun: true}
	found := document.TargetRepository{URI: tools, Format: "DOCKER", Description: hostile, TargetSettings: document.TargetSettings{
		Labels: map[string]string{"owner": "somebody"}, Scanning: document.ScanningDisabled,
		Cleanup: []document.CleanupPolicy{deleted("by-hand", document.CleanupCondition{TagState: document.Untagged, OlderThan: document.Day})},
	}}
	return []desired.Change{
		desired.Diff(document.PlannedRepository{URI: apps, Description: "Images, moved by transship", Settings: want}, nil, true),
		desired.Diff(document.PlannedRepository{URI: tools, Settings: later}, &found, true),
	}
}

func someGrants() []document.Grant {
	const reader, writer = "roles/artifactregistry.reader", "roles/artifactregistry.writer"
	other := ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "other"}
	return []document.Grant{
		{Target: apps, Role: writer, Principal: "arn:aws:iam::123456789012:role/ci", Member: "serviceAccount:ci@my-gcp-project.iam.gserviceaccount.com"},
		{Target: apps, Role: reader, Principal: hostile, Member: "group:" + hostile},
		{Target: apps, Role: reader, Principal: "arn:aws:iam::123456789012:root", Member: "group:team@example.com"},
		{Target: apps, Role: reader, Principal: "arn:aws:iam::210987654321:root", Member: "group:team@example.com"},
		{Target: other, Role: reader, Principal: "arn:aws:iam::210987654321:root", Member: "group:team@example.com"},
		{Target: apps, Role: reader, Principal: "*", Member: "allUsers", Decide: "public access needs a flag"},
		{Target: apps, Role: reader, Principal: "arn:aws:iam::999999999999:root"},
		{Target: apps, Principal: "arn:aws:iam::999999999999:root", Member: "group:x@example.com"},
	}
}

func TestTerraform(t *testing.T) {
	files := Terraform(someChanges(), someGrants())
	for _, f := range files {
		checkedin.Compare(t, filepath.Join("terraform", f.Name), f.Content)
	}
	changes, grants := someChanges(), someGrants()
	slices.Reverse(changes)
	slices.Reverse(grants)
	if diff := cmp.Diff(files, Terraform(changes, grants)); diff != "" {
		t.Errorf("the order of what is given shows (-one +other):\n%s", diff)
	}
}

// What is written parses and is formatted, whatever it holds, and what is outside text stays text.
func TestTerraformIsHCL(t *testing.T) {
	for _, files := range [][]File{Terraform(someChanges(), someGrants()), Terraform(nil, nil)} {
		dir := filepath.Join(t.TempDir(), "new", "folder")
		if err := Write(dir, files); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			parsed, problems := hclparse.NewParser().ParseHCL([]byte(f.Content), f.Name)
			if problems.HasErrors() {
				t.Fatalf("%s: %v\n%s", f.Name, problems, f.Content)
			}
			for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
				if label := strings.Join(b.Labels, "."); strings.Contains(label, "x.y") {
					t.Errorf("%s: outside text became the block %s", f.Name, label)
				}
				for name, a := range b.Body.Attributes {
					if name == "description" || name == "member" {
						if _, err := a.Expr.Value(nil); err.HasErrors() {
							t.Errorf("%s: %s is more than text: %v", f.Name, name, err)
						}
					}
				}
			}
		}
		terraform, err := exec.LookPath("terraform")
		if err != nil {
			t.Log("terraform is not on the PATH: what it thinks of the format was not asked")
			continue
		}
		if out, err := exec.CommandContext(t.Context(), terraform, "fmt", "-check", "-diff", dir).CombinedOutput(); err != nil {
			t.Errorf("terraform fmt: %v\n%s", err, out)
		}
	}
}

// The value of the hostile description is what it was.
func TestTerraformKeepsText(t *testing.T) {
	for _, f := range Terraform(someChanges(), nil) {
		parsed, _ := hclparse.NewParser().ParseHCL([]byte(f.Content), f.Name)
		for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
			if a := b.Body.Attributes["description"]; a != nil && strings.HasPrefix(b.Labels[1], "tools") {
				v, problems := a.Expr.Value(nil)
				if problems.HasErrors() || v.AsString() != hostile {
					t.Errorf("%v: %q, want %q", problems, v.AsString(), hostile)
				}
			}
		}
	}
}

// Names are lawful, and each depends on its repository alone.
func TestResourceNames(t *testing.T) {
	seen := map[string]ref.TargetRepository{}
	for _, r := range []ref.TargetRepository{
		apps, tools,
		{Location: "us", Project: "my-gcp-project", ID: "app--images"},
		{Location: "us", Project: "my-gcp", ID: "project-us-app"},
		{Location: "us", Project: "project-us", ID: "app"}, {Location: "us", Project: "project", ID: "app-us"},
		{Location: "us", Project: "my-gcp-project", ID: "us.gcr.io"}, {Location: "us", Project: "my-gcp-project", ID: "gcr.io"},
		{Location: "us", Project: "example-com-my-project", ID: "tools"}, {Location: "europe", Project: "my-gcp-project", ID: "app-images"},
	} {
		name := resourceName(r)
		if other, ok := seen[name]; ok || !hclsyntax.ValidIdentifier(name) {
			t.Errorf("%s is called %s, as is %s", r, name, other)
		}
		seen[name] = r
	}
	if got := resourceName(apps); got != "app_images__us__my_gcp_project" {
		t.Errorf("%s is called %s", apps, got)
	}
}

// What somebody made their own is not replaced, nor is anything beside it.
func TestTerraformLeavesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	files := Terraform(someChanges(), nil)
	mine := filepath.Join(dir, "repositories.tf")
	for _, content := range []string{"# Mine\n", strings.TrimPrefix(files[2].Content, header("terraform")), strings.Replace(files[2].Content, "terraform", "events", 1), "\n" + files[2].Content} {
		if err := os.WriteFile(mine, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Write(dir, files)
		if foreign, ok := errors.AsType[*Foreign](err); !ok || foreign.Path != mine || !strings.Contains(err.Error(), "nothing was written") {
			t.Fatalf("got %v", err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("there is more: %v", entries)
		}
		if got, _ := os.ReadFile(mine); string(got) != content {
			t.Errorf("it is now %s", got)
		}
	}
	for _, content := range []string{"", files[2].Content + "# edited below\n"} {
		if err := os.WriteFile(mine, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, files); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(mine); string(got) != files[2].Content {
			t.Errorf("it is now %s", got)
		}
	}
	before := stamps(t, dir)
	if err := Write(dir, files); err != nil || stamps(t, dir) != before {
		t.Errorf("what was right was written again: %v", err)
	}
	if err := Write(mine, files); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func stamps(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, e.Name(), info.ModTime().UnixNano())
	}
	return b.String()
}
