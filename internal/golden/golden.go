// Package golden compares what tests make with the files that are checked in. It is for tests alone: no package of the
// product imports it.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Update is the flag -update of a package whose tests import this one: golden files are written anew, and not compared.
var Update = flag.Bool("update", false, "write the golden files anew")

// Compare has got compared with the file at path, below the package's testdata, or written there.
func Compare(t testing.TB, path, got string) {
	t.Helper()
	path = filepath.Join("testdata", path)
	if *Update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test with -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}
