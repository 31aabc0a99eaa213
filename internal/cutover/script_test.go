package cutover

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"transship/internal/document"
	"transship/internal/golden"
)

// removableWorld has an index, more images than one request takes, and a name that a shell would read.
func removableWorld() document.Cutover {
	c := document.Cutover{CheckedAt: time.Now(), QuietDays: 30, Retained: make([]document.Retained, 2)}
	many := document.Removable{Source: ecr.Repository("team/api"), Whole: true, Bytes: 5 << 20, Indexes: 1}
	for n := range 102 {
		many.Digests = append(many.Digests, sha(fmt.Sprint(n)))
	}
	some := document.Removable{Source: ecr.Repository("odd'; touch odd; '\ntouch odd"), Digests: many.Digests[:1]}
	c.Removable = []document.Removable{many, some}
	return c
}

func TestScriptGolden(t *testing.T) {
	c := removableWorld()
	c.CheckedAt = noon
	c.Removable[0].Digests = c.Removable[0].Digests[:3]
	script, err := Script(c, units())
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "leave.sh", string(script))
}

// TestScriptRuns has a stand-in for aws write down what it is asked: the true one judges in e2e.
func TestScriptRuns(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	script, err := Script(removableWorld(), units())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(status int, args ...string) (out, asked string) {
		t.Helper()
		log := filepath.Join(dir, "asked")
		_ = os.Remove(log)
		aws := fmt.Sprintf("#!/bin/sh\necho \"$# $*\" >> '%s'\nexit %d\n", log, status)
		for name, text := range map[string]string{"aws": aws, "leave.sh": string(script)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("sh", append([]string{"leave.sh"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		b, err := cmd.CombinedOutput()
		if (err == nil) != (status == 0) {
			t.Fatalf("%v: %s", err, b)
		}
		read, _ := os.ReadFile(log)
		return string(b), string(read)
	}
	out, asked := run(0)
	if asked != "" || strings.Count(out, "would delete") != 5 {
		t.Errorf("without --delete it asked %q, and said:\n%s", asked, out)
	}
	out, asked = run(0, "--delete")
	lines := strings.Split(strings.TrimSpace(asked), "\n")
	if len(lines) != 6 || strings.Count(lines[0], "imageDigest=") != 1 || strings.Count(lines[1], "imageDigest=") != 100 ||
		!strings.Contains(lines[3], "ecr delete-repository --registry-id 123456789012 --region us-east-1 --repository-name team/api") {
		t.Errorf("it asked:\n%s\nand said:\n%s", asked, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "odd")); err == nil {
		t.Error("the shell read a name")
	}
	run(1, "--delete")

	old := removableWorld()
	old.CheckedAt = old.CheckedAt.Add(-ScriptLife - time.Hour)
	if script, err = Script(old, units()); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Command("sh", "-c", string(script)).CombinedOutput(); err == nil {
		t.Error("an old script still runs")
	}
}
