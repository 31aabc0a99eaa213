package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
)

// What is migrated in all tests, under its real names.
const (
	account = "123456789012"
	region  = "us-east-1"
	from    = account + ".dkr.ecr." + region + ".amazonaws.com"

	location   = "us"
	project    = "my-gcp-project"
	repository = "app-images"
	targetHost = location + "-docker.pkg.dev"
	target     = targetHost + "/" + project + "/" + repository
)

// The credentials that the binary is given. Where they show up afterwards, they have leaked.
const (
	accessKey   = "AKIDE2EE2EE2EE2EE2EE"
	secretKey   = "e2e+secret/wJalrXUtnFEMIbPxRfiCYEXAMPLE0"
	googleToken = "ya29.e2e-token-6f1d0b6f5e9b4b7e"
)

// world is a pair of embedded clouds and what a program needs in its environment to reach them.
type world struct {
	sim    *cloudsim.Sim
	ecr    *ecrsim.Registry
	ar     *arsim.Cloud
	corpus *corpus.Corpus
	dir    string   // the migration's workspace, which the first command makes
	env    []string // trust and credentials; how the clouds are reached comes to it
	prefix []string // a command line that runs the one that follows it
}

// newWorld starts embedded clouds: ECR holds the corpus, Artifact Registry holds nothing. They end with the test.
func newWorld(t *testing.T, spec corpus.Spec) *world {
	t.Helper()
	var o cloudsim.Options
	o.AR.Token = googleToken
	w := &world{sim: cloudsim.New(o), corpus: corpus.Generate(spec), dir: filepath.Join(t.TempDir(), "workspace")}
	t.Cleanup(func() { _ = w.sim.Close() })
	w.ecr, w.ar = w.sim.ECR(account, region), w.sim.AR()
	w.ecr.Load(w.corpus)
	w.ecr.SetAccessKeys(accessKey)
	w.env = append(inherited(), "HOME="+t.TempDir(), "SSL_CERT_FILE="+writeFile(t, "ca.pem", w.sim.CAPEM()),
		"AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey, "GOOGLE_OAUTH_ACCESS_TOKEN="+googleToken)
	return w
}

// throughProxy makes the world reachable by a proxy.
func (w *world) throughProxy(t *testing.T) *world {
	t.Helper()
	if _, err := w.sim.Start(); err != nil {
		t.Fatal(err)
	}
	proxy, err := w.sim.StartProxy()
	if err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "HTTPS_PROXY="+proxy)
	return w
}

// command runs any program in the world.
func (w *world) command(t *testing.T, name string, args ...string) result {
	t.Helper()
	line := append(append(append([]string(nil), w.prefix...), name), args...)
	return run(t, w.env, line[0], line[1:]...)
}

// transship runs the binary on the world's migration and wants an exit code.
func (w *world) transship(t *testing.T, code int, args ...string) result {
	t.Helper()
	args = append(args, "--from", from, "--to", target, "-w", w.dir)
	return w.command(t, os.Getenv("TRANSSHIP_BIN"), args...).wantCode(t, "transship "+strings.Join(args, " "), code)
}

// counted is what the clouds were asked while f ran.
func (w *world) counted(f func()) cloudsim.Counts {
	before := w.sim.Counts()
	f()
	return w.sim.Counts().Sub(before)
}

// writes is how many of the requests wrote something, or tried to.
func writes(c cloudsim.Counts) int {
	return c.Of("ar.v2.mount", "ar.v2.upload", "ar.v2.manifest.put", "ar.v2.manifest.delete", "ar.v2.blob.delete",
		"ar.api.repositories.create", "ar.api.repositories.patch", "ar.api.repositories.delete", "ar.api.tags.create", "ar.api.tags.patch")
}

// imagesAt is the corpus as it must be at the target: what is archived stays behind, since ECR does not serve it.
func (w *world) imagesAt() map[string][]corpus.Image {
	out := map[string][]corpus.Image{}
	for _, repo := range w.corpus.Repositories {
		for _, img := range repo.Images {
			if !img.Archived {
				out[repo.Name] = append(out[repo.Name], img)
			}
		}
	}
	return out
}

// readDocument reads a document of the workspace.
func readDocument[T any](t *testing.T, w *world, name string) T {
	t.Helper()
	var v T
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}
