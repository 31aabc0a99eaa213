package rewrite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// speed is the variable that asks for TestSpeed, which makes 100,000 files.
const speed = "TRANSSHIP_SPEED"

// TestSpeed compares a scan of a monorepo of 100,000 files with what ripgrep takes to find the hosts in the same tree: at
// most twice as long, the best of five runs each, with all of the tree in memory.
func TestSpeed(t *testing.T) {
	if os.Getenv(speed) == "" {
		t.Skip(speed + " is not set")
	}
	rg, err := exec.LookPath("rg")
	if err != nil {
		t.Skip("there is no ripgrep")
	}
	dir := monorepo(t, 100_000)
	k := known(t)
	best := func(f func()) time.Duration {
		least := time.Hour
		for range 5 {
			begin := time.Now()
			f()
			least = min(least, time.Since(begin))
		}
		return least
	}
	theirs := best(func() {
		out, err := exec.CommandContext(t.Context(), rg, "-uu", "-c", `\.dkr[.-]ecr`, dir).Output()
		if err != nil || len(out) == 0 {
			t.Fatalf("%v: %s", err, out)
		}
	})
	var r Report
	ours := best(func() {
		if r, err = Run(t.Context(), Config{Paths: []string{dir}, Known: k, Judges: Judges()}); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d files, %d edits, %d findings: ripgrep %v, transship %v, %.2f times as long", r.Files, len(r.Edits), len(r.Findings), theirs, ours, float64(ours)/float64(theirs))
	if ours > 2*theirs {
		t.Errorf("it takes more than twice as long")
	}
}

// monorepo makes a tree of n files of 1 to 6 KB each: one of a hundred names ECR, and one of ten holds secrets, images of
// others and what else looks a little like it.
func monorepo(t testing.TB, n int) string {
	t.Helper()
	dir, random := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("apiVersion kind metadata name spec containers image resources limits memory func return package import const value string error secret record decree nginx:1 account amazon registry the of and to in is that it was for on are with as his they be at one have this from or had by hot but some what there we can out other were all your when up use word how said an each she")
	for i := range n {
		var b strings.Builder
		for size := 1000 + random.IntN(5000); b.Len() < size; {
			for range 3 + random.IntN(9) {
				b.WriteString(words[random.IntN(len(words))] + " ")
			}
			b.WriteString("\n")
			if i%100 == 0 && random.IntN(20) == 0 {
				fmt.Fprintf(&b, "image: %s/team/api:1.4.2\n", h)
			}
		}
		path := filepath.Join(dir, fmt.Sprintf("team%03d/service%02d/%s", i%250, i/250%20, []string{"a", "b", "c", "d"}[i%4]), fmt.Sprintf("f%d.%s", i, []string{"yaml", "go", "tf", "md", "sh", "json"}[i%6]))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
