package generate

import (
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclparse"

	"transship/internal/ref"
)

func someSources() []Source {
	return []Source{
		{Registry: ref.Registry{Account: "210987654321", Region: "cn-north-1"}, RoleARN: "arn:aws-cn:iam::210987654321:role/teams/migration-reader"},
		{Registry: ref.Registry{Account: "123456789012", Region: "us-east-1"}},
		{Registry: ref.Registry{Account: "123456789012", Region: "eu-west-1"}},
	}
}

func TestEvents(t *testing.T) {
	m := Migration{Sources: someSources()}
	files := m.Events()
	golden(t, "events", files)
	slices.Reverse(m.Sources)
	if diff := cmp.Diff(files, m.Events()); diff != "" {
		t.Errorf("the order of the sources shows (-one +other):\n%s", diff)
	}
	for _, f := range files {
		if _, problems := hclparse.NewParser().ParseHCL([]byte(f.Content), f.Name); problems.HasErrors() {
			t.Errorf("%s: %v\n%s", f.Name, problems, f.Content)
		}
	}
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not on the PATH: what it thinks of the format was not asked")
	}
	dir := t.TempDir()
	if err := Write(dir, files); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), terraform, "fmt", "-check", "-diff", dir).CombinedOutput(); err != nil {
		t.Errorf("terraform fmt: %v\n%s", err, out)
	}
}
