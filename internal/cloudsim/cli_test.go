package cloudsim_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
)

// commandLine prepares a real client: it reaches the Sim by the proxy alone and trusts its authority alone.
func commandLine(t *testing.T, sim *cloudsim.Sim, program string) func(args ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not on the PATH: %v", program, err)
	}
	if testing.Short() {
		t.Skipf("%s is slow to start", program)
	}
	proxy, err := sim.StartProxy()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, sim.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	inherited := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_") // a profile of the machine's user has no business here
	})
	env := append(inherited, "HTTPS_PROXY="+proxy, "https_proxy="+proxy, "NO_PROXY=", "no_proxy=",
		"SSL_CERT_FILE="+ca, "AWS_CA_BUNDLE="+ca, "AWS_ACCESS_KEY_ID=AKIA", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_REGION="+region, "AWS_DEFAULT_REGION="+region, "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
		"AWS_CONFIG_FILE="+filepath.Join(home, "none"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "none"),
		"DOCKER_CONFIG="+home, "PYTHONWARNINGS=ignore")
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = env
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, stderr.String())
		}
		return string(out)
	}
}

func TestAWSCommandLine(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	aws := commandLine(t, sim, "aws")
	d := push(repo, "one", "a", "b")
	repo.SetStatus(push(repo, "two", "old"), ecrsim.StatusArchived)
	for i := range 120 {
		reg.CreateRepository("r"+strings.Repeat("x", i+1), ecrsim.RepositorySettings{})
	}
	query := func(want string, args ...string) {
		t.Helper()
		if got := strings.TrimSpace(aws(append(args, "--output", "text")...)); got != want {
			t.Errorf("aws %s: %q, want %q", strings.Join(args, " "), got, want)
		}
	}
	// The text output applies the query to each page: two pages were asked for.
	query("100\n21", "ecr", "describe-repositories", "--query", "length(repositories)")
	query(d.String()+"\tACTIVE", "ecr", "describe-images", "--repository-name", "app", "--query", "imageDetails[].[imageDigest,imageStatus]")
	query("3", "ecr", "list-images", "--repository-name", "app", "--filter", "imageStatus=ANY", "--query", "length(imageIds)")
	query(account, "sts", "get-caller-identity", "--query", "Account")
	var batch struct {
		Images []struct {
			ImageManifest string `json:"imageManifest"`
		} `json:"images"`
	}
	out := aws("ecr", "batch-get-image", "--repository-name", "app", "--image-ids", "imageDigest="+d.String(), "--output", "json")
	if err := json.Unmarshal([]byte(out), &batch); err != nil {
		t.Fatal(err)
	}
	if m, _ := repo.Content.Manifest(d); len(batch.Images) != 1 || batch.Images[0].ImageManifest != string(m.Bytes) {
		t.Errorf("batch-get-image: %s", out)
	}
	aws("ecr", "batch-delete-image", "--repository-name", "app", "--image-ids", "imageTag=b")
	if _, ok := repo.Content.TagDigest("b"); ok {
		t.Error("batch-delete-image did not delete the tag")
	}
	if password := strings.TrimSpace(aws("ecr", "get-login-password")); len(password) < 100 {
		t.Errorf("password of %d characters", len(password))
	}
}

func TestCrane(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	reg := sim.ECR(account, region)
	repo := reg.CreateRepository("app", ecrsim.RepositorySettings{})
	reg.CreateRepository("copy", ecrsim.RepositorySettings{})
	crane := commandLine(t, sim, "crane")
	d := indexOf(repo, "multi", push(repo, "one"), push(repo, "two"))
	password, _ := sdkPassword(t, sim)
	crane("auth", "login", host, "-u", "AWS", "-p", password)
	if got := strings.TrimSpace(crane("digest", host+"/app:multi")); got != d.String() {
		t.Errorf("crane digest: %s, want %s", got, d)
	}
	crane("copy", host+"/app:multi", host+"/copy:multi")
	if got, ok := reg.Repository("copy").Content.TagDigest("multi"); !ok || got != d {
		t.Errorf("crane copy made %s of %s", got, d)
	}
	if got := strings.TrimSpace(crane("ls", host+"/copy")); got != "multi" {
		t.Errorf("crane ls: %q", got)
	}
}
