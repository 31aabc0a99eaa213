//go:build unix

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"transship/internal/cloudsim"
)

// files are the names of all that is below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			out = append(out, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkTidy wants nothing in the workspace but documents and the lock.
func (w *world) checkTidy(t *testing.T) {
	t.Helper()
	for _, name := range files(t, w.dir) {
		if name != ".lock" && !slices.Contains([]string{".json", ".jsonl", ".md"}, filepath.Ext(name)) {
			t.Errorf("%s is left in the workspace", name)
		}
	}
}

// TestNothingOutsideTheWorkspaceIsTouched looks for what a migration leaves, killed or not, where else a program writes.
func TestNothingOutsideTheWorkspaceIsTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small()).throughProxy(t)
	root := filepath.Dir(w.dir) // so that TMPDIR is on the same file system
	elsewhere := []string{filepath.Join(root, "home"), filepath.Join(root, "tmp"), filepath.Join(root, "here")}
	for _, dir := range elsewhere {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.env = append(w.env, "HOME="+elsewhere[0], "TMPDIR="+elsewhere[1])
	h := hold(0)
	w.sim.Faults.Set(h.fault("ar.v2.manifest.put"))
	p := w.start(t, "migrate", "--yes")
	h.await(t, p)
	p.signal(t, os.Kill)
	p.wait(t, stopWithin)
	w.sim.Faults.Clear()
	runIn(t, elsewhere[2], w.env, os.Getenv("TRANSSHIP_BIN"), "migrate", "--yes", "--from", from, "--to", target, "-w", w.dir).wantCode(t, "migrate", 0)
	for _, dir := range elsewhere {
		if left := files(t, dir); len(left) > 0 {
			t.Errorf("%s holds %q", filepath.Base(dir), left)
		}
	}
	w.checkTidy(t)
	info, err := os.Stat(w.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the workspace is %v (%v)", info.Mode(), err)
	}
}

// disk makes a small file system, and skips the test where that cannot be done.
func disk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be made here, which needs root on Linux: %v %s", err, out)
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", "-l", dir).Run(); err != nil { //nolint:noctx // the test's context has ended
			t.Error(err)
		}
	})
	return dir
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
}

// refusesToCopy wants a command to say why and where nothing can be written, and what to do, before anything is copied.
func (w *world) refusesToCopy(t *testing.T, why, command string, args ...string) {
	t.Helper()
	counts := w.counted(func() {
		r := w.transship(t, 1, append([]string{command}, args...)...)
		for _, part := range []string{w.dir, why, "name another workspace with -w"} {
			if !strings.Contains(r.stderr, part) {
				t.Errorf("%s does not say %q:\n%s", command, part, r.stderr)
			}
		}
	})
	if n := counts.Of("s3.get"); n+writes(counts) > 0 {
		t.Errorf("%s copied nevertheless:\n%s", command, counts)
	}
}

// settle waits until no request has arrived for half a second.
func (w *world) settle() {
	for last := -1; last != w.sim.Counts().Total(); time.Sleep(500 * time.Millisecond) {
		last = w.sim.Counts().Total()
	}
}

// TestAWorkspaceThatCannotBeWritten is full, or mounted for reading alone, when all but the copy is done.
func TestAWorkspaceThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := disk(t)
	w := newWorld(t, small()).throughProxy(t)
	w.dir = filepath.Join(dir, "workspace")
	w.transship(t, 0, "inventory")
	w.transship(t, 0, "plan")
	w.transship(t, 0, "provision", "--yes")
	h := hold(0) // so that there is a journal, which is opened without being written
	w.sim.Faults.Set(h.fault("ar.v2.manifest.put"))
	p := w.start(t, "copy")
	h.await(t, p)
	p.signal(t, os.Kill)
	p.wait(t, stopWithin)
	w.sim.Faults.Clear()
	w.settle() // what a killed process had sent may arrive late

	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	w.refusesToCopy(t, "no space left on device", "copy")
	w.refusesToCopy(t, "no space left on device", "migrate", "--yes")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}

	remount(t, dir, "ro")
	w.refusesToCopy(t, "read-only file system", "copy")
	w.transship(t, 0, "status") // only reads
	remount(t, dir, "rw")
	w.transship(t, 0, "migrate", "--yes")
	checkAll(t, w)
	w.checkTidy(t)
}

func remount(t *testing.T, dir, mode string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,"+mode, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestNoFileMayGrow meets a limit on the size of files, as quotas are, where nobody needs to be root.
func TestNoFileMayGrow(t *testing.T) {
	t.Parallel()
	shell := lookFor(t, "sh")
	w := newWorld(t, small()).throughProxy(t)
	w.prefix = []string{shell, "-c", `ulimit -f 64 && exec "$@"`, "sh"} // of blocks of 512 bytes, or of 1024
	w.refusesToCopy(t, syscall.EFBIG.Error(), "migrate", "--yes")
	w.prefix = nil
	w.transship(t, 0, "migrate", "--yes")
}

// TestTwoOnOneWorkspace lets a second one come while the first is at work, and a third after the first was killed.
func TestTwoOnOneWorkspace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small()).throughProxy(t)
	h := hold(0)
	w.sim.Faults.Set(h.fault("ar.v2.manifest.put"))
	p := w.start(t, "migrate", "--yes")
	h.await(t, p)
	r := w.transship(t, 1, "migrate", "--yes")
	if want := "the workspace " + w.dir + " is in use by another transship: wait for it, or name another workspace with -w"; !strings.Contains(r.stderr, want) {
		t.Errorf("the second says:\n%s", r.stderr)
	}
	if r.stdout != "" {
		t.Errorf("the second did something:\n%s", r.stdout)
	}
	p.signal(t, os.Kill)
	p.wait(t, stopWithin)
	w.sim.Faults.Clear()
	w.transship(t, 0, "migrate", "--yes")
	checkAll(t, w)
}

// TestTwoOnOneTarget starts two at once with workspaces of their own, neither of which finds the repository there.
func TestTwoOnOneTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small()).throughProxy(t)
	other := *w
	other.dir = filepath.Join(t.TempDir(), "other")
	var meet sync.WaitGroup
	meet.Add(2)
	w.sim.Faults.Set(cloudsim.Fault{Kind: "ar.api.repositories.create", Times: 2, Action: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		meet.Done()
		meet.Wait() // each has asked whether it is there by now
		next.ServeHTTP(rw, r)
	}})
	one, two := w.start(t, "migrate", "--yes"), other.start(t, "migrate", "--yes")
	one.wait(t, time.Minute).wantCode(t, "the one", 0)
	two.wait(t, time.Minute).wantCode(t, "the other", 0)
	checkAll(t, w)
	checkAll(t, &other)
}
