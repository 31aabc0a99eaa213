package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// builder is buildah with a storage of its own, which goes away with the test.
type builder struct {
	t     *testing.T
	store []string
}

// newBuilder skips the test where nothing can build an image.
func newBuilder(t *testing.T) builder {
	t.Helper()
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("there is no buildah to build the Containerfile with: the shell did what its first stage does")
	}
	if os.Geteuid() != 0 {
		t.Skip("buildah without a runtime for containers wants to be root")
	}
	dir := t.TempDir()
	return builder{t, []string{"--root", filepath.Join(dir, "store"), "--runroot", filepath.Join(dir, "run"), "--storage-driver", "vfs"}}
}

// run runs a command of buildah and returns what it printed.
func (b builder) run(command string, args ...string) string {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), "buildah", append(append(b.store, command), args...)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("buildah %s: %v\n%s%s", command, err, out, said.String())
	}
	return strings.TrimSpace(string(out))
}

// commit makes an image of a folder, which is owner's, under the name of one that the Containerfile begins with.
func (b builder) commit(root, owner, name string, config ...string) {
	b.t.Helper()
	c := b.run("from", "scratch")
	b.run("copy", "--quiet", "--chown", owner, c, root, "/")
	b.run("config", append(config, c)...)
	b.run("commit", "--quiet", "--rm", c, name)
}

// place copies a file of this machine to where it is below root, under the name that it has or is a link to.
func place(t *testing.T, root, file string) {
	t.Helper()
	content, err := os.ReadFile(file) //nolint:gosec // the machine's shell and its libraries
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(root, file)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // as in an image
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o755); err != nil { //nolint:gosec // as in an image
		t.Fatal(err)
	}
}

// base is the name of the image that a stage of the Containerfile begins with.
var base = regexp.MustCompile(`(?m)^FROM (\S+)`)

// standIns makes images under the names of those that the Containerfile begins with, which are a download away: a shell
// for Go, which is mounted, and a user without anything else.
func (b builder) standIns() {
	b.t.Helper()
	content, err := os.ReadFile("../Containerfile")
	if err != nil {
		b.t.Fatal(err)
	}
	names := base.FindAllStringSubmatch(string(content), -1)
	if len(names) != 2 {
		b.t.Fatalf("the Containerfile has %d stages", len(names))
	}
	build, run := b.t.TempDir(), b.t.TempDir()
	place(b.t, build, "/bin/sh")
	libraries, _ := exec.CommandContext(b.t.Context(), "ldd", "/bin/sh").Output() // a static one needs none
	for _, word := range strings.Fields(string(libraries)) {
		if filepath.IsAbs(word) {
			place(b.t, build, word)
		}
	}
	if err := os.Mkdir(filepath.Join(build, "tmp"), 0o755); err != nil { //nolint:gosec // as in an image
		b.t.Fatal(err)
	}
	// There is no network here: what the module cache lacks, the build misses.
	b.commit(build, "0:0", names[0][1], "--env", "PATH=/usr/local/go/bin:/bin", "--env", "GOPATH=/go", "--env", "GOCACHE=/cache",
		"--env", "GOTOOLCHAIN=local", "--env", "GOPROXY=off")
	if err := os.MkdirAll(filepath.Join(run, "home/nonroot"), 0o755); err != nil { //nolint:gosec // as in an image
		b.t.Fatal(err)
	}
	b.commit(run, "65532:65532", names[1][1], "--user", "65532", "--workingdir", "/home/nonroot")
}

// The Containerfile builds without a network from a module cache that can only be read, and what comes out runs as nobody
// in particular, without a shell, and says what it is. The images it begins with are stand-ins: see standIns.
func TestContainerfileMakesAnImage(t *testing.T) {
	b := newBuilder(t)
	var env struct{ GOROOT, GOMODCACHE, GOCACHE string }
	out, err := exec.CommandContext(t.Context(), "go", "env", "-json", "GOROOT", "GOMODCACHE", "GOCACHE").Output()
	if err == nil {
		err = json.Unmarshal(out, &env)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.standIns()
	b.run("bud", "--isolation", "chroot", "--pull-never", "--build-arg", "VERSION=v1.2.3", "--tag", "transship",
		"--volume", env.GOROOT+":/usr/local/go:ro", "--volume", env.GOMODCACHE+":/go/pkg/mod:ro", "--volume", env.GOCACHE+":/cache",
		"--file", "../Containerfile", "..")
	var image struct {
		OCIv1 struct {
			Config struct {
				User       string
				Entrypoint []string
				Labels     map[string]string
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(b.run("inspect", "--type", "image", "transship")), &image); err != nil {
		t.Fatal(err)
	}
	config := image.OCIv1.Config
	if config.User != "65532:65532" || strings.Join(config.Entrypoint, " ") != "/usr/local/bin/transship" ||
		config.Labels["org.opencontainers.image.version"] != "v1.2.3" {
		t.Errorf("the image is %+v", config)
	}
	c := b.run("from", "--pull-never", "localhost/transship")
	root := b.run("mount", c)
	defer b.run("umount", c)
	if _, err := os.Stat(filepath.Join(root, "bin/sh")); err == nil {
		t.Error("there is a shell in the image")
	}
	if v := b.run("run", "--isolation", "chroot", c, "--", config.Entrypoint[0], "--version"); !strings.Contains(v, "v1.2.3") {
		t.Errorf("it says %q", v)
	}
	b.run("run", "--isolation", "chroot", c, "--", config.Entrypoint[0], "init")
	info, err := os.Stat(filepath.Join(root, "home/nonroot/transship.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := info.Sys().(*syscall.Stat_t); !ok || at.Uid != 65532 {
		t.Errorf("what it writes is not its user's: %+v", info.Sys())
	}
}
