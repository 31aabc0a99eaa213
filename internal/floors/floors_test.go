package floors

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const moduleRoot = "../.."

func TestPackagesKeepToTheirFloors(t *testing.T) {
	watchSources(t)
	for _, message := range transship().check(listPackages(t)) {
		t.Error(message)
	}
}

func TestMainIsOnlyADoor(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(moduleRoot, "cmd", "transship", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(source, []byte("\n")); lines >= 30 {
		t.Errorf("cmd/transship/main.go has %d lines, want fewer than 30; the rest belongs in internal/cli", lines)
	}
}

// listPackages asks the go command for every package of the module. -e lets it
// describe packages that do not compile at the moment: telling so is the
// compiler's part.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e",
		"-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = moduleRoot
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var pkgs []pkg
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("output of go list: %v", err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 2 {
		t.Fatalf("go list found %d packages; the test looks in the wrong place", len(pkgs))
	}
	return pkgs
}

// watchSources touches every Go file of the module from within the test. The
// go command caches a passed test until a file changes that the test itself
// has looked at, and it does not see what its child process `go list` reads.
func watchSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(moduleRoot, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != moduleRoot {
			return filepath.SkipDir
		}
		if filepath.Ext(file) == ".go" {
			_, err = os.Stat(file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
