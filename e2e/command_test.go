package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inherited is this process's environment without what would lead a program past the test's world: accounts, profiles,
// proxies and trust of the machine's user.
func inherited() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(entry), "=")
		for _, prefix := range []string{"AWS_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "SSL_CERT_", "DOCKER_", "TRANSSHIP_", "XDG_", "REQUESTS_CA_", "CURL_CA_"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return strings.HasSuffix(name, "_PROXY") || name == "HOME" || name == "NO_COLOR" || name == "TERM"
	})
}

// result is what a program left behind.
type result struct {
	stdout, stderr string
	code           int
}

// run runs a program to its end, in an empty folder.
func run(t *testing.T, env []string, name string, args ...string) result {
	t.Helper()
	return runIn(t, t.TempDir(), env, name, args...)
}

// runIn runs a program to its end; that it cannot be run at all fails the test.
func runIn(t *testing.T, dir string, env []string, name string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// wantCode fails the test, with all that the program said, where it did not exit with code.
func (r result) wantCode(t *testing.T, what string, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("%s: exit code %d, want %d\n--- stdout\n%s--- stderr\n%s", what, r.code, code, r.stdout, r.stderr)
	}
	return r
}

// lookFor returns the program's path, and skips the test where it is not installed.
func lookFor(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not on the PATH: its opinion is not asked for", program)
	}
	return path
}

// writeFile writes a file of the test and returns its path.
func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
