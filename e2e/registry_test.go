package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

// newRegistry returns a real registry, empty and in memory, that lives as long
// as the test. It speaks the distribution protocol without authentication;
// whoever needs TLS, names or credentials wraps it.
func newRegistry(t *testing.T) http.Handler {
	t.Helper()
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"inmemory": configuration.Parameters{},
			"delete":   configuration.Parameters{"enabled": true},
			// Upload purging would start a goroutine that outlives the test.
			"maintenance": configuration.Parameters{
				"uploadpurging": map[any]any{"enabled": false},
			},
		},
	}
	// What the registry's own configuration file would default to; crane asks
	// for a thousand names at once.
	config.Catalog.MaxEntries = 1000
	// Without a secret of its own the registry makes one up and warns.
	config.HTTP.Secret = "upload state of a test registry"
	// As strict as it can be: an index needs all its children. Layers that are
	// kept elsewhere are allowed, which they are not by default.
	config.Validation.Manifests.Indexes.Platforms = "all"
	config.Validation.Manifests.URLs.Allow = []string{"^https://layers\\.example\\.com/"}
	app := handlers.NewApp(t.Context(), config)
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Errorf("shut the registry down: %v", err)
		}
	})
	return app
}

func TestRegistryAnswersPing(t *testing.T) {
	server := httptest.NewServer(newRegistry(t))
	defer server.Close()

	response, err := server.Client().Get(server.URL + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("GET /v2/: status %s, want 200", response.Status)
	}
	if got := response.Header.Get("Docker-Distribution-Api-Version"); got != "registry/2.0" {
		t.Errorf("Docker-Distribution-Api-Version is %q, want registry/2.0", got)
	}
}

func TestCraneTalksToRegistry(t *testing.T) {
	crane := lookFor(t, "crane")
	server := httptest.NewServer(newRegistry(t))
	defer server.Close()

	host := strings.TrimPrefix(server.URL, "http://")
	out, err := exec.CommandContext(t.Context(), crane, "catalog", "--insecure", host).CombinedOutput()
	if err != nil {
		t.Fatalf("crane catalog: %v\n%s", err, out)
	}
	if len(out) != 0 {
		t.Errorf("a new registry lists %q, want nothing", out)
	}
}

func TestBinaryTellsItsVersion(t *testing.T) {
	r := run(t, inherited(), os.Getenv("TRANSSHIP_BIN"), "--version").wantCode(t, "transship --version", 0)
	for _, want := range []string{"transship", "go1."} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("transship --version says %q, without %q", r.stdout, want)
		}
	}
}
