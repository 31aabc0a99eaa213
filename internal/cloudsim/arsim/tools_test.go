package arsim_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/arsim"
)

// tool runs a program that is on the PATH, and skips the test where it is not.
func tool(t *testing.T, name string, env []string) func(args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not on the PATH: the embedded Artifact Registry is not tried with it", name)
	}
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(os.Environ(), env...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
		}
		return string(out)
	}
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGcloud(t *testing.T) {
	if testing.Short() {
		t.Skip("gcloud takes seconds to start")
	}
	t.Parallel()
	w := newWorld(t, arsim.Options{})
	srv := httptest.NewServer(w.API())
	defer srv.Close()
	gcloud := tool(t, "gcloud", []string{
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY=" + srv.URL + "/",
		"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=" + writeFile(t, "token", w.token),
		"CLOUDSDK_CORE_PROJECT=" + project, "CLOUDSDK_CONFIG=" + t.TempDir(), "CLOUDSDK_CORE_DISABLE_PROMPTS=1",
		"CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1", "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1",
	})
	d := digest.FromBytes(w.push("team/app", "v1")).String()
	gcloud("artifacts", "repositories", "create", "made", "--repository-format=docker", "--location=us", "--labels=a=b", "--immutable-tags", "--description=x")
	if r, ok := w.Repository("us", project, "made"); !ok || r.Labels["a"] != "b" || r.DockerConfig == nil {
		t.Errorf("gcloud made %+v", r)
	}
	if out := gcloud("artifacts", "repositories", "list", "--location=us", "--format=value(name)"); !strings.Contains(out, "app-images") || !strings.Contains(out, "made") {
		t.Errorf("repositories list: %s", out)
	}
	policy := writeFile(t, "policy.json", `[{"name":"old","action":{"type":"Delete"},"condition":{"tagState":"untagged","olderThan":"14d"}}]`)
	gcloud("artifacts", "repositories", "set-cleanup-policies", "made", "--location=us", "--policy="+policy, "--dry-run")
	if r, _ := w.Repository("us", project, "made"); r.CleanupPolicies["old"].Condition.OlderThan != "1209600s" || !r.CleanupPolicyDryRun {
		t.Errorf("policies are %+v", r.CleanupPolicies)
	}
	const repo = "us-docker.pkg.dev/my-gcp-project/app-images"
	if out := gcloud("artifacts", "docker", "images", "list", repo, "--include-tags", "--format=value(package,version,tags)"); !strings.Contains(out, d) || !strings.Contains(out, "v1") {
		t.Errorf("docker images list: %s", out)
	}
	if out := gcloud("artifacts", "docker", "images", "list", repo+"/team/app", "--include-tags", "--format=value(package,version,tags)"); !strings.Contains(out, d) || !strings.Contains(out, "v1") {
		t.Errorf("docker images list of one image: %s", out)
	}
	if out := gcloud("artifacts", "docker", "tags", "list", repo+"/team/app", "--format=value(tag,version)"); !strings.Contains(out, "v1") || !strings.Contains(out, d) {
		t.Errorf("docker tags list: %s", out)
	}
	gcloud("artifacts", "repositories", "delete", "made", "--location=us", "--quiet")
	if _, ok := w.Repository("us", project, "made"); ok {
		t.Error("the repository is still there")
	}
}

func TestCrane(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	srv := httptest.NewServer(w.Data("us"))
	defer srv.Close()
	address := strings.TrimPrefix(srv.URL, "http://")
	token := w.IssueToken(time.Hour)
	config := writeFile(t, "config.json", fmt.Sprintf(`{"auths":{%q:{"username":"oauth2accesstoken","password":%q}}}`, address, token))
	crane := tool(t, "crane", []string{"DOCKER_CONFIG=" + filepath.Dir(config)})

	var layer bytes.Buffer
	tw := tar.NewWriter(&layer)
	if err := tw.WriteHeader(&tar.Header{Name: "hello", Size: 5, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	_, _ = tw.Write([]byte("hello"))
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	repo := address + "/my-gcp-project/app-images"
	crane("append", "-f", writeFile(t, "layer.tar", layer.String()), "-t", repo+"/team/app:v1")
	crane("copy", repo+"/team/app:v1", repo+"/team/web:v2")
	crane("tag", repo+"/team/web:v2", "latest")
	if out := crane("ls", repo+"/team/web"); out != "latest\nv2\n" {
		t.Errorf("crane ls: %q", out)
	}
	if a, b := crane("digest", repo+"/team/app:v1"), crane("digest", repo+"/team/web:latest"); a != b {
		t.Errorf("digests %s and %s", a, b)
	}
	crane("validate", "--remote", repo+"/team/web:latest")
	crane("index", "append", "-m", repo+"/team/app:v1", "-t", repo+"/team/app:index")
	crane("manifest", repo+"/team/app:index")
}
