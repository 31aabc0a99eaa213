package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

// shards is how many processes copy one plan, each its part.
const shards = 8

// killed is how many of them are killed and started anew.
const killed = 3

// reads counts what S3 was asked for.
type reads struct {
	mu   sync.Mutex
	byte int64
	of   map[digest.Digest]bool
	size map[digest.Digest]int64
}

func (r *reads) watch(w http.ResponseWriter, req *http.Request, next http.Handler) {
	r.mu.Lock()
	d := digestIn(req.URL.Path)
	r.byte += r.size[d]
	r.of[d] = true
	r.mu.Unlock()
	next.ServeHTTP(w, req)
}

// lost is how many bytes of what was asked for no journal has.
func (r *reads) lost(journaled map[digest.Digest]bool) (sum int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for d := range r.of {
		if !journaled[d] {
			sum += r.size[d]
		}
	}
	return sum
}

// TestShardsThreeOfWhichAreKilled has eight processes copy the parts of a plan, which they mount for reading. Three are
// killed with SIGKILL while they are at work, and started again; one comes late, with an index that is done. Everything
// arrives, and ECR is read less than a tenth more than by one process, but for what was in flight at the kills.
func TestShardsThreeOfWhichAreKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, corpus.Standard()).throughProxy(t)
	w.transship(t, 0, "inventory")
	w.transship(t, 0, "plan")
	w.transship(t, 0, "provision", "--yes")
	plan := filepath.Join(t.TempDir(), "plan.json")
	b, err := os.ReadFile(filepath.Join(w.dir, "plan.json"))
	if err == nil {
		err = os.WriteFile(plan, b, 0o400)
	}
	if err != nil {
		t.Fatal(err)
	}
	read := &reads{of: map[digest.Digest]bool{}, size: map[digest.Digest]int64{}}
	var once int64
	for d, content := range w.corpus.Blobs {
		read.size[d] = int64(len(content))
	}
	for _, planned := range readDocument[struct{ Blobs []struct{ Size int64 } }](t, w, "plan.json").Blobs {
		once += planned.Size
	}

	workers := make([]*world, shards+1) // the last one comes late, with the index of the first victim
	running := make([]*process, len(workers))
	dirs := make([]string, len(workers))
	parent := t.TempDir()
	start := func(n, index int) {
		running[n] = workers[n].start(t, "copy", "--plan", plan, "--shard", fmt.Sprintf("%d/%d", index, shards))
	}
	h := hold(150)
	w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Action: read.watch}, h.fault("ar.v2.upload.put"))
	for n := range workers {
		one := *w
		dirs[n] = filepath.Join(parent, fmt.Sprint("worker-", n))
		one.dir = dirs[n]
		workers[n] = &one
		if n < shards {
			start(n, n)
		}
	}
	select {
	case <-h.arrived:
	case <-time.After(time.Minute):
		t.Fatal("the workers are done, or do nothing")
	}
	w.settle() // each that is not done yet waits for an answer

	var victims []int
	for n, p := range running[:shards] {
		select {
		case <-p.ended:
		default:
			if len(victims) < killed {
				victims = append(victims, n)
				p.signal(t, os.Kill)
			}
		}
	}
	if len(victims) < killed {
		t.Fatalf("only %d were at work", len(victims))
	}
	journaled := map[digest.Digest]bool{}
	for _, n := range victims {
		running[n].wait(t, stopWithin)
	}
	for _, one := range workers {
		for d := range one.journaled(t) {
			journaled[d] = true
		}
	}
	lost := read.lost(journaled)
	if r := w.command(t, os.Getenv("TRANSSHIP_BIN"), append([]string{"status"}, dirs...)...); r.code == 0 {
		t.Errorf("three are dead, and status says that all is done:\n%s", r.stdout)
	}
	close(h.release)
	for _, n := range victims {
		start(n, n)
	}
	for n, p := range running[:shards] {
		p.wait(t, time.Minute).wantCode(t, fmt.Sprint("worker ", n), 0)
	}
	start(shards, victims[0])
	running[shards].wait(t, time.Minute).wantCode(t, "the late worker", 0)
	w.command(t, os.Getenv("TRANSSHIP_BIN"), append([]string{"status"}, dirs...)...).wantCode(t, "status", 0)
	w.transship(t, 0, "verify", "--deep")
	checkAll(t, w)
	t.Logf("read %d bytes, once are %d (%.3f), in flight were %d", read.byte, once, float64(read.byte)/float64(once), lost)
	if read.byte >= once*11/10+lost {
		t.Errorf("%d bytes were read, once are %d, and %d were in flight", read.byte, once, lost)
	}
}
