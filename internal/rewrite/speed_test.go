package rewrite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// speed is the variable that asks for TestSpeed, which makes 100,000 files: in the folder that it names, where they are left
// for the next time.
const speed = "TRANSSHIP_SPEED"

// TestSpeed compares a scan of a monorepo of 100,000 files with what ripgrep takes to find the hosts in the same tree: at
// most twice as long by the clock, and of the processors' time, the best of seven runs each, with all of the tree in memory.
func TestSpeed(t *testing.T) {
	dir := os.Getenv(speed)
	if dir == "" {
		t.Skip(speed + " names no folder")
	}
	rg, err := exec.LookPath("rg")
	if err != nil {
		t.Skip("there is no ripgrep")
	}
	monorepo(t, dir, 100_000)
	k := known(t)
	var theirs, ours cost
	var r Report
	for range 7 { // by turns, so that what else the machine does slows down both
		theirs.least(func() time.Duration {
			c := exec.CommandContext(t.Context(), rg, "-uu", "-c", `\.dkr[.-]ecr`, dir)
			out, err := c.Output()
			if err != nil || len(out) == 0 {
				t.Fatalf("%v: %s", err, out)
			}
			return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		})
		ours.least(func() time.Duration {
			begin := processorTime(t)
			if r, err = Run(t.Context(), Config{Paths: []string{dir}, Known: k, Judges: Judges()}); err != nil {
				t.Fatal(err)
			}
			return processorTime(t) - begin
		})
	}
	wall, processor := float64(ours.wall)/float64(theirs.wall), float64(ours.processor)/float64(theirs.processor)
	t.Logf("%d files, %d edits, %d findings: ripgrep takes %v and %v of the processors, transship %v and %v: %.2f and %.2f times as long",
		r.Files, len(r.Edits), len(r.Findings), theirs.wall, theirs.processor, ours.wall, ours.processor, wall, processor)
	if wall > 2 || processor > 2 {
		t.Errorf("it takes more than twice as long")
	}
}

// cost is the least that several runs of something took: by the clock, and of the processors.
type cost struct{ wall, processor time.Duration }

// least runs something that says how much of the processors it took.
func (c *cost) least(f func() time.Duration) {
	begin := time.Now()
	processor := f()
	wall := time.Since(begin)
	if c.wall == 0 || wall < c.wall {
		c.wall = wall
	}
	if c.processor == 0 || processor < c.processor {
		c.processor = processor
	}
}

// processorTime is what this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	fields := strings.Fields(string(b[1+bytes.LastIndexByte(b, ')'):]))
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// monorepo makes a tree of n files of 1 to 6 KB each, of real source code; one of a hundred names ECR.
func monorepo(t testing.TB, dir string, n int) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "team000")); err == nil {
		return // made by an earlier run
	}
	random, code := rand.New(rand.NewPCG(1, 2)), sources(t)
	for i := range n {
		at, size := random.IntN(len(code)-10_000), 1000+random.IntN(5000)
		var b bytes.Buffer
		for line := range bytes.Lines(code[at : at+size]) {
			b.Write(line)
			if i%100 == 0 && random.IntN(20) == 0 {
				fmt.Fprintf(&b, "image: %s/team/api:1.4.2\n", h)
			}
		}
		path := filepath.Join(dir, fmt.Sprintf("team%03d/service%02d/%s", i%250, i/250%20, []string{"a", "b", "c", "d"}[i%4]), fmt.Sprintf("f%d.%s", i, []string{"yaml", "go", "tf", "md", "sh", "json"}[i%6]))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// sources is the source code of some packages of the standard library.
func sources(t testing.TB) []byte {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, pattern := range []string{"net/http", "crypto/tls", "os", "go/types", "encoding/*", "text/*", "database/sql"} {
		names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "src", pattern, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
	}
	return all
}
