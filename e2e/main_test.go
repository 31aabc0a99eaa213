package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sirupsen/logrus"
)

// TestMain quiets the registry, which logs every 404 to logrus's standard logger whatever its configuration says,
// and sees that there is a binary.
func TestMain(m *testing.M) {
	logrus.SetLevel(logrus.PanicLevel)
	code, err := withBinary(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withBinary runs f with TRANSSHIP_BIN set to a binary that it builds, unless it is set already.
func withBinary(f func() int) (int, error) {
	if os.Getenv("TRANSSHIP_BIN") != "" {
		return f(), nil
	}
	dir, err := os.MkdirTemp("", "transship-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder that stays behind harms nobody
	bin := filepath.Join(dir, "transship")
	build := exec.Command("go", "build", "-o", bin, "./cmd/transship")
	build.Dir = ".." // the product's module, of which this one only sees the embedded clouds
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the binary under test: %w\n%s", err, out)
	}
	if err := os.Setenv("TRANSSHIP_BIN", bin); err != nil {
		return 0, err
	}
	return f(), nil
}
