package generate

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	checkedin "transship/internal/golden"
	"transship/internal/ref"
)

const someConfig = `sources:
    - host: 123456789012.dkr.ecr.us-east-1.amazonaws.com
to: us-docker.pkg.dev/my-gcp-project/app-images
`

// someDeployment is one of two accounts, the second of which names a role.
func someDeployment(p Platform) Deployment {
	return Deployment{
		Migration: Migration{
			Sources: Keyless(p, []Source{
				{Registry: ref.Registry{Account: "123456789012", Region: "us-east-1"}},
				{Registry: ref.Registry{Account: "210987654321", Region: "eu-west-1"}, RoleARN: "arn:aws:iam::210987654321:role/teams/migration-reader", ExternalID: "my-external-id"},
			}),
			Targets: []ref.TargetRepository{apps},
		},
		Platform: p, Name: "transship", Image: "us-docker.pkg.dev/my-gcp-project/tools/transship:1.0", Shards: 3, Bucket: "my-migration",
		Schedule: "*/15 * * * *", Namespace: "transship", Project: "my-gcp-project", Region: "us-east4",
		Events: []string{"https://sqs.us-east-1.amazonaws.com/123456789012/transship-ecr-events"}, Config: someConfig, Plan: "transship/plan.json",
	}
}

func filesOf(t *testing.T, d Deployment) []File {
	t.Helper()
	made, err := map[Platform]func() ([]File, error){
		GKE: d.Kubernetes, EKS: d.Kubernetes, CloudRun: d.CloudRun, CloudBuild: d.CloudBuild,
	}[d.Platform]()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// golden compares files with those in a folder below testdata, or writes them.
func golden(t *testing.T, folder string, files []File) {
	t.Helper()
	dir := filepath.Join("testdata", folder)
	if *checkedin.Update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("%v (go test ./internal/generate -update writes it)", err)
	}
	if len(entries) != len(files) {
		t.Errorf("%s has %d files, and %d were made", dir, len(entries), len(files))
	}
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), f.Content); diff != "" {
			t.Errorf("%s/%s differs (-want +got):\n%s", dir, f.Name, diff)
		}
	}
}

func TestDeployments(t *testing.T) {
	for _, p := range []Platform{GKE, EKS, CloudRun, CloudBuild} {
		t.Run(string(p), func(t *testing.T) {
			files := filesOf(t, someDeployment(p))
			golden(t, string(p), files)
			for _, f := range files {
				if markOf(f.Content) == "" {
					t.Errorf("%s is not known as ours", f.Name)
				}
				for i, line := range strings.Split(f.Content, "\n") {
					if strings.TrimRight(line, " \t") != line {
						t.Errorf("%s:%d ends in white space", f.Name, i+1)
					}
				}
				switch filepath.Ext(f.Name) {
				case ".sh":
					checkShell(t, f)
				case ".yaml":
					for _, document := range documents(t, f) {
						checkPods(t, f.Name, document)
					}
				}
			}
			if diff := cmp.Diff(files, filesOf(t, someDeployment(p))); diff != "" {
				t.Errorf("made again, it differs (-one +other):\n%s", diff)
			}
		})
	}
}

// checkShell has the shell read a script, and the documents in it are JSON.
func checkShell(t *testing.T, f File) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell that could read the scripts")
	}
	cmd := exec.CommandContext(t.Context(), sh, "-n")
	cmd.Stdin = strings.NewReader(f.Content)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", f.Name, err, out)
	}
	if !strings.Contains(f.Content, "\nset -eu\n") {
		t.Errorf("%s goes on after a failure", f.Name)
	}
	for _, part := range strings.Split(f.Content, "<<'EOF'\n")[1:] {
		text, _, _ := strings.Cut(part, "\nEOF")
		if strings.HasPrefix(text, "{") && !json.Valid([]byte(text)) {
			t.Errorf("%s: no JSON: %s", f.Name, text)
		}
	}
}

func documents(t *testing.T, f File) (out []map[string]any) {
	t.Helper()
	d := yaml.NewDecoder(bytes.NewReader([]byte(f.Content)))
	for {
		var document map[string]any
		if err := d.Decode(&document); err != nil {
			if err.Error() == "EOF" {
				return out
			}
			t.Fatalf("%s: %v\n%s", f.Name, err, f.Content)
		}
		out = append(out, document)
	}
}

// checkPods looks for what every container of Kubernetes must have.
func checkPods(t *testing.T, name string, document any) {
	t.Helper()
	switch v := document.(type) {
	case []any:
		for _, e := range v {
			checkPods(t, name, e)
		}
	case map[string]any:
		if _, ok := v["automountServiceAccountToken"]; ok && v["kind"] == nil {
			if v["automountServiceAccountToken"] != false {
				t.Errorf("%s: a token of Kubernetes reaches the pod", name)
			}
			for _, c := range v["containers"].([]any) {
				context, _ := c.(map[string]any)["securityContext"].(map[string]any)
				if context["allowPrivilegeEscalation"] != false || context["readOnlyRootFilesystem"] != true {
					t.Errorf("%s: the container may do too much: %v", name, context)
				}
			}
		}
		for _, e := range v {
			checkPods(t, name, e)
		}
	}
}

// What is written for one wave is called otherwise, and what is written without roles has no script for them.
func TestDeploymentNames(t *testing.T) {
	d := someDeployment(GKE)
	d.Name = "transship-core"
	for _, f := range filesOf(t, d) {
		if f.Name == "copy.yaml" && !strings.Contains(f.Content, `name: "transship-core-copy"`) {
			t.Errorf("the Job is called otherwise:\n%s", f.Content)
		}
	}
}

func TestKeyless(t *testing.T) {
	one := Source{Registry: ref.Registry{Account: "123456789012", Region: "us-east-1"}}
	two := Source{Registry: ref.Registry{Account: "123456789012", Region: "cn-north-1"}, RoleARN: "arn:aws-cn:iam::123456789012:role/r", ExternalID: "x", WebIdentity: true}
	three := Source{Registry: ref.Registry{Account: "210987654321", Region: "us-east-1"}}
	var got []string
	for _, p := range []Platform{GKE, EKS} {
		for _, s := range Keyless(p, []Source{one, two, three}) {
			got = append(got, string(p)+" "+s.RoleARN+" "+s.ExternalID)
			if s.WebIdentity != (p == GKE) {
				t.Errorf("on %s, a web identity: %v", p, s.WebIdentity)
			}
		}
	}
	want := []string{
		"gke arn:aws:iam::123456789012:role/transship-reader ", "gke arn:aws-cn:iam::123456789012:role/r ", "gke arn:aws:iam::210987654321:role/transship-reader ",
		"eks  ", "eks arn:aws-cn:iam::123456789012:role/r x", "eks arn:aws:iam::210987654321:role/transship-reader ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
