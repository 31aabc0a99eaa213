package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	copied  = regexp.MustCompile(`(?m)^COPY (\S+(?: \S+)*) (\S+)$`)
	ranStep = regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 .*)$`)
)

// What the Containerfile copies is enough for what it runs. There is no network but for the Go modules here, and no
// daemon: so this does what its first stage does, with the Go that there is.
func TestContainerfileBuilds(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell, as the first stage has one")
	}
	content, err := os.ReadFile("../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ignore, err := os.ReadFile("../.containerignore")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range copied.FindAllStringSubmatch(string(content), -1) {
		if strings.HasPrefix(m[1], "--from") {
			continue
		}
		for name := range strings.FieldsSeq(m[1]) {
			if !strings.Contains(string(ignore), "\n!"+name+"\n") {
				t.Errorf(".containerignore leaves out %s", name)
			}
			copyWithoutTests(t, filepath.Join("..", name), filepath.Join(dir, name))
		}
	}
	step := ranStep.FindStringSubmatch(string(content))
	if step == nil {
		t.Fatal("the Containerfile builds nothing")
	}
	bin := filepath.Join(dir, "transship")
	cmd := exec.CommandContext(t.Context(), sh, "-c", strings.Replace(step[1], "/out/transship", bin, 1))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "VERSION=v1.2.3", "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), bin, "--version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "v1.2.3") {
		t.Errorf("%v\n%s", err, out)
	}
}

// copyWithoutTests copies a file or a folder, but for what .containerignore leaves out.
func copyWithoutTests(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if !info.IsDir() {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "testdata" {
			copyWithoutTests(t, filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		}
	}
}
