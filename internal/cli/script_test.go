package cli

import (
	"context"
	"crypto/x509"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"transship/internal/underrace"
)

// TestMain lets scripts run transship as a process of its own: this test binary under another name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"transship": transship})
}

// transship is what cmd/transship does.
func transship() {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" { // where SSL_CERT_FILE is not asked for
		pool := x509.NewCertPool()
		if pem, err := os.ReadFile(os.Getenv("SSL_CERT_FILE")); err == nil && pool.AppendCertsFromPEM(pem) {
			x509.SetFallbackRoots(pool)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(Main(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// TestScripts runs testdata/script. Each script is a user's session, with embedded clouds of its own at their real
// names: empty until the script says otherwise. What scripts can say beyond the commands of testscript is in scripts.
//
//	$FROM  the ECR registry            $HOME  the script's folder
//	$TO    the target                  the credentials of both clouds are in the environment
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if underrace.On {
		files = slices.DeleteFunc(files, ofWords)
	}
	testscript.Run(t, testscript.Params{
		Files:              files,
		RequireUniqueNames: true,
		Setup:              func(e *testscript.Env) error { return newWorld(e) },
		Cmds:               scriptCommands(),
	})
}

// ofWords reports whether a script is about what commands say and decide, by stages that other scripts run at the same time,
// too: the race detector finds nothing new in it, and takes ten times as long.
func ofWords(file string) bool {
	return slices.Contains([]string{
		"config", "cutover", "cutover-waves", "guards", "hostile", "layout", "leave", "mappings", "provision", "report", "rewrite", "status",
	}, strings.TrimSuffix(filepath.Base(file), ".txtar"))
}

// scriptCommands are the commands that scripts have beyond those of testscript.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"cloud":    cloud,    // cloud WHAT …: something happens in the clouds; see cloudActions
		"accounts": accounts, // accounts: two accounts in two regions, with roles to assume and Google behind federation
		"exitcode": exitcode, // exitcode N COMMAND …: run the command and want that exit code
		"json":     jsonIs,   // [!] json FILE [PATH WANT]: FILE is one JSON document, in which PATH is WANT
		"narrow":   narrow,   // narrow FILE COLUMNS LINES: FILE has no wider and no more lines
		"guard":    guard,    // guard FILE WHAT …: the plan FILE wants its repositories to have settings; see guards
		"mark":     mark,     // mark: begin to count requests
		"requests": requests, // requests MAX [KIND …]: no more requests of those kinds since the mark
		"await":    await,    // await: wait until a request hangs
		"hold":     hold,     // hold DIR: lock the workspace DIR, as another process would, until the script ends
	}
}
