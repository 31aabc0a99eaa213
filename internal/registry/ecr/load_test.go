package ecr

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// isolate sees to it that nothing of the machine's own AWS configuration is used.
func isolate(t *testing.T, env map[string]string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // so that it is put back
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for k, v := range env {
		t.Setenv(k, v)
	}
}

var keys = map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}

func TestLoad(t *testing.T) {
	sim, _, _ := world(t, cloudsim.Options{})
	isolate(t, keys)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, sim.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	// A CA bundle in the environment must not be in the way of a client of our own.
	t.Setenv("AWS_CA_BUNDLE", bundle)
	reg, err := Load(t.Context(), home, Options{HTTPClient: sim.HTTPClient()})
	if err != nil {
		t.Fatal(err)
	}
	if err := lastError(reg.Repositories(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestLoadForms(t *testing.T) {
	isolate(t, keys)
	for host, form := range map[string]ref.HostForm{
		"api.ecr.us-east-1.amazonaws.com":      {},
		"api.ecr-fips.us-east-1.amazonaws.com": {FIPS: true},
		"ecr.us-east-1.api.aws":                {DualStack: true},
		"ecr-fips.us-east-1.api.aws":           {FIPS: true, DualStack: true},
	} {
		var asked string
		reg, err := Load(t.Context(), home, Options{Form: form, HTTPClient: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = r.URL.Host
			return always(200, `{}`).Do(r)
		})})
		if err != nil {
			t.Fatal(err)
		}
		if err := lastError(reg.Repositories(t.Context())); err != nil || asked != host {
			t.Errorf("%+v asked %s, want %s: %v", form, asked, host, err)
		}
	}
}

func TestLoadWithoutCredentials(t *testing.T) {
	isolate(t, nil)
	reg, err := Load(t.Context(), home, Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = lastError(reg.Repositories(t.Context()))
	if !registry.IsClass(err, registry.Unauthorized) || !strings.Contains(registry.HintOf(err), "AWS_PROFILE") {
		t.Errorf("got %v", err)
	}
}

func TestLoadProfileThatIsMissing(t *testing.T) {
	isolate(t, keys)
	_, err := Load(t.Context(), home, Options{Profile: "nope"})
	if !registry.IsClass(err, registry.Unauthorized) || !strings.Contains(err.Error(), "nope") || !strings.Contains(registry.HintOf(err), "~/.aws/config") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, home, Options{Profile: "nope"}); !registry.IsClass(err, registry.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestMoto reads what somebody else's imitation of ECR says, by the variable that every AWS tool honours.
func TestMoto(t *testing.T) {
	path, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not on the PATH")
	}
	endpoint := startMoto(t, path)
	isolate(t, keys)
	t.Setenv("AWS_ENDPOINT_URL_ECR", endpoint)
	reg, err := Load(t.Context(), home, Options{})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":7,"digest":"sha256:` +
		strings.Repeat("a", 64) + `"},"layers":[]}`
	d := digest.FromString(body)
	if _, err := reg.api.CreateRepository(t.Context(), &api.CreateRepositoryInput{RegistryId: &home.Account, RepositoryName: aws.String("team/api"), ImageTagMutability: "IMMUTABLE"}); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.api.PutImage(t.Context(), &api.PutImageInput{
		RegistryId: &home.Account, RepositoryName: aws.String("team/api"), ImageManifest: &body, ImageTag: aws.String("v1"), ImageDigest: aws.String(d.String()),
	}); err != nil {
		t.Fatal(err)
	}
	for r, err := range reg.Repositories(t.Context()) {
		if err != nil || r.Name != "team/api" || r.TagMutability != "IMMUTABLE" || r.CreatedAt.IsZero() {
			t.Errorf("repository is %+v, %v", r, err)
		}
	}
	for image, err := range reg.Images(t.Context(), home.Repository("team/api")) {
		if err != nil || image.Digest != d || image.Status != document.StatusActive || image.MediaType != ocispec.MediaTypeImageManifest || len(image.Tags) != 1 {
			t.Errorf("image is %+v, %v", image, err)
		}
	}
	found, failed, err := reg.Manifests(t.Context(), home.Repository("team/api"), []digest.Digest{d})
	if err != nil || len(found) != 1 {
		t.Errorf("manifests: %v, %v, %v", found, failed, err)
	}
	for range 3 { // its tokens expired in 2015
		if err := reg.Authorizer().Authorize(t.Context(), &http.Request{Header: http.Header{}}); err != nil {
			t.Fatal(err)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// startMoto starts a server on a free port and returns its URL when it answers.
func startMoto(t *testing.T, path string) string {
	t.Helper()
	port := freePort(t)
	cmd := exec.CommandContext(t.Context(), path, "-H", "127.0.0.1", "-p", port) //nolint:gosec // found on the PATH
	if err := cmd.Start(); err != nil {
		t.Skipf("moto_server cannot be started: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	endpoint := "http://127.0.0.1:" + port
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/moto-api/", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			return endpoint
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Skipf("moto_server does not answer: %v", err)
		}
	}
}
