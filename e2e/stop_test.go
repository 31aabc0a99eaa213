//go:build unix

package e2e

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

// stopWithin is how long a stop may take. It is promised.
const stopWithin = 10 * time.Second

// TestASignalStopsAMigration sends the first signal while layers stall on both sides and manifests get no answer: what
// is in flight ends, the documents are written, and the same command goes on.
func TestASignalStopsAMigration(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small()).throughProxy(t)
			h := hold(10)
			w.sim.Faults.SetSeeded(5, h.fault("ar.v2.manifest.put"),
				// A few: where all that is under way stalls, nothing comes as far as a manifest.
				cloudsim.Fault{Kind: "s3.get", Probability: 0.1, Times: 4, Action: cloudsim.StallBody(10)},
				cloudsim.Fault{Kind: "ar.v2.upload.*", Probability: 0.05, Times: 4, Action: cloudsim.StallUpload(10)})
			p := w.start(t, "migrate", "--yes")
			h.await(t, p)
			began := time.Now()
			p.signal(t, s)
			r := p.wait(t, stopWithin).wantCode(t, "migrate, stopped", 1)
			t.Logf("stopped in %v", time.Since(began))
			if !strings.Contains(r.stderr, "transship: stopped: run the same command again to go on") {
				t.Errorf("it does not say how to go on:\n%s", r.stderr)
			}
			results := readDocument[struct {
				Stopped         bool
				Success, Failed int
			}](t, w, "results.json")
			if !results.Stopped || results.Failed != 0 {
				t.Errorf("the results are %+v", results)
			}
			w.checkTidy(t)
			w.sim.Faults.Clear()
			known, before := w.journaled(t), w.sim.Counts()
			w.transship(t, 0, "migrate", "--yes")
			checkAll(t, w)
			if n := w.sim.Counts().Sub(before).Of("s3.get"); n > len(w.corpus.Blobs)-len(known) {
				t.Errorf("%d blobs were read to go on, of %d, when %d had arrived", n, len(w.corpus.Blobs), len(known))
			}
		})
	}
}

// TestASecondSignalEndsAtOnce lets nobody read what a command prints, so that the first signal cannot end it cleanly.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, corpus.Flat(10, 50)).throughProxy(t)
	cmd := exec.CommandContext(t.Context(), os.Getenv("TRANSSHIP_BIN"), "inventory", "--json", "--from", from, "--to", target, "-w", w.dir)
	cmd.Dir, cmd.Env = t.TempDir(), w.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil { // it prints, and will find the pipe full
		t.Fatal(err)
	}
	ended := make(chan *os.ProcessState)
	go func() {
		s, _ := cmd.Process.Wait()
		ended <- s
	}()
	sent := 0
	again := time.NewTicker(100 * time.Millisecond) // two that come together would be one
	defer again.Stop()
	for limit := time.After(stopWithin); ; {
		select {
		case s := <-ended:
			status, ok := s.Sys().(syscall.WaitStatus)
			if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT || sent < 2 {
				t.Errorf("after %d signals it ended with %v", sent, s)
			}
			return
		case <-again.C:
			_ = cmd.Process.Signal(syscall.SIGINT)
			sent++
		case <-limit:
			_ = cmd.Process.Kill()
			<-ended
			t.Fatalf("%d signals did not end it", sent)
		}
	}
}
